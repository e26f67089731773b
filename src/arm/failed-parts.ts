import { rootCauseOf } from "../operation/error-text.ts";
import { isObject } from "../operation/json-object.ts";
import { fieldOf } from "../operation/lenient-fields.ts";
import { withRaw } from "../operation/parse-error.ts";
import type { InnerError, OperationError, OperationPart, StatusFields } from "../operation/status.ts";

/** An error of a wait, a status or a progress: whatever has the parts. */
interface HasParts {
  readonly operation?: Pick<StatusFields, "parts"> | undefined;
}

/**
 * Returns the parts that failed by themselves, in the order in which they failed. A nested deployment is one only where
 * none of its parts is known to have failed.
 *
 * @example
 * ```ts
 * if (error instanceof OperationFailedError) for (const part of failedPartsOf(error)) console.error(part.id, part.error);
 * ```
 */
export function failedPartsOf({ operation }: HasParts): readonly OperationPart[] {
  return failedIn(operation?.parts ?? []);
}

/** Returns the parts that did not run because another part failed, or the deployment was canceled. */
export function skippedPartsOf({ operation }: HasParts): readonly OperationPart[] {
  return skippedIn(operation?.parts ?? []);
}

function failedIn(parts: readonly OperationPart[]): readonly OperationPart[] {
  return rootsIn(parts).toSorted((one, other) => endOf(one) - endOf(other));
}

function rootsIn(parts: readonly OperationPart[]): readonly OperationPart[] {
  return parts.flatMap((part) => {
    const below = rootsIn(part.parts);
    return below.length > 0 || part.status !== "Failed" ? below : [part];
  });
}

function skippedIn(parts: readonly OperationPart[]): readonly OperationPart[] {
  return parts.flatMap((part) => [...(part.wasSkipped ? [part] : []), ...skippedIn(part.parts)]);
}

function endOf({ startTime, durationInMs = 0 }: OperationPart): number {
  return startTime === undefined ? Infinity : startTime.getTime() + durationInMs;
}

/**
 * Returns the error of a failed deployment with its failed parts as details, the first one first. The service's own error
 * says only that a part has failed, or repeats some of the parts within texts.
 */
export function withFailedParts(
  error: OperationError | undefined,
  parts: readonly OperationPart[],
): OperationError | undefined {
  const failed = failedIn(parts);
  if (failed.length === 0) return error;
  const { code = "DeploymentFailed", message = "", details = [], additionalInfo } = error ?? {};
  const inner: InnerError = {
    details: [...details, ...failed.map((part) => part.error).filter((known) => known !== undefined)],
    ...(additionalInfo && { additionalInfo }),
  };
  const combined = { ...error, code, message, details: failed.map(detailOf), innererror: inner };
  return withRaw(combined, error?.raw ?? error);
}

/** Has one level only, so that no part with a deeper error comes before the first. */
function detailOf(part: OperationPart): OperationError {
  const { code, message } = part.error ? rootCauseOf(part.error) : { code: "", message: "" };
  const { trackingId, statusCode }: Partial<OperationError> = part.error ?? {};
  const infos = part.error ? additionalInfoIn(part.error) : [];
  const policies = infos.map(policyIn).filter((policy) => policy !== undefined);
  const notes = [
    ...new Set(policies),
    typeof statusCode === "string" && isGeneric(code) ? `HTTP status: ${statusCode}.` : undefined,
    typeof trackingId === "string" ? `Tracking id: ${trackingId}.` : undefined,
  ];
  const text = message === "" ? "The service sent no message." : message.replace(/\s*\n\s*/g, " ");
  return {
    code: code === "" ? "Failed" : code,
    message: [text, ...notes.filter((note) => note !== undefined)].join(" "),
    target: part.id ?? part.name,
    ...(infos.length > 0 && { additionalInfo: infos }),
  };
}

function isGeneric(code: string): boolean {
  return /^(ResourceDeploymentFailure|DeploymentFailed|)$/i.test(code);
}

type Info = NonNullable<InnerError["additionalInfo"]>[number];

function additionalInfoIn({ additionalInfo = [], details = [], innererror }: InnerError): readonly Info[] {
  return [
    ...additionalInfo,
    ...details.flatMap(additionalInfoIn),
    ...(innererror ? additionalInfoIn(innererror) : []),
  ];
}

/** Returns the name of the policy that has refused a part. */
function policyIn({ type, info }: Info): string | undefined {
  if (type?.toLowerCase() !== "policyviolation" || !isObject(info)) return undefined;
  const named = (...names: readonly string[]): string | undefined =>
    names
      .map((name) => fieldOf(info, name))
      .find((value): value is string => typeof value === "string" && value !== "");
  const policy = named("policyDefinitionDisplayName", "policyDefinitionName", "policyDefinitionId");
  const assignment = named("policyAssignmentDisplayName", "policyAssignmentName", "policyAssignmentId");
  if (policy === undefined) return undefined;
  return `Policy: ${policy}${assignment === undefined || assignment === policy ? "" : ` (assignment ${assignment})`}.`;
}
