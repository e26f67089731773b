import { parseJson } from "../../operation/json-fields.ts";
import { documentIn } from "../../operation/parse-error.ts";
import type { TerminalStates } from "../../operation/status.ts";
import { errorOfResponse } from "../http/response.ts";
import type { ResponseParts } from "../http/response.ts";
import { deletedReport, failedReport, parsePollResponse } from "./protocol.ts";
import type { LroResponse, PollingLocation, StatusReport } from "./protocol.ts";

/**
 * Parses a response to a poll.
 *
 * @throws {@link RequestError} if it has an error and no status, {@link ContractError} if its status is not usable
 */
export function parsePoll(
  location: PollingLocation,
  response: ResponseParts,
  terminalStates: TerminalStates | undefined,
): StatusReport {
  if (isDeleted(location, response)) return deletedReport(location);
  const lroResponse = lroResponseOf(response, terminalStates);
  if (isFailureAtLocation(location, response)) return failedReport(location, lroResponse);
  if (response.status >= 300) throw errorOfResponse(response);
  const observed = location.deletion ? { ...location, deletion: "observed" as const } : location;
  return parsePollResponse(observed, lroResponse);
}

/**
 * Returns whether a monitor that had answered is gone with the resource that its operation deletes. An error about the
 * operation says something else: it has expired.
 */
function isDeleted({ deletion }: PollingLocation, response: ResponseParts): boolean {
  if (deletion !== "observed" || response.status !== 404) return false;
  const { code } = errorOfResponse(response);
  return !/operation/i.test(code) && !isCodeOfWrongUrl(code);
}

/** Returns whether a 404 or 410 says that there is nothing, and not that a gateway does not know the URL. */
export function isNothingThere(response: ResponseParts): boolean {
  if (response.status === 410) return true;
  if (response.status !== 404) return false;
  const { code, error } = errorOfResponse(response);
  return error === undefined ? !response.bodyAsText?.trim() : !isCodeOfWrongUrl(code);
}

/** The same, but a code has to say that something was not found. */
export function isResourceMissing(response: ResponseParts): boolean {
  if (!isNothingThere(response)) return false;
  const { code, error } = errorOfResponse(response);
  return response.status === 410 || error === undefined || /not_?found$/i.test(code);
}

const partOfUrl = /subscription|tenant|api_?version|resourcetype|provider|route|host|page|endpoint/i;
/** These are parts of other words, too: only as words of their own. */
const wordOfUrl = /(?<![A-Za-z])(?:api|site)|Api|API|Site/;

/** Returns whether the code of a 404 says that the URL is wrong: that is no proof that the resource is gone. */
function isCodeOfWrongUrl(code: string): boolean {
  return partOfUrl.test(code) || wordOfUrl.test(code);
}

/** Codes with which a polling location reports how the operation ended. Others say that the poll has failed. */
const codesOfFailure: ReadonlySet<number> = new Set([409, 412, 422]);

/** Azure Resource Manager: a polling location answers in the end as the initial request would have. */
function isFailureAtLocation({ kind }: PollingLocation, response: ResponseParts): boolean {
  return (
    kind === "location" &&
    codesOfFailure.has(response.status) &&
    errorOfResponse(response).error !== undefined
  );
}

/** Returns the parts of a response that the protocol reads. The body is parsed when it is read. */
export function lroResponseOf(
  { status: statusCode, headers, bodyAsText }: ResponseParts,
  terminalStates?: TerminalStates,
): LroResponse {
  let parsed: { readonly body: unknown } | undefined;
  return {
    statusCode,
    header: (name) => headers.get(name),
    terminalStates,
    get body() {
      parsed ??= { body: parseBodyOrText(headers.get("content-type"), bodyAsText ?? "") };
      return parsed.body;
    },
  };
}

/** @throws {@link ContractError} if it is a page of HTML, which is that of a gateway, or broken JSON */
function parseBodyOrText(contentType: string | undefined, text: string): unknown {
  if (text.trim() === "") return undefined;
  // Without a type a body is JSON if it looks like it. A page is none of the service's, whatever its type.
  const isText =
    contentType === undefined
      ? !/^\s*["<[{]/.test(text)
      : !/json|html/i.test(contentType) && !/^\s*<(!doctype\s+)?html\b/i.test(text);
  // Some services send a status as `text/plain`.
  return isText ? (documentIn(text) ?? text) : parseJson(text, "$");
}
