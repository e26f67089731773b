import { messageOf } from "../operation/errors.ts";
import type { ReadFailure, WaitEnd, WaitFacts } from "../operation/operation.ts";
import { withoutUrlSecrets } from "../redaction.ts";

/** The line for a wait that begins, or goes on later. */
export function beginLine(facts: WaitFacts): string {
  const seen = facts.status === undefined ? "" : `, ${lastSeen(facts)} when last seen`;
  return `Operation ${facts.operationId}: ${facts.pollCount > 0 ? "waiting again" : "waiting"}${seen}.`;
}

/** The line for a read that was answered. */
export function answerLine(facts: WaitFacts, isStale: boolean): string {
  const stale = isStale ? " (a stale answer was passed over)" : "";
  return `Operation ${facts.operationId}: ${lastSeen(facts)}${stale}.${nextRead(facts)}`;
}

/** The line for a read that failed. */
export function failureLine(facts: WaitFacts, { message, isThrottled }: ReadFailure): string {
  const what = isThrottled ? "throttled" : "read failed";
  return `Operation ${facts.operationId}: ${what}: ${message}.${nextRead(facts)}`;
}

/** The line for a wait that ended, or that nobody waits for any more. */
export function endLine(facts: WaitFacts, { type, error }: WaitEnd): string {
  const { operationId, elapsedInMs, pollCount, failedReads } = facts;
  const cost = `${Math.round(elapsedInMs)} ms, ${pollCount} reads, ${failedReads} of them failed`;
  switch (type) {
    case "succeeded":
      return `Operation ${operationId}: the wait ended, ${lastSeen(facts)} (${cost}).`;
    case "left":
      return `Operation ${operationId}: nobody waits any more, ${lastSeen(facts)} (${cost}).`;
    case "unsuccessful":
    case "gaveUp": {
      const what = type === "gaveUp" ? "gave up" : "the wait ended";
      return `Operation ${operationId}: ${what} (${cost}): ${withoutUrlSecrets(messageOf(error))}`;
    }
  }
}

function lastSeen({ status = "state unknown", percentComplete }: WaitFacts): string {
  return percentComplete === undefined ? status : `${status} at ${percentComplete} %`;
}

function nextRead({ nextPollInMs }: WaitFacts): string {
  return nextPollInMs === undefined ? "" : ` Next read in ${Math.round(nextPollInMs)} ms.`;
}
