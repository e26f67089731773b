import { setTimeout as realDelay } from "node:timers/promises";
import { createVirtualClock } from "lro-poller/testing";
import type { VirtualClock } from "lro-poller/testing";

/** At most so many times as fast as the machine's: so many milliseconds in one. */
export const topSpeed = 100;

/** Time that passes turn by turn of the event loop: where the machine is slow, so is it, and no limit is reached. */
export interface PacedClock {
  readonly clock: VirtualClock;
  readonly stop: () => Promise<void>;
}

export function startPacedClock(): PacedClock {
  const clock = createVirtualClock();
  const stopping = new AbortController();
  const pace = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await realDelay(1);
      await clock.advance(topSpeed);
    }
  };
  const pacing = pace();
  const stop = (): Promise<void> => {
    stopping.abort();
    return pacing;
  };
  return { clock, stop };
}
