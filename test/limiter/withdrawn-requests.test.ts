import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { RequestLimiter } from "lro-poller";
import { createVirtualClock } from "lro-poller/testing";

setFlagsFromString("--expose-gc");
const collectGarbage: unknown = runInNewContext("gc");

/** Queues requests, and withdraws them. Returns weak references to what they would start. */
function queueAndWithdraw(limiter: RequestLimiter, count: number): WeakRef<() => void>[] {
  return Array.from({ length: count }, (_, index) => {
    const start = (): unknown => index;
    limiter.acquire(start)();
    return new WeakRef(start);
  });
}

test("a withdrawn request leaves the queue at once, also behind one that still waits", async () => {
  const clock = createVirtualClock();
  const limiter = new RequestLimiter(clock);
  limiter.acquire(() => {});
  limiter.release({ isThrottled: true, retryAfterInMs: 3_600_000 });
  let started = 0;
  limiter.acquire(() => started++);
  const withdrawn = queueAndWithdraw(limiter, 1000);
  limiter.acquire(() => started++);
  // A reference lives until the end of the task in which it was made.
  await new Promise((resolve) => setImmediate(resolve));
  if (typeof collectGarbage === "function") collectGarbage();
  // One may still be on the stack or in a register.
  expect(withdrawn.filter((start) => start.deref() !== undefined).length).toBeLessThan(10);
  await clock.advance(3_601_000);
  expect(started).toBe(2);
  expect(clock.pendingTimers).toBe(0);
});
