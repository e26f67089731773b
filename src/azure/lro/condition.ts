import { RequestError, messageOf } from "../../operation/errors.ts";
import { findError } from "../../operation/parse-error.ts";
import { checkFunction, checkPositiveInteger } from "../../validate.ts";
import { describeValue } from "../../redaction.ts";
import { provisioningStateOf } from "../../operation/state-words.ts";
import { isTerminal } from "../../operation/status.ts";
import { stateOfBody } from "./protocol.ts";
import type { PollingLocation, StatusReport } from "./protocol.ts";

/** A condition of a resource to wait for. */
export interface Condition<TResult = unknown> {
  /**
   * Returns whether the wait is over, by the resource; it is not called while there is none. `exists` and `deleted` wait
   * until there is one, or none.
   */
  readonly until: "deleted" | "exists" | ((resource: TResult) => boolean);
  /**
   * Returns whether the condition cannot come true any more. Default: whether `provisioningState` is `Failed` or
   * `Canceled`; with `deleted`, only after it was `Deleting`.
   */
  readonly failIf?: ((resource: TResult) => boolean) | undefined;
  /** The number of polls in a row for which the condition must be true. Default 1. */
  readonly confirmations?: number | undefined;
}

/**
 * Checks a condition.
 *
 * @throws TypeError or RangeError that names the option
 */
export function checkCondition<TResult>(condition: Condition<TResult>): Condition<TResult> {
  const { until, failIf, confirmations } = condition;
  if (until !== "deleted" && until !== "exists" && typeof until !== "function") {
    throw new TypeError(`until: expected deleted, exists or a function, got ${describeValue(until)}`);
  }
  if (failIf !== undefined) checkFunction("failIf", failIf);
  if (confirmations !== undefined) checkPositiveInteger("confirmations", confirmations);
  return condition;
}

/** Counts how often a condition was true in a row. */
export class ConditionCheck<TResult> {
  readonly #condition: Condition<TResult>;
  #confirmed = 0;

  constructor(condition: Condition<TResult>) {
    this.#condition = condition;
  }

  /** Makes a report by the resource; `undefined` where there is none. */
  report(resource: unknown, location: PollingLocation): StatusReport {
    const state = stateOfBody(resource);
    const word = resource === undefined ? "NotFound" : (state?.word ?? "Waiting");
    const serviceStatus = state?.word;
    const hasFailed = this.#hasFailed(resource, state?.status, location);
    this.#confirmed = !hasFailed && this.#isTrue(resource) ? this.#confirmed + 1 : 0;
    if (this.#confirmed >= (this.#condition.confirmations ?? 1)) {
      const fields = { status: "Succeeded", serviceStatus, properties: resource };
      return { fields, pollingLocation: location };
    }
    if (hasFailed) {
      const error = findError(resource) ?? { code: "ConditionNotMet", message: `The resource is ${word}.` };
      return { fields: { status: "Failed", serviceStatus, error }, pollingLocation: location };
    }
    // A resource that has succeeded may not have met the condition yet.
    const status = isTerminal(provisioningStateOf(word)) ? "Waiting" : word;
    const isDeleting = this.#condition.until === "deleted" && /^deleting$/i.test(word);
    const pollingLocation = isDeleting ? { ...location, deletion: "observed" as const } : location;
    return { fields: { status, serviceStatus }, pollingLocation };
  }

  #isTrue(resource: unknown): boolean {
    const { until } = this.#condition;
    if (until === "deleted") return resource === undefined;
    return resource !== undefined && (until === "exists" || called("until", until, resource));
  }

  #hasFailed(resource: unknown, state: string | undefined, { deletion }: PollingLocation): boolean {
    const { until, failIf } = this.#condition;
    if (resource === undefined) return false;
    if (failIf !== undefined) return called("failIf", failIf, resource);
    if (state !== "Failed" && state !== "Canceled") return false;
    // A resource that has failed may be deleted; one whose deletion has failed says so after it was deleting.
    if (until === "deleted") return deletion === "observed";
    return !this.#isTrue(resource);
  }
}

/** @throws {@link RequestError} if the user's function throws */
function called(name: string, test: (resource: never) => boolean, resource: unknown): boolean {
  try {
    // Only the caller knows the resource's type.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const isTrue: unknown = test(resource as never);
    // A promise would always be true.
    if (typeof isTrue === "boolean") return isTrue;
    throw new TypeError(`expected true or false, got ${describeValue(isTrue)}`);
  } catch (cause) {
    throw new RequestError(`${name}: ${messageOf(cause)}`, {
      kind: "permanent",
      code: "ConditionFailed",
      cause,
    });
  }
}
