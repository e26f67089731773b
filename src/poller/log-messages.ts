import { messageOf } from "../operation/errors.ts";
import type { PollFailure, PollerEnd, PollerSnapshot } from "../operation/operation.ts";
import { withoutUrlSecrets } from "../redaction.ts";

/** The line for a wait that starts, or continues later. */
export function startMessage(snapshot: PollerSnapshot): string {
  const seen = snapshot.status === undefined ? "" : `, last seen ${stateOf(snapshot)}`;
  return `Operation ${snapshot.operationId}: ${snapshot.pollCount > 0 ? "waiting again" : "waiting"}${seen}.`;
}

/** The line for a response. */
export function responseMessage(snapshot: PollerSnapshot, isStale: boolean): string {
  const stale = isStale ? " (a stale response was ignored)" : "";
  return `Operation ${snapshot.operationId}: ${stateOf(snapshot)}${stale}.${nextPoll(snapshot)}`;
}

/** The line for a failed poll. */
export function failureMessage(snapshot: PollerSnapshot, { message, isThrottled }: PollFailure): string {
  const what = isThrottled ? "throttled" : "poll failed";
  return `Operation ${snapshot.operationId}: ${what}: ${message}.${nextPoll(snapshot)}`;
}

/** The line for a wait that ended, or that every caller has abandoned. */
export function endMessage(snapshot: PollerSnapshot, { type, error }: PollerEnd): string {
  const { operationId, elapsedInMs, pollCount, failedPollCount } = snapshot;
  const cost = `${Math.round(elapsedInMs)} ms, ${pollCount} polls, ${failedPollCount} of them failed`;
  switch (type) {
    case "succeeded":
      return `Operation ${operationId}: the wait ended, ${stateOf(snapshot)} (${cost}).`;
    case "abandoned":
      return `Operation ${operationId}: every caller has stopped waiting, ${stateOf(snapshot)} (${cost}).`;
    case "failedOrCanceled":
    case "pollingFailed": {
      const what = type === "pollingFailed" ? "polling failed" : "the wait ended";
      return `Operation ${operationId}: ${what} (${cost}): ${withoutUrlSecrets(messageOf(error))}`;
    }
  }
}

function stateOf({ status = "state unknown", percentComplete }: PollerSnapshot): string {
  return percentComplete === undefined ? status : `${status} at ${percentComplete} %`;
}

function nextPoll({ nextPollInMs }: PollerSnapshot): string {
  return nextPollInMs === undefined ? "" : ` Next poll in ${Math.round(nextPollInMs)} ms.`;
}
