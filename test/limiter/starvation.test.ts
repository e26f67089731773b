import { expect, test } from "vitest";
import { RequestLimiter, createPoller } from "lro-poller";
import type { Operation, RateLimit, StatusResponse } from "lro-poller";
import { createVirtualClock } from "lro-poller/testing";
import type { VirtualClock } from "lro-poller/testing";
import { settled } from "../support/rejections.ts";

const operations = 500;
const requestsPerMinute = 300;
const intervalInMs = 60_000 / requestsPerMinute;
/** The default. */
const maxDelayInMs = 30_000;

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Operations that never end. Records the time of the last poll of each, and the time by which the next is due. */
class Fleet {
  readonly clock: VirtualClock = createVirtualClock();
  readonly limiter: RequestLimiter;
  maxGapInMs = 0;
  polls = 0;
  readonly late: string[] = [];
  readonly #dueBy = new Map<string, number>();
  readonly #polledAt = new Map<string, number>();
  readonly #rateLimit: ((now: number) => RateLimit) | undefined;

  constructor(limiterOf: (clock: VirtualClock) => RequestLimiter, rateLimit?: (now: number) => RateLimit) {
    this.limiter = limiterOf(this.clock);
    this.#rateLimit = rateLimit;
  }

  operation(id: string): Operation {
    const getStatus = (): Promise<StatusResponse> => {
      this.#record(id);
      const status = { id, name: id, status: "Running" };
      return Promise.resolve({ status, rateLimit: this.#rateLimit?.(this.clock.now()) });
    };
    return { id, getStatus, toJSON: () => ({ id }), limiterFor: () => this.limiter };
  }

  /** The bound: the longest interval, stretched as all are now, then one poll of each in the queue. */
  setDueTime(id: string): void {
    const queueInMs = operations * intervalInMs;
    this.#dueBy.set(id, this.clock.now() + maxDelayInMs * this.limiter.stretch + queueInMs);
  }

  check(id: string): void {
    const now = this.clock.now();
    this.maxGapInMs = Math.max(this.maxGapInMs, now - (this.#polledAt.get(id) ?? now));
    const dueBy = this.#dueBy.get(id) ?? Infinity;
    if (now > dueBy) this.late.push(`${id}: ${now - dueBy} ms late`);
  }

  #record(id: string): void {
    this.check(id);
    this.polls++;
    this.#polledAt.set(id, this.clock.now());
  }
}

/** Half of them start together, the others one after the other; for two hours. */
async function wait(fleet: Fleet): Promise<void> {
  const controller = new AbortController();
  const random = seeded(1);
  const ids = Array.from({ length: operations }, (_, index) => String(index));
  const ends: Promise<unknown>[] = [];
  for (const [index, id] of ids.entries()) {
    const options = { clock: fleet.clock, random, maxDelayInMs, abortSignal: controller.signal };
    const poller = createPoller(fleet.operation(id), { ...options, onProgress: () => fleet.setDueTime(id) });
    ends.push(settled(poller.pollUntilDone()));
    if (index > operations / 2) await fleet.clock.advance(5000 * random());
  }
  await fleet.clock.advance(7_200_000);
  for (const id of ids) fleet.check(id);
  controller.abort();
  await Promise.all(ends);
}

test("no operation starves: between two polls lie at most a stretched interval and one poll of each other", async () => {
  const fleet = new Fleet((clock) => new RequestLimiter(clock, { requestsPerMinute }));
  await wait(fleet);
  expect(fleet.late).toEqual([]);
  // Nearly the whole rate is used, and no operation waits for three times its fair share.
  expect(fleet.polls).toBeGreaterThan((0.95 * fleet.clock.now()) / intervalInMs);
  expect(fleet.maxGapInMs).toBeLessThan(3 * operations * intervalInMs);
});

test("no operation starves at a service that counts down to 0 in each minute", async () => {
  let minute = 0;
  let remaining = requestsPerMinute;
  let overrun = 0;
  const rateLimit = (now: number): RateLimit => {
    if (Math.floor(now / 60_000) > minute)
      [minute, remaining] = [Math.floor(now / 60_000), requestsPerMinute];
    if (--remaining < 0) overrun++;
    return { remaining: Math.max(0, remaining), resetInMs: 60_000 - (now % 60_000) };
  };
  const fleet = new Fleet((clock) => new RequestLimiter(clock), rateLimit);
  await wait(fleet);
  expect([fleet.late, overrun]).toEqual([[], 0]);
  expect(fleet.polls).toBeGreaterThan((0.95 * fleet.clock.now()) / intervalInMs);
  expect(fleet.maxGapInMs).toBeLessThan(3 * operations * intervalInMs);
});
