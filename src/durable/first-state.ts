import { systemClock } from "../clock.ts";
import type { Clock } from "../clock.ts";
import { validRetryAfter } from "../operation/retry-after.ts";
import { momentOf } from "../state/resume-token.ts";
import type { ResumeToken } from "../state/resume-token.ts";
import { checkDuration } from "../validate.ts";
import { tokenFor } from "./operation-key.ts";
import type { OperationSource } from "./operation-key.ts";
import { storedOptions } from "./step-state.ts";
import type { StepOptions, StepState } from "./step-state.ts";

/** Options of a wait that starts. Durations are in milliseconds. */
export interface FirstStateOptions extends StepOptions {
  /** Maximum time to wait, from now; then `PollingTimeoutError`. Default: none, or what a resume token has left. */
  readonly timeoutInMs?: number;
  /** For tests, and for engines with a clock of their own. Default: the system's. */
  readonly clock?: Pick<Clock, "timestamp">;
}

/**
 * Makes the state of a wait before its first step. Sends nothing, and needs no client and no credential.
 *
 * @example
 * ```ts
 * const state = firstState(asyncOperationUrl, { timeoutInMs: 3_600_000 });
 * ```
 * @throws TypeError, RangeError or `ContractError` that names the argument that is wrong
 */
export function firstState(
  source: OperationSource,
  { clock = systemClock, ...options }: FirstStateOptions = {},
): StepState {
  return firstStateMaker(source, options)(clock.timestamp());
}

/** Checks the arguments of {@link firstState}, and returns a function from the time to the state. */
export function firstStateMaker(
  source: OperationSource,
  { timeoutInMs, ...options }: Omit<FirstStateOptions, "clock">,
): (now: number) => StepState {
  checkTimeout(timeoutInMs);
  const stored = storedOptions(options);
  const tokenAt = tokenFor(source);
  return (now) => {
    const token = withDeadline(tokenAt(now), timeoutInMs, now);
    return {
      version: 1,
      token,
      options: stored,
      responseCounts: {},
      ...dueIn(firstDelayOf(token, now), now),
    };
  };
}

/** Returns how long a token's Retry-After forbids a poll, in milliseconds, or its timeout leaves if that passes first. */
export function firstDelayOf(token: ResumeToken, now: number): number {
  const { deadline = Infinity } = token;
  return Math.min(retryAfterOf(token, now), Math.max(0, deadline - now));
}

function retryAfterOf({ savedAt, notBefore = 0 }: ResumeToken, now: number): number {
  return validRetryAfter(notBefore - Math.max(savedAt, now)) ?? 0;
}

/** Returns the time of the next step, which is no earlier than in so many milliseconds. */
export function dueIn(delayInMs: number, now: number): Pick<StepState, "dueAt" | "delayInMs"> {
  return { dueAt: momentOf(now + delayInMs), delayInMs: Math.ceil(delayInMs) };
}

/** @throws RangeError that names the timeout */
export function checkTimeout(timeoutInMs: number | undefined): void {
  if (timeoutInMs === undefined) return;
  checkDuration("timeoutInMs", timeoutInMs, { positive: true, allowInfinity: true });
}

/** Returns a token with the deadline of a timeout that starts now; without a timeout it keeps its own. */
export function withDeadline(token: ResumeToken, timeoutInMs: number | undefined, now: number): ResumeToken {
  if (timeoutInMs === undefined) return token;
  const deadline = momentOf(Math.max(now, token.startedAt) + timeoutInMs);
  return { ...token, deadline: timeoutInMs === Infinity ? undefined : deadline };
}
