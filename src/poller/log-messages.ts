import { messageOf } from "../operation/errors.ts";
import type { PollFailure, PollerEnd, PollerSnapshot } from "../operation/operation.ts";
import { withoutUrlSecrets } from "../redaction.ts";

/** The text for a wait that starts, or continues later. */
export function startMessage(snapshot: PollerSnapshot): string {
  const seen = snapshot.status === undefined ? "" : `, last seen ${stateOf(snapshot)}`;
  return `${snapshot.pollCount > 0 ? "waiting again" : "waiting"}${seen}.`;
}

/** The text for a response. */
export function responseMessage(snapshot: PollerSnapshot, isStale: boolean): string {
  const stale = isStale ? " (a stale response was ignored)" : "";
  return `${stateOf(snapshot)}${stale}.${nextPoll(snapshot)}`;
}

/** The text for a failed poll. */
export function failureMessage(snapshot: PollerSnapshot, { message, isThrottled }: PollFailure): string {
  // Most services end their message with a full stop, the network's errors have none.
  const sentence = message.endsWith(".") ? message : `${message}.`;
  return `${isThrottled ? "throttled" : "poll failed"}: ${sentence}${nextPoll(snapshot)}`;
}

/** The text for a wait that ended, or that every caller has abandoned. */
export function endMessage(snapshot: PollerSnapshot, { type, error }: PollerEnd): string {
  const { elapsedInMs, pollCount, failedPollCount } = snapshot;
  const cost = `${Math.round(elapsedInMs)} ms, ${pollCount} polls, ${failedPollCount} of them failed`;
  switch (type) {
    case "succeeded":
      return `the wait ended, ${stateOf(snapshot)} (${cost}).`;
    case "abandoned":
      return `every caller has stopped waiting, ${stateOf(snapshot)} (${cost}).`;
    case "failedOrCanceled":
    case "pollingFailed": {
      const what = type === "pollingFailed" ? "polling failed" : "the wait ended";
      return `${what} (${cost}): ${withoutUrlSecrets(messageOf(error))}`;
    }
  }
}

function stateOf({ status = "state unknown", percentComplete }: PollerSnapshot): string {
  return percentComplete === undefined ? status : `${status} at ${percentComplete} %`;
}

function nextPoll({ nextPollInMs }: PollerSnapshot): string {
  return nextPollInMs === undefined ? "" : ` Next poll in ${Math.round(nextPollInMs)} ms.`;
}
