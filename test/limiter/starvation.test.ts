import { expect, test } from "vitest";
import { RequestLimiter, createPoller } from "lro-poller";
import type { Operation, RateLimit, StatusResponse } from "lro-poller";
import { createVirtualClock } from "lro-poller/testing";
import type { VirtualClock } from "lro-poller/testing";
import { ending } from "../support/rejections.ts";

const operations = 500;
const requestsPerMinute = 300;
const spacingInMs = 60_000 / requestsPerMinute;
/** The default. */
const maxDelayInMs = 30_000;

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Operations that never end, each of which notes when it was read last, and when it has to be read again. */
class Fleet {
  readonly clock: VirtualClock = createVirtualClock();
  readonly budget: RequestLimiter;
  longestGapInMs = 0;
  reads = 0;
  readonly late: string[] = [];
  readonly #dueBy = new Map<string, number>();
  readonly #readAt = new Map<string, number>();
  readonly #rateLimit: ((now: number) => RateLimit) | undefined;

  constructor(budgetOf: (clock: VirtualClock) => RequestLimiter, rateLimit?: (now: number) => RateLimit) {
    this.budget = budgetOf(this.clock);
    this.#rateLimit = rateLimit;
  }

  operation(id: string): Operation {
    const getStatus = (): Promise<StatusResponse> => {
      this.#note(id);
      const status = { id, name: id, status: "Running" };
      return Promise.resolve({ status, rateLimit: this.#rateLimit?.(this.clock.now()) });
    };
    return { id, getStatus, toJSON: () => ({ id }), limiterFor: () => this.budget };
  }

  /** The bound: the longest wait, stretched as all are now, then one read of each in the queue. */
  promise(id: string): void {
    const queueInMs = operations * spacingInMs;
    this.#dueBy.set(id, this.clock.now() + maxDelayInMs * this.budget.stretch + queueInMs);
  }

  check(id: string): void {
    const now = this.clock.now();
    this.longestGapInMs = Math.max(this.longestGapInMs, now - (this.#readAt.get(id) ?? now));
    const dueBy = this.#dueBy.get(id) ?? Infinity;
    if (now > dueBy) this.late.push(`${id}: ${now - dueBy} ms late`);
  }

  #note(id: string): void {
    this.check(id);
    this.reads++;
    this.#readAt.set(id, this.clock.now());
  }
}

/** Half of them begin together, the others one after the other; for two hours. */
async function wait(fleet: Fleet): Promise<void> {
  const controller = new AbortController();
  const random = seeded(1);
  const ids = Array.from({ length: operations }, (_, index) => String(index));
  const ends: Promise<unknown>[] = [];
  for (const [index, id] of ids.entries()) {
    const options = { clock: fleet.clock, random, abortSignal: controller.signal };
    const poller = createPoller(fleet.operation(id), { ...options, onProgress: () => fleet.promise(id) });
    ends.push(ending(poller.pollUntilDone()));
    if (index > operations / 2) await fleet.clock.advance(5000 * random());
  }
  await fleet.clock.advance(7_200_000);
  for (const id of ids) fleet.check(id);
  controller.abort();
  await Promise.all(ends);
}

test("nobody starves: a stretched wait and one read of each other lie between two reads of one", async () => {
  const fleet = new Fleet((clock) => new RequestLimiter(clock, { requestsPerMinute }));
  await wait(fleet);
  expect(fleet.late).toEqual([]);
  // Nearly all that there is is made use of, and nobody waits for three times a fair part of it.
  expect(fleet.reads).toBeGreaterThan((0.95 * fleet.clock.now()) / spacingInMs);
  expect(fleet.longestGapInMs).toBeLessThan(3 * operations * spacingInMs);
});

test("nobody starves at a service that counts down to nothing in each minute", async () => {
  let minute = 0;
  let left = requestsPerMinute;
  let overrun = 0;
  const rateLimit = (now: number): RateLimit => {
    if (Math.floor(now / 60_000) > minute) [minute, left] = [Math.floor(now / 60_000), requestsPerMinute];
    if (--left < 0) overrun++;
    return { remaining: Math.max(0, left), resetInMs: 60_000 - (now % 60_000) };
  };
  const fleet = new Fleet((clock) => new RequestLimiter(clock), rateLimit);
  await wait(fleet);
  expect([fleet.late, overrun]).toEqual([[], 0]);
  expect(fleet.reads).toBeGreaterThan((0.95 * fleet.clock.now()) / spacingInMs);
  expect(fleet.longestGapInMs).toBeLessThan(3 * operations * spacingInMs);
});
