import { setTimeout as realDelay } from "node:timers/promises";
import { createVirtualClock } from "lro-poller/testing";
import type { VirtualClock } from "lro-poller/testing";

/** The usual speed of the clock: milliseconds for each millisecond of the machine. */
export const maxSpeed = 100;

/** How much faster it is while nothing can happen but the end of a wait. */
const idleFactor = 600;

/** A clock that advances with the event loop. On a slow machine it is slow too, so that no time limit is reached. */
export interface EventLoopClock {
  readonly clock: VirtualClock;
  readonly stop: () => Promise<void>;
}

/**
 * @param isIdle - whether nothing can happen but the end of a wait
 * @param isHeld - whether something takes real time that must take none of the clock's
 */
export function startEventLoopClock(isIdle: () => boolean, isHeld: () => boolean): EventLoopClock {
  const clock = createVirtualClock();
  const stopping = new AbortController();
  const advance = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await realDelay(1);
      if (isHeld()) continue;
      for (let steps = 0; steps === 0 || (steps < idleFactor && isIdle()); steps++)
        await clock.advance(maxSpeed);
    }
  };
  const advancing = advance();
  const stop = (): Promise<void> => {
    stopping.abort();
    return advancing;
  };
  return { clock, stop };
}
