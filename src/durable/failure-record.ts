import { RequestError } from "../operation/errors.ts";
import type { RequestErrorKind, ResponseCounts } from "../operation/errors.ts";
import {
  invalidField,
  parseCount,
  parseObject,
  parseOptional,
  parseOptionalNumber,
  parseString,
} from "../operation/json-fields.ts";
import { parseOperationError } from "../operation/parse-error.ts";

/** A {@link RequestError} as JSON. */
export interface FailureRecord {
  readonly message: string;
  readonly kind: string;
  readonly code: string;
  readonly statusCode?: number | undefined;
  readonly requestId?: string | undefined;
  readonly error?: unknown;
}

/** @throws {@link ContractError} if a count is no whole number from 0 on */
export function parseResponseCounts(value: unknown, path: string): ResponseCounts {
  const entries = Object.entries(parseObject(value, path));
  return Object.fromEntries(entries.map(([response, count]) => [response, parseCount(count, `${path}.…`)]));
}

/** Describes a failed poll as JSON. Its cause stays in the process of the poll. */
export function failureRecordOf(failure: RequestError): FailureRecord {
  const { message, kind, code, statusCode, requestId, error } = failure;
  return { message, kind, code, statusCode, requestId, error };
}

/** @throws {@link ContractError} if the value is no {@link FailureRecord} */
export function parseFailure(value: unknown, path: string): RequestError {
  const fields = parseObject(value, path);
  return new RequestError(parseString(fields["message"], `${path}.message`), {
    kind: parseKind(fields["kind"], `${path}.kind`),
    code: parseString(fields["code"], `${path}.code`),
    statusCode: parseOptionalNumber(fields["statusCode"], `${path}.statusCode`),
    requestId: parseOptional(fields["requestId"], `${path}.requestId`, parseString),
    error: parseOperationError(fields["error"]),
  });
}

function parseKind(value: unknown, path: string): RequestErrorKind {
  if (value === "transient" || value === "notFound" || value === "permanent") return value;
  throw invalidField(path, "transient, notFound or permanent", value);
}
