import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  LroClient,
  OperationStatusesClient,
  RequestError,
  RequestLimiter,
  createPoller,
  fixed,
} from "lro-poller";
import type { PollOptions, RequestResult, RequestLimiterOptions, Schedule } from "lro-poller";
import { createVirtualClock, scriptedOperation } from "lro-poller/testing";
import type { ScriptedReply, VirtualClock } from "lro-poller/testing";
import { RateEstimator } from "../../src/limiter/rate-estimator.ts";
import { simulate } from "../azure/lro/support.ts";
import type { Simulated, SimulatedReply } from "../azure/lro/support.ts";
import { settled } from "../support/rejections.ts";

const accepted: RequestResult = { isThrottled: false };
const throttled: RequestResult = { isThrottled: true };

/** A service whose responses take some time, behind a rate limiter. */
class Service {
  readonly clock = createVirtualClock();
  readonly limiter: RequestLimiter;
  /** The time of each request, and its number in the order of the calls. */
  readonly sent: { readonly at: number; readonly name: number }[] = [];
  inFlight = 0;
  maxInFlight = 0;
  #requestCount = 0;

  constructor(options?: RequestLimiterOptions) {
    this.limiter = new RequestLimiter(this.clock, options);
  }

  get times(): number[] {
    return this.sent.map(({ at }) => at);
  }

  /** Queues a request with this result. Returns a function that withdraws it. */
  request(
    result: RequestResult | (() => RequestResult | undefined) | undefined = accepted,
    latencyInMs = 10,
  ): () => void {
    const name = this.#requestCount++;
    return this.limiter.acquire(() => {
      this.sent.push({ at: this.clock.now(), name });
      this.maxInFlight = Math.max(this.maxInFlight, ++this.inFlight);
      this.clock.setTimer(() => {
        this.inFlight--;
        this.limiter.release(typeof result === "function" ? result() : result);
      }, latencyInMs);
    });
  }

  requestMany(count: number, result?: RequestResult | (() => RequestResult), latencyInMs?: number): void {
    for (let index = 0; index < count; index++) this.request(result, latencyInMs);
  }
}

function gapsOf(times: readonly number[]): number[] {
  return times.slice(1).map((time, index) => time - (times[index] ?? 0));
}

/** The maximum number of times in any window of this length. */
function maxWithin(times: readonly number[], windowInMs: number): number {
  const counts = times.map((from) => times.filter((time) => time >= from && time < from + windowInMs).length);
  return Math.max(0, ...counts);
}

describe("a throttled request", () => {
  test("delays all others until its Retry-After is over", async () => {
    const service = new Service();
    service.request({ isThrottled: true, retryAfterInMs: 30_000 });
    await service.clock.advance(100);
    service.requestMany(3);
    await service.clock.advance(29_900);
    expect(service.times).toEqual([0]);
    await service.clock.advance(10_000);
    expect(service.sent).toHaveLength(4);
    expect(Math.min(...service.times.slice(1))).toBe(30_010);
  });

  test("delays requests that are already queued", async () => {
    const service = new Service({ maxConcurrency: 1 });
    service.requestMany(2, { isThrottled: true, retryAfterInMs: 30_000 });
    await service.clock.advance(60_000);
    expect(service.times).toEqual([0, 30_010]);
  });

  test("with one of two Retry-Afters delays others by the longer, whichever came first", async () => {
    for (const retryAfters of [
      [5000, 30_000],
      [30_000, 5000],
    ]) {
      const service = new Service();
      for (const retryAfterInMs of retryAfters) service.request({ isThrottled: true, retryAfterInMs });
      await service.clock.advance(100);
      service.request();
      await service.clock.advance(60_000);
      expect(service.times).toEqual([0, 0, 30_010]);
    }
  });

  test.each([
    [{}, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]],
    [{ maxRetryDelayInMs: 5000 }, [1000, 2000, 4000, 5000, 5000, 5000, 5000, 5000]],
    [{ maxRetryDelayInMs: 60_000 }, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]],
  ])("without Retry-After delays others by a second, doubled each time, at most %j", async (option, gaps) => {
    const service = new Service({ maxConcurrency: 1 });
    service.requestMany(9, { ...throttled, ...option }, 0);
    await service.clock.advance(300_000);
    expect(gapsOf(service.times)).toEqual(gaps);
  });

  test("with a Retry-After of NaN counts as one without", async () => {
    const service = new Service({ maxConcurrency: 1 });
    service.requestMany(3, { isThrottled: true, retryAfterInMs: NaN }, 0);
    await service.clock.advance(60_000);
    expect(service.times).toEqual([0, 1000, 3000]);
  });

  test("delays others also where requests are further apart than their duration", async () => {
    const service = new Service({ requestsPerMinute: 60 });
    service.requestMany(5, throttled);
    await service.clock.advance(60_000);
    expect(gapsOf(service.times)).toEqual([1010, 2010, 4010, 8010]);
  });

  test("delays others by a second again once a request was accepted", async () => {
    const service = new Service({ maxConcurrency: 1 });
    for (const result of [throttled, throttled, accepted, throttled, accepted]) service.request(result, 0);
    await service.clock.advance(60_000);
    const gaps = gapsOf(service.times);
    expect(gaps.slice(0, 2)).toEqual([1000, 2000]);
    expect(gaps[3]).toBeCloseTo(1000);
  });

  test("slows the rate down once, however many were under way together, and whatever their Retry-After", async () => {
    for (const retryAfterInMs of [undefined, 0, 500]) {
      const service = new Service();
      service.requestMany(64, { isThrottled: true, retryAfterInMs }, 300);
      await service.clock.advance(310);
      service.requestMany(30);
      await service.clock.advance(5000);
      expect(service.sent).toHaveLength(94);
    }
  });

  test("is followed by the others one after the other, at decreasing intervals", async () => {
    const service = new Service();
    // Ten a second, until one is throttled.
    for (let index = 0; index < 20; index++) {
      service.request(index === 19 ? { isThrottled: true, retryAfterInMs: 5000 } : accepted);
      await service.clock.advance(100);
    }
    const before = service.sent.length;
    service.requestMany(1000);
    await service.clock.advance(300_000);
    const times = service.times.slice(before);
    const gaps = gapsOf(times);
    expect(service.sent).toHaveLength(1020);
    expect(times[0]).toBeGreaterThanOrEqual(6900);
    // 19 requests were accepted in seven seconds.
    expect(gaps[0]).toBeCloseTo(6910 / 19 / 0.95, -1);
    expect(gaps).toEqual(gaps.toSorted((a, b) => b - a));
    expect(gaps.at(-1)).toBeLessThan((gaps[0] ?? 0) / 2);
  });

  test.each<[string, RequestResult | undefined]>([
    ["accepted", accepted],
    ["aborted", undefined],
  ])("is different: one that was %s delays no other", async (_, result) => {
    const service = new Service();
    service.request(result);
    await service.clock.advance(100);
    service.requestMany(20);
    expect(service.times).toEqual([0, ...Array.from({ length: 20 }, () => 100)]);
  });
});

describe("a rate limit header", () => {
  const withRemaining = (remaining: number, resetInMs = 60_000): RequestResult => ({
    isThrottled: false,
    rateLimit: { remaining, resetInMs },
  });

  test("stretches intervals by the grant of a whole window, however little remains, and by nothing before", async () => {
    const service = new Service();
    service.limiter.changeDemand(0.1);
    service.request(withRemaining(0));
    await service.clock.advance(20);
    expect(service.limiter.stretch).toBe(1);
    await service.clock.advance(60_000);
    service.request(withRemaining(300));
    service.request(withRemaining(2, 30_000));
    await service.clock.advance(20);
    // A hundred polls a second where five are granted, less the share that keeps the queue from running dry.
    expect(service.limiter.stretch).toBeCloseTo(17);
  });

  test("changes nothing while plenty remains", async () => {
    const service = new Service();
    service.request(withRemaining(300));
    service.request(withRemaining(200));
    await service.clock.advance(100);
    service.requestMany(20);
    expect(maxWithin(service.times.slice(2), 1)).toBe(20);
  });

  test("spreads the remaining requests over the rest of the window", async () => {
    let remaining = 100;
    const service = new Service({ maxConcurrency: 8 });
    const endsAt = 60_000;
    const respond = (): RequestResult => {
      expect(remaining).toBeGreaterThan(0);
      return withRemaining(--remaining, endsAt - service.clock.now());
    };
    service.requestMany(400, respond, 1);
    await service.clock.advance(endsAt - 1);
    expect(remaining).toBeLessThan(30);
    expect(Math.max(...gapsOf(service.times).slice(58))).toBeGreaterThan(500);
  });

  test("no longer counts in the next window", async () => {
    const service = new Service();
    service.request(withRemaining(300));
    service.request(withRemaining(10, 20_000));
    await service.clock.advance(20_010);
    service.requestMany(40);
    await service.clock.advance(20);
    expect(service.sent).toHaveLength(42);
  });

  test.each([
    ["the first response", [0]],
    ["a later one", [300, 0]],
  ])("stops all requests until the next window when %s says that none remain", async (_, remainingCounts) => {
    const service = new Service();
    for (const remaining of remainingCounts) service.request(withRemaining(remaining, 20_000));
    await service.clock.advance(100);
    service.requestMany(40);
    await service.clock.advance(20_000);
    expect(service.times.slice(remainingCounts.length)).toEqual(Array.from({ length: 40 }, () => 20_010));
  });

  test("never stops requests for more than a minute", async () => {
    const service = new Service();
    service.request(withRemaining(0, 86_400_000));
    await service.clock.advance(100);
    service.requestMany(3);
    await service.clock.advance(300_000);
    expect(service.times).toEqual([0, 60_010, 120_010, 180_010]);
  });
});

describe("maxConcurrency", () => {
  test("is never exceeded, and fully used", async () => {
    const options = fc.record({
      maxConcurrency: fc.integer({ min: 1, max: 8 }),
      latencies: fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 10, maxLength: 60 }),
    });
    await fc.assert(
      fc.asyncProperty(options, async ({ maxConcurrency, latencies }) => {
        const service = new Service({ maxConcurrency });
        for (const latencyInMs of latencies) service.request(accepted, latencyInMs);
        await service.clock.advance(60_000);
        expect(service.maxInFlight).toBe(maxConcurrency);
        expect(service.sent).toHaveLength(latencies.length);
      }),
    );
  });

  test("starts the next request as soon as one is aborted", async () => {
    const service = new Service({ maxConcurrency: 1 });
    service.limiter.acquire(() => {});
    service.request();
    await service.clock.advance(1000);
    expect(service.sent).toHaveLength(0);
    service.limiter.release(undefined);
    expect(service.times).toEqual([1000]);
  });
});

describe("queued requests", () => {
  const load = fc.record({
    maxConcurrency: fc.integer({ min: 1, max: 5 }),
    requestsPerMinute: fc.constantFrom(30, 600, Infinity),
    requests: fc.array(
      fc.record({
        afterInMs: fc.nat({ max: 400 }),
        latencyInMs: fc.nat({ max: 400 }),
        isThrottled: fc.boolean(),
        isWithdrawn: fc.boolean(),
      }),
      { minLength: 1, maxLength: 30 },
    ),
  });

  test("all start, in their order, except those that were withdrawn", async () => {
    await fc.assert(
      fc.asyncProperty(load, async ({ requests, ...options }) => {
        const service = new Service(options);
        const withdrawn = new Set<number>();
        for (const [name, { afterInMs, latencyInMs, isThrottled, isWithdrawn }] of requests.entries()) {
          await service.clock.advance(afterInMs);
          const withdraw = service.request({ isThrottled }, latencyInMs);
          const isQueued = service.sent.at(-1)?.name !== name;
          if (isWithdrawn) withdraw();
          if (isWithdrawn && isQueued) withdrawn.add(name);
        }
        await service.clock.advance(3_600_000);
        const names = service.sent.map(({ name }) => name);
        expect(names).toEqual([...requests.keys()].filter((name) => !withdrawn.has(name)));
        expect(service.clock.pendingTimers).toBe(0);
      }),
    );
  });

  test("that are withdrawn delay no other, and leave no timer", async () => {
    const service = new Service();
    service.request({ isThrottled: true, retryAfterInMs: 60_000 });
    await service.clock.advance(100);
    const withdrawals = [service.request(), service.request(), service.request()];
    for (const withdraw of withdrawals) withdraw();
    expect(service.clock.pendingTimers).toBe(0);
    service.request();
    await service.clock.advance(60_000);
    expect(service.times).toEqual([0, 60_010]);
  });

  test("may queue another request while they start", () => {
    const service = new Service({ maxConcurrency: 3 });
    const order: string[] = [];
    service.limiter.acquire(() => {
      order.push("first");
      service.limiter.acquire(() => order.push("third"));
    });
    service.limiter.acquire(() => order.push("second"));
    expect(order).toEqual(["first", "third", "second"]);
  });

  test("all start in their order, when there are many thousand", async () => {
    const service = new Service({ maxConcurrency: 10 });
    service.requestMany(5000);
    await service.clock.advance(10_000);
    expect(service.sent.map(({ name }) => name)).toEqual(Array.from({ length: 5000 }, (_, name) => name));
  });
});

describe("requestsPerMinute", () => {
  test("is never exceeded in any minute, and fully used", async () => {
    const load = fc.record({
      requestsPerMinute: fc.integer({ min: 1, max: 200 }),
      afters: fc.array(fc.integer({ min: 0, max: 5000 }), { minLength: 1, maxLength: 100 }),
    });
    await fc.assert(
      fc.asyncProperty(load, async ({ requestsPerMinute, afters }) => {
        const service = new Service({ requestsPerMinute });
        for (const afterInMs of afters) {
          await service.clock.advance(afterInMs);
          service.request();
        }
        await service.clock.advance((60_000 * afters.length) / requestsPerMinute);
        expect(service.sent).toHaveLength(afters.length);
        // A millionth of a millisecond for the rounding of sums.
        expect(maxWithin(service.times, 60_000 - 1e-6)).toBeLessThanOrEqual(requestsPerMinute);
      }),
      { numRuns: 50 },
    );
  });

  test.each([
    [{ requestsPerMinute: 0 }, /^requestsPerMinute: /],
    [{ requestsPerMinute: NaN }, /^requestsPerMinute: /],
    [{ maxConcurrency: 0 }, /^maxConcurrency: /],
    [{ maxConcurrency: 1.5 }, /^maxConcurrency: /],
  ])("or maxConcurrency that is invalid is rejected by name: %j", (options, message) => {
    expect(() => new RequestLimiter(createVirtualClock(), options)).toThrow(message);
  });
});

/** An operation that never ends and uses a rate limiter. */
function running(limiter: RequestLimiter, clock: VirtualClock, replies: readonly ScriptedReply[] = []) {
  const endless = Array.from({ length: 500 }, (): ScriptedReply => "Running");
  const scripted = scriptedOperation([...replies, ...endless], { clock });
  return Object.assign(scripted, { limiterFor: () => limiter });
}

describe("pollers that share a rate limiter", () => {
  const options = (clock: VirtualClock): PollOptions => ({ clock, schedule: fixed(1000), random: () => 0 });

  test.each([200, 500, 2000])(
    "and start at the same time, %i of them, spread their first polls",
    async (count) => {
      const { clock, limiter } = new Service();
      const controller = new AbortController();
      const operations = Array.from({ length: count }, () => running(limiter, clock));
      const pollers = operations.map((operation) =>
        createPoller(operation, {
          ...options(clock),
          schedule: fixed(3_600_000),
          abortSignal: controller.signal,
        }),
      );
      const ends = pollers.map((poller) => settled(poller.pollUntilDone()));
      await clock.advance(60_000);
      const times = operations.flatMap(({ polls }) => polls.map(({ startedAt = NaN }) => startedAt));
      expect(times).toHaveLength(count);
      expect(maxWithin(times, 50) / count).toBeLessThanOrEqual(count < 500 ? 0.06 : 0.05);
      controller.abort("enough");
      await Promise.all(ends);
      expect(clock.pendingTimers).toBe(0);
    },
  );

  test("are all delayed when one of them is throttled", async () => {
    const { clock, limiter } = new Service();
    const controller = new AbortController();
    const tooMany = new RequestError("HTTP 429", {
      kind: "transient",
      isThrottled: true,
      retryAfterInMs: 20_000,
    });
    const one = running(limiter, clock, ["Running", tooMany]);
    const other = running(limiter, clock);
    for (const operation of [one, other]) {
      const poller = createPoller(operation, { ...options(clock), abortSignal: controller.signal });
      void settled(poller.pollUntilDone());
    }
    await clock.advance(22_000);
    const afterwards = [one, other].map(({ polls }) => polls.find(({ startedAt = 0 }) => startedAt > 1100));
    const times = afterwards.map((poll) => poll?.startedAt ?? Infinity);
    expect(Math.min(...times)).toBe(21_000);
    expect(Math.max(...times)).toBeLessThan(22_000);
    controller.abort("enough");
    expect(clock.pendingTimers).toBe(0);
  });

  test("wait no longer after a 429 without Retry-After than the maxRetryDelayInMs of the one that got it", async () => {
    const { clock, limiter } = new Service();
    const controller = new AbortController();
    const tooMany = new RequestError("HTTP 429", { kind: "transient", isThrottled: true });
    const tooManies = Array.from({ length: 7 }, () => tooMany);
    const one = running(limiter, clock, tooManies);
    const poller = createPoller(one, {
      ...options(clock),
      maxRetryDelayInMs: 5000,
      abortSignal: controller.signal,
    });
    void settled(poller.pollUntilDone());
    await clock.advance(60_000);
    const gaps = gapsOf(one.polls.map(({ startedAt = NaN }) => startedAt));
    expect(gaps.slice(0, 7)).toEqual([1000, 2000, 4000, 5000, 5000, 5000, 5000]);
    controller.abort("enough");
  });

  test("that are aborted while all are throttled leave no timer", async () => {
    const { clock, limiter } = new Service();
    const controller = new AbortController();
    limiter.acquire(() => {});
    limiter.release({ isThrottled: true, retryAfterInMs: 3_600_000 });
    const operation = running(limiter, clock);
    const wait = settled(
      createPoller(operation, options(clock)).pollUntilDone({ abortSignal: controller.signal }),
    );
    await clock.advance(1000);
    controller.abort("enough");
    expect(await wait).toBe("enough");
    expect(clock.pendingTimers).toBe(0);
    expect(operation.polls).toHaveLength(0);
  });

  test("time out on time while all are throttled", async () => {
    const { clock, limiter } = new Service();
    limiter.acquire(() => {});
    limiter.release({ isThrottled: true, retryAfterInMs: 3_600_000 });
    const poller = createPoller(running(limiter, clock), { ...options(clock), timeoutInMs: 5000 });
    const end = await clock.runUntilSettled(settled(poller.pollUntilDone()));
    expect(end).toMatchObject({ name: "PollingTimeoutError" });
    expect(clock.now()).toBe(5000);
    expect(clock.pendingTimers).toBe(0);
  });

  test("poll less often by the same factor when their demand is too high, and none starves", async () => {
    const { clock, limiter } = new Service({ requestsPerMinute: 60 });
    const controller = new AbortController();
    const operations = Array.from({ length: 20 }, () => running(limiter, clock));
    const pollers = operations.map((operation) =>
      createPoller(operation, { ...options(clock), abortSignal: controller.signal }),
    );
    const ends = pollers.map((poller) => settled(poller.pollUntilDone()));
    await clock.advance(600_000);
    // Twenty times the rate, less the share that keeps the queue from running dry.
    expect(limiter.stretch).toBeCloseTo(17);
    const counts = operations.map(({ polls }) => polls.length);
    expect(Math.max(...counts)).toBeLessThanOrEqual(2 * Math.min(...counts));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(400);
    controller.abort("enough");
    await Promise.all(ends);
    expect(limiter.stretch).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });
});

test("an outage does not stretch the intervals of pollers that share a rate limiter", async () => {
  const { clock, limiter } = new Service({ requestsPerMinute: 60 });
  const controller = new AbortController();
  const down = new RequestError("HTTP 500", { kind: "transient" });
  const replies = Array.from({ length: 5 }, () => down);
  const ends = Array.from({ length: 20 }, () => {
    const operation = running(limiter, clock, replies);
    const options = { clock, schedule: fixed(1000), random: () => 0, abortSignal: controller.signal };
    return settled(createPoller(operation, options).pollUntilDone());
  });
  let maxStretch = 0;
  for (let passed = 0; passed < 120_000; passed += 1000) {
    await clock.advance(1000);
    maxStretch = Math.max(maxStretch, limiter.stretch);
  }
  // Twenty that poll once a second where one may.
  expect(maxStretch).toBeLessThanOrEqual(20);
  controller.abort();
  await Promise.all(ends);
});

describe("poll() behind a rate limiter", () => {
  /** A poller whose rate limiter is throttled for this long, or has its one slot in use. */
  function throttledPoller(retryAfterInMs?: number) {
    const { clock, limiter } = new Service({ maxConcurrency: 1 });
    limiter.acquire(() => {});
    if (retryAfterInMs !== undefined) limiter.release({ isThrottled: true, retryAfterInMs });
    const operation = running(limiter, clock);
    const poller = createPoller(operation, { clock, schedule: fixed(1000), random: () => 0 });
    return { clock, limiter, operation, poller };
  }

  test.each([
    [3_600_000, 3_600_000, 3600],
    [1e300, 86_400_000, 86_400],
  ])(
    "rejects at once when the service accepts no request for longer than requestTimeoutInMs",
    async (retryAfterInMs, throttledForInMs, seconds) => {
      const { clock, operation, poller } = throttledPoller(retryAfterInMs);
      const failure = await clock.runUntilSettled(settled(poller.poll()));
      expect(failure).toMatchObject({
        name: "PollingError",
        code: "Throttled",
        message: expect.stringContaining(`the service accepts no request for ${seconds} s`),
        cause: { retryAfterInMs: throttledForInMs },
      });
      expect([clock.now(), clock.pendingTimers, operation.polls.length]).toEqual([0, 0, 0]);
    },
  );

  test("waits for the end of a shorter Retry-After", async () => {
    const { clock, poller } = throttledPoller(20_000);
    expect(await clock.runUntilSettled(poller.poll())).toMatchObject({ status: "Running" });
    expect([clock.now(), clock.pendingTimers]).toEqual([20_000, 0]);
  });

  test("rejects when others come first for as long as requestTimeoutInMs", async () => {
    const { clock, limiter, operation, poller } = throttledPoller();
    const failure = await clock.runUntilSettled(settled(poller.poll()));
    expect(failure).toMatchObject({
      code: "Throttled",
      message: expect.stringContaining("not sent, because other requests came first for 30000 ms."),
    });
    expect([clock.now(), clock.pendingTimers]).toEqual([30_000, 0]);
    limiter.release(undefined);
    await clock.advance(60_000);
    expect(operation.polls).toHaveLength(0);
    expect(await poller.poll()).toMatchObject({ status: "Running" });
  });

  test("gets its turn and its response within that time, not each of them", async () => {
    const { clock, limiter } = throttledPoller(20_000);
    const operation = running(limiter, clock, [() => new Promise(() => {})]);
    const poller = createPoller(operation, { clock });
    const failure = await clock.runUntilSettled(settled(poller.poll()));
    expect(failure).toMatchObject({ code: "RequestTimeout" });
    expect([clock.now(), operation.polls.length]).toEqual([30_000, 1]);
  });

  test("that rejects does not affect pollUntilDone()", async () => {
    const { clock, limiter, operation, poller } = throttledPoller();
    const controller = new AbortController();
    const wait = settled(poller.pollUntilDone({ abortSignal: controller.signal }));
    expect(await clock.runUntilSettled(settled(poller.poll()))).toMatchObject({ code: "Throttled" });
    limiter.release(undefined);
    await clock.advance(0);
    expect(operation.polls).toHaveLength(1);
    controller.abort("enough");
    expect(await wait).toBe("enough");
    expect(clock.pendingTimers).toBe(0);
  });

  test("rejects at once when it is aborted, and leaves nothing behind", async () => {
    const { clock, poller } = throttledPoller();
    const controller = new AbortController();
    const poll = settled(poller.poll({ abortSignal: controller.signal }));
    await clock.advance(1000);
    controller.abort("enough");
    expect(await poll).toBe("enough");
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("a client's operations", () => {
  const ids = ["fa067167-e49d-41bd-8dd8-de719b9de3b3", "0b067167-e49d-41bd-8dd8-de719b9de3b3"] as const;
  const runningOne = (name: string): Exclude<Simulated, Error> => ({
    status: 200,
    body: { id: `/operationstatuses/${name}`, name, status: "Running" },
  });
  const runningStatus: SimulatedReply = ({ url }) =>
    runningOne(/operationstatuses\/([^?]+)/.exec(url)?.[1] ?? "7");

  test.each([429, 503])("are all delayed by one %i, however they were started", async (status) => {
    const service = simulate(
      { status, headers: { "retry-after": "20" } },
      { status: 202, headers: { "operation-location": "/operations/7" } },
      ...Array.from({ length: 20 }, () => runningStatus),
    );
    const { clock, httpClient } = service;
    const client = new OperationStatusesClient("https://dev.devcenter.azure.com", undefined, { httpClient });
    const controller = new AbortController();
    const options = { clock, schedule: fixed(60_000), random: () => 0, abortSignal: controller.signal };
    const wait = (id: string): Promise<unknown> =>
      settled(createPoller(client.operation("myProject", id), options).pollUntilDone());
    const ends = [wait(ids[0])];
    await clock.advance(100);
    ends.push(wait(ids[1]));
    const started = client.startOperation(
      { method: "POST", url: "/boxes/b1" },
      { ...options, schedule: fixed(1000), allowedOrigins: ["https://gateway.example"] },
    );
    ends.push(settled(started.pollUntilDone()));
    await clock.advance(19_000);
    expect(service.requestLog.map(([, request]) => request.split("?")[0])).toEqual([
      `GET /projects/myProject/operationstatuses/${ids[0]}`,
      "POST /boxes/b1",
    ]);
    await clock.advance(10_000);
    const later = service.requestLog.slice(2);
    expect(Math.min(...later.map(([time]) => time))).toBe(20_000);
    expect(new Set(later.map(([, request]) => request.split("?")[0]))).toEqual(
      new Set([...ids.map((id) => `GET /projects/myProject/operationstatuses/${id}`), "GET /operations/7"]),
    );
    controller.abort("enough");
    await Promise.all(ends);
    expect(clock.pendingTimers).toBe(0);
  });

  /** A service with two hosts. Each request to the first one gets a 429 from the given one on. */
  function twoHosts(throttledFrom: number) {
    let received = 0;
    const reply: SimulatedReply = ({ url }) => {
      const isFirst = url.startsWith("https://management.azure.com/");
      if (isFirst && ++received >= throttledFrom) return { status: 429, headers: { "retry-after": "600" } };
      return url.includes("/start")
        ? {
            status: 202,
            headers: { "azure-asyncoperation": `https://west.management.azure.com/operations/1` },
          }
        : { status: 200, body: { status: "InProgress" } };
    };
    return simulate(...Array.from({ length: 400 }, () => reply));
  }

  test("of another origin are not delayed by a 429", async () => {
    const { clock, httpClient, requestLog } = twoHosts(1);
    const client = new LroClient("https://management.azure.com", undefined, { httpClient });
    const controller = new AbortController();
    const options = { clock, schedule: fixed(1000), random: () => 0, abortSignal: controller.signal };
    const ends = ["", "https://west.management.azure.com"].map((host) =>
      settled(createPoller(client.operationAt(`${host}/operations/1`), options).pollUntilDone()),
    );
    await clock.advance(100_000);
    // The one of the first origin, and one a second of the other.
    expect(requestLog.length).toBeGreaterThan(90);
    controller.abort("enough");
    await Promise.all(ends);
    expect(clock.pendingTimers).toBe(0);
  });

  test("wait for the origin to which a response leads them", async () => {
    const { clock, httpClient, requestLog } = twoHosts(2);
    const client = new LroClient("https://management.azure.com", undefined, { httpClient });
    const controller = new AbortController();
    const options = { clock, schedule: fixed(1000), random: () => 0, abortSignal: controller.signal };
    const started = client.startOperation({ method: "POST", url: "/start" }, options);
    const ends = [settled(started.pollUntilDone())];
    await clock.advance(10_000);
    const before = requestLog.length;
    ends.push(settled(createPoller(client.operationAt("/operations/2"), options).pollUntilDone()));
    await clock.advance(50_000);
    expect(requestLog.length - before).toBeGreaterThan(45);
    controller.abort("enough");
    await Promise.all(ends);
    expect(clock.pendingTimers).toBe(0);
  });

  test.each([408, 500, 502])("are not delayed by one %i", async (status) => {
    const service = simulate({ status, headers: { "retry-after": "20" } }, runningStatus);
    const { clock, httpClient } = service;
    const client = new OperationStatusesClient("https://dev.devcenter.azure.com", undefined, { httpClient });
    const [first, second] = ids.map((id) => createPoller(client.operation("myProject", id), { clock }));
    if (first) await settled(first.poll());
    expect((await second?.poll())?.status).toBe("Running");
  });

  test("are not stopped by a schedule of one of them that returns next to nothing once", async () => {
    const service = simulate(...Array.from({ length: 12 }, () => runningOne(ids[0])));
    const { clock, httpClient } = service;
    const client = new OperationStatusesClient("https://dev.devcenter.azure.com", undefined, { httpClient });
    const hasty: Schedule = ({ pollCount }) => (pollCount === 1 ? Number.MIN_VALUE : 1000);
    for (const schedule of [hasty, fixed(1000)]) {
      const poller = createPoller(client.operation("myProject", ids[0]), {
        clock,
        schedule,
        random: () => 0,
      });
      void settled(poller.pollUntilDone());
    }
    await clock.advance(2500);
    expect(service.requestLog).toHaveLength(7);
  });

  test.each([["x-rate-limit-remaining"], ["x-ms-ratelimit-remaining-subscription-reads"]])(
    "slow down when %s says that few requests remain",
    async (name) => {
      const reset = {
        date: "Wed, 01 Jan 2025 00:00:00 GMT",
        "x-rate-limit-reset": "Wed, 01 Jan 2025 00:01:00 GMT",
      };
      const withRemaining = (remaining: number): SimulatedReply => ({
        ...runningOne(ids[0]),
        headers: { ...reset, [name]: String(remaining) },
      });
      const service = simulate(withRemaining(300), withRemaining(6), withRemaining(5), withRemaining(5));
      const { clock, httpClient } = service;
      const client = new OperationStatusesClient("https://dev.devcenter.azure.com", undefined, {
        httpClient,
      });
      const poller = createPoller(client.operation("myProject", ids[0]), { clock });
      for (let poll = 0; poll < 4; poll++) await clock.runUntilSettled(poller.poll());
      expect(service.requestLog.map(([time]) => time)).toEqual([0, 0, 0, 10_000]);
    },
  );

  test("wait a second when no request remains until a time within this second", async () => {
    const now = "Wed, 01 Jan 2025 00:00:00 GMT";
    const headers = { date: now, "x-rate-limit-reset": now, "x-rate-limit-remaining": "0" };
    const service = simulate({ ...runningOne(ids[0]), headers }, runningStatus);
    const { clock, httpClient } = service;
    const client = new OperationStatusesClient("https://dev.devcenter.azure.com", undefined, { httpClient });
    const poller = createPoller(client.operation("myProject", ids[0]), { clock });
    for (let poll = 0; poll < 2; poll++) await clock.runUntilSettled(poller.poll());
    expect(service.requestLog.map(([time]) => time)).toEqual([0, 1000]);
  });

  test("are polled while many initial requests are still under way", async () => {
    const pending = (): Promise<Simulated> => new Promise(() => {});
    const service = simulate(...Array.from({ length: 200 }, () => pending), runningStatus);
    const { clock, httpClient } = service;
    const client = new OperationStatusesClient("https://dev.devcenter.azure.com", undefined, { httpClient });
    const controller = new AbortController();
    const options = { clock, abortSignal: controller.signal };
    const ends = Array.from({ length: 200 }, (_, index) =>
      settled(client.startOperation({ method: "PUT", url: `/boxes/${index}` }, options).pollUntilDone()),
    );
    await clock.advance(20_000);
    const poller = createPoller(client.operation("myProject", ids[0]), options);
    ends.push(settled(poller.poll()));
    await clock.advance(0);
    expect(poller.status).toBe("Running");
    controller.abort("enough");
    await Promise.all(ends);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("the rate estimator", () => {
  const times = fc.array(fc.nat({ max: 30_000 }), { minLength: 1, maxLength: 60 });

  /** Counts so many accepted requests at the same interval. Returns the time of the next. */
  function accept(estimator: RateEstimator, count: number, gapInMs: number, from = 0): number {
    for (let sent = 0; sent < count; sent++) estimator.record(from + sent * gapInMs, accepted);
    return from + count * gapInMs;
  }

  test("has no interval until the service has shown one", () => {
    const estimator = new RateEstimator();
    accept(estimator, 9000, 7);
    expect(estimator.intervalInMs(63_000)).toBe(0);
  });

  test("after a 429 spreads as many requests as were accepted over the whole time until the next", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 10, max: 500 }),
        fc.integer({ min: 1, max: 100 }),
        // A longer wait teaches nothing.
        fc.integer({ min: 1, max: 120 }),
        (count, gapInMs, waitInS) => {
          const estimator = new RateEstimator();
          const now = accept(estimator, count, gapInMs);
          const until = now + 1000 * waitInS;
          estimator.record(now, { ...throttled, retryAfterInMs: until - now });
          const learned = Math.min(until / count, 1000) / 0.95;
          expect(estimator.intervalInMs(until)).toBeCloseTo(learned < 1 ? 0 : learned);
          const later = [1, 5, 20, 60, 300, 1200].map((s) => estimator.intervalInMs(until + 1000 * s));
          expect([learned, ...later]).toEqual([learned, ...later].toSorted((a, b) => b - a));
          expect(later.at(-1)).toBe(0);
        },
      ),
    );
  });

  test.each([
    ["a 503", { ...throttled, statusCode: 503, retryAfterInMs: 60_000 }],
    ["a 429 that asks for an hour", { ...throttled, retryAfterInMs: 3_600_000 }],
  ])("learns no rate from %s", (_, result) => {
    const estimator = new RateEstimator();
    const now = accept(estimator, 300, 10);
    estimator.record(now, result);
    expect(estimator.throttledUntil).toBe(now + result.retryAfterInMs);
    expect(estimator.intervalInMs(estimator.throttledUntil)).toBe(0);
  });

  test("keeps a rate while nothing is sent, and nearly so for a minute afterwards", () => {
    const estimator = new RateEstimator();
    const now = accept(estimator, 300, 10);
    estimator.record(now, { ...throttled, retryAfterInMs: 57_000 });
    expect(estimator.intervalInMs(now)).toBeCloseTo(210.5, 1);
    expect(estimator.intervalInMs(60_000)).toBeCloseTo(210.5, 1);
    expect(estimator.intervalInMs(120_000)).toBeCloseTo(202.3, 1);
  });

  test("measures a burst by itself, also after an hour of a poll a second", () => {
    const estimator = new RateEstimator();
    const start = accept(estimator, 3600, 1000);
    const now = accept(estimator, 300, 10, start);
    estimator.record(now, { ...throttled, retryAfterInMs: 57_000 });
    expect(60_000 / estimator.intervalInMs(now)).toBeGreaterThan(150);
    expect(60_000 / estimator.intervalInMs(now)).toBeLessThan(300);
  });

  test("falls once for many 429s without a response between them, by what the whole wait has shown", () => {
    const estimator = new RateEstimator();
    const now = accept(estimator, 300, 10);
    for (const at of [3000, 4000, 6000, 10_000, 18_000, 34_000]) estimator.record(at, throttled);
    expect(estimator.throttledUntil).toBe(64_000);
    expect(estimator.intervalInMs(now)).toBeCloseTo(64_000 / 300 / 0.95);
  });

  test("is no slower than ten a second after a 429 that nearly no request came before, and falls if more follow", () => {
    const estimator = new RateEstimator();
    const intervals: number[] = [];
    for (let now = 0; intervals.length < 8; now += 60_000) {
      estimator.record(now, accepted);
      estimator.record(now + 1000, { ...throttled, retryAfterInMs: 59_000 });
      intervals.push(estimator.intervalInMs(now + 60_000));
    }
    expect(intervals[0]).toBeCloseTo(100 / 0.95);
    expect(intervals[1]).toBeCloseTo(100 / 0.95 / 0.7 / 0.95);
    expect(intervals.at(-1)).toBeGreaterThan(1000);
  });

  test("returns a finite interval of at most a minute, whatever the input", () => {
    const number = fc.oneof(
      { weight: 5, arbitrary: fc.nat() },
      fc.constantFrom(NaN, -1, Infinity, -Infinity),
    );
    const event = fc.oneof(
      fc.constant("count" as const),
      fc.constant("slowDown" as const),
      fc.record({ remaining: number, resetInMs: number }),
    );
    fc.assert(
      fc.property(times, fc.array(event), (gaps, events) => {
        const estimator = new RateEstimator();
        let now = 0;
        for (const [index, input] of events.entries()) {
          now += gaps[index % gaps.length] ?? 0;
          if (input === "count") estimator.record(now, accepted);
          else if (input === "slowDown") estimator.record(now, { ...throttled, retryAfterInMs: gaps[0] });
          else estimator.record(now, { ...accepted, rateLimit: input });
          for (const intervalInMs of [estimator.intervalInMs(now), estimator.sustainedIntervalInMs(now)]) {
            expect(intervalInMs).toBeGreaterThanOrEqual(0);
            expect(intervalInMs).toBeLessThanOrEqual(60_000);
          }
        }
      }),
    );
  });
});

describe("requests whose starts take time", () => {
  /** Starts each request at once in one turn of the event loop, and returns how many there were before the next turn. */
  function startedInTurn(
    startInMs: number,
    betweenInMs = 0,
  ): { readonly first: number; readonly all: number } {
    const turns: (() => void)[] = [];
    let now = 0;
    const clock = {
      now: () => now,
      timestamp: () => now,
      setTimer(callback: () => void) {
        turns.push(callback);
        return () => {};
      },
    };
    const limiter = new RequestLimiter(clock, { maxConcurrency: 40 });
    let count = 0;
    for (let index = 0; index < 40; index++) {
      now += betweenInMs;
      limiter.acquire(() => {
        count++;
        now += startInMs;
      });
    }
    const first = count;
    while (turns.length > 0) for (const turn of turns.splice(0)) turn();
    return { first, all: count };
  }

  test("leave the event loop its turn after sixteen", () => {
    expect(startedInTurn(0.2)).toEqual({ first: 16, all: 40 });
  });

  test("have no pause where they take none, or come now and then", () => {
    expect(startedInTurn(0)).toEqual({ first: 40, all: 40 });
    expect(startedInTurn(0, 100)).toEqual({ first: 40, all: 40 });
  });
});
