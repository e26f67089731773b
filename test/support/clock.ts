import { systemClock } from "lro-poller";
import type { Clock, PollOptions } from "lro-poller";
import { createVirtualClock } from "lro-poller/testing";
import type { VirtualClock } from "lro-poller/testing";

/**
 * Creates a clock that runs `speed` times as fast as real time: waits of seconds, over real sockets, take milliseconds.
 * Tests that use it assert what happened and in which order, never how long it took.
 */
export function fastClock(real: Clock, speed = 1000): Clock {
  const origin = real.now();
  return {
    now: () => (real.now() - origin) * speed,
    timestamp: () => Date.UTC(2025, 0, 1) + (real.now() - origin) * speed,
    setTimer: (callback, delayInMs) => real.setTimer(callback, delayInMs / speed),
  };
}

/** Creates a clock that leaps to the next timer at once. It gives one loop exact times over real sockets. */
export function leapingClock(): Clock {
  let now = 0;
  return {
    now: () => now,
    timestamp: () => Date.UTC(2025, 0, 1) + now,
    setTimer(callback, delayInMs) {
      const immediate = setImmediate(() => {
        now += delayInMs;
        callback();
      });
      return () => clearImmediate(immediate);
    },
  };
}

/** A clock whose machine can sleep, as a test says. */
export interface SleepingClock extends VirtualClock {
  /** Lets time pass in which nothing runs. What was due meanwhile runs afterwards, in order. */
  sleep(durationInMs: number): Promise<void>;
}

/** Creates a virtual clock of a machine that can sleep. */
export function sleepingClock(): SleepingClock {
  const clock = createVirtualClock();
  let due: (() => void)[] | undefined;
  return {
    get pendingTimers() {
      return clock.pendingTimers;
    },
    now: () => clock.now(),
    timestamp: () => clock.timestamp(),
    advance: (durationInMs) => clock.advance(durationInMs),
    runUntilSettled: (promise) => clock.runUntilSettled(promise),
    setTimer(callback, delayInMs) {
      let isCanceled = false;
      const fire = (): void => {
        if (!isCanceled) callback();
      };
      const cancel = clock.setTimer(() => (due ? void due.push(fire) : callback()), delayInMs);
      return () => {
        isCanceled = true;
        cancel();
      };
    },
    async sleep(durationInMs) {
      const missed: (() => void)[] = (due = []);
      await clock.advance(durationInMs);
      due = undefined;
      for (const fire of missed) fire();
    },
  };
}

/** Creates a virtual clock whose timers fire late, as those of a busy process do. */
export function lateClock(lateInMs: number): VirtualClock {
  const clock = createVirtualClock();
  const setTimer = clock.setTimer.bind(clock);
  return Object.assign(clock, {
    setTimer: (callback: () => void, delayInMs: number) => setTimer(callback, delayInMs + lateInMs),
  });
}

/** Options with a timeout of requests that passes when a poll hangs, however slow the machine is. */
export function timeoutWhen(
  hung: Promise<void>,
): Required<Pick<PollOptions, "clock" | "requestTimeoutInMs">> {
  const requestTimeoutInMs = 3_600_000;
  const clock = fastClock(systemClock);
  let isHung = false;
  const timeouts = new Set<() => void>();
  const passTimeouts = (): void => {
    isHung = true;
    for (const callback of timeouts) callback();
  };
  void hung.then(passTimeouts);
  const setTimer: Clock["setTimer"] = (callback, delayInMs) => {
    if (delayInMs !== requestTimeoutInMs) return clock.setTimer(callback, delayInMs);
    if (!isHung) timeouts.add(callback);
    return () => void timeouts.delete(callback);
  };
  return { requestTimeoutInMs, clock: { ...clock, setTimer } };
}
