import { RequestError, createPoller, fixed } from "lro-poller";
import type { PollOptions, Poller } from "lro-poller";
import { createVirtualClock, scriptedOperation } from "lro-poller/testing";
import type { ScriptedReply, VirtualClock } from "lro-poller/testing";

export interface ScriptedPoller {
  readonly clock: VirtualClock;
  readonly operation: ReturnType<typeof scriptedOperation>;
  readonly poller: Poller;
  /** Returns the times at which polls were sent. */
  readonly pollTimes: () => (number | undefined)[];
}

/** Creates a poller of a scripted operation, which polls every second without jitter. */
export function scriptedPoller(replies: readonly ScriptedReply[], options: PollOptions = {}): ScriptedPoller {
  const clock = createVirtualClock();
  const operation = scriptedOperation(replies, { clock });
  const poller = createPoller(operation, { schedule: fixed(1000), random: () => 0, clock, ...options });
  return { clock, operation, poller, pollTimes: () => operation.polls.map((poll) => poll.startedAt) };
}

export function down(details: Partial<ConstructorParameters<typeof RequestError>[1]> = {}): RequestError {
  return new RequestError("down", { kind: "transient", statusCode: 503, ...details });
}

export function forever(): Promise<never> {
  return new Promise(() => {});
}
