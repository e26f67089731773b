import { RequestError, createPoller, fixed } from "lro-poller";
import type { PollOptions, Poller } from "lro-poller";
import { createVirtualClock, scriptedOperation } from "lro-poller/testing";
import type { ScriptedReply, VirtualClock } from "lro-poller/testing";

export interface ScriptedPoller {
  readonly clock: VirtualClock;
  readonly operation: ReturnType<typeof scriptedOperation>;
  readonly poller: Poller;
  /** The times at which reads were sent. */
  readonly readTimes: () => (number | undefined)[];
}

/** A poller that reads every second and whose jitter is nil. */
export function setUp(replies: readonly ScriptedReply[], options: PollOptions = {}): ScriptedPoller {
  const clock = createVirtualClock();
  const operation = scriptedOperation(replies, { clock });
  const poller = createPoller(operation, { schedule: fixed(1000), random: () => 0, clock, ...options });
  return { clock, operation, poller, readTimes: () => operation.polls.map((read) => read.startedAt) };
}

export function down(details: Partial<ConstructorParameters<typeof RequestError>[1]> = {}): RequestError {
  return new RequestError("down", { kind: "transient", statusCode: 503, ...details });
}

export function forever(): Promise<never> {
  return new Promise(() => {});
}
