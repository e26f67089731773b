import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OperationStatusesClient, RequestError, RequestLimiter, createPoller, fixed } from "lro-poller";
import type { PollOptions, RequestResult, RequestLimiterOptions, Schedule } from "lro-poller";
import { createVirtualClock, scriptedOperation } from "lro-poller/testing";
import type { ScriptedReply, VirtualClock } from "lro-poller/testing";
import { RateEstimator } from "../../src/limiter/rate-estimator.ts";
import { simulate } from "../azure/lro/support.ts";
import type { Simulated, SimulatedReply } from "../azure/lro/support.ts";
import { ending } from "../support/rejections.ts";

const accepted: RequestResult = { isThrottled: false };
const throttled: RequestResult = { isThrottled: true };

/** A service whose answers take their time, and those who ask it within a budget. */
class Service {
  readonly clock = createVirtualClock();
  readonly budget: RequestLimiter;
  /** When which request was sent. */
  readonly sent: { readonly at: number; readonly name: number }[] = [];
  inFlight = 0;
  mostInFlight = 0;
  #applicants = 0;

  constructor(options?: RequestLimiterOptions) {
    this.budget = new RequestLimiter(this.clock, options);
  }

  get times(): number[] {
    return this.sent.map(({ at }) => at);
  }

  /** Applies for a request that is answered so; returns how to withdraw. */
  ask(
    receipt: RequestResult | (() => RequestResult | undefined) | undefined = accepted,
    latencyInMs = 10,
  ): () => void {
    const name = this.#applicants++;
    return this.budget.acquire(() => {
      this.sent.push({ at: this.clock.now(), name });
      this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight);
      this.clock.setTimer(() => {
        this.inFlight--;
        this.budget.release(typeof receipt === "function" ? receipt() : receipt);
      }, latencyInMs);
    });
  }

  askMany(count: number, receipt?: RequestResult | (() => RequestResult), latencyInMs?: number): void {
    for (let asked = 0; asked < count; asked++) this.ask(receipt, latencyInMs);
  }
}

function gapsOf(times: readonly number[]): number[] {
  return times.slice(1).map((time, index) => time - (times[index] ?? 0));
}

/** The most that any window of this length holds. */
function mostWithin(times: readonly number[], windowInMs: number): number {
  const counts = times.map((from) => times.filter((time) => time >= from && time < from + windowInMs).length);
  return Math.max(0, ...counts);
}

describe("a request that is refused as one too many", () => {
  test("holds back all others until its Retry-After is over", async () => {
    const service = new Service();
    service.ask({ isThrottled: true, retryAfterInMs: 30_000 });
    await service.clock.advance(100);
    service.askMany(3);
    await service.clock.advance(29_900);
    expect(service.times).toEqual([0]);
    await service.clock.advance(10_000);
    expect(service.sent).toHaveLength(4);
    expect(Math.min(...service.times.slice(1))).toBe(30_010);
  });

  test("holds back those that wait in the queue already", async () => {
    const service = new Service({ maxConcurrency: 1 });
    service.askMany(2, { isThrottled: true, retryAfterInMs: 30_000 });
    await service.clock.advance(60_000);
    expect(service.times).toEqual([0, 30_010]);
  });

  test("of two Retry-Afters obeys the longer, whichever came first", async () => {
    for (const retryAfters of [
      [5000, 30_000],
      [30_000, 5000],
    ]) {
      const service = new Service();
      for (const retryAfterInMs of retryAfters) service.ask({ isThrottled: true, retryAfterInMs });
      await service.clock.advance(100);
      service.ask();
      await service.clock.advance(60_000);
      expect(service.times).toEqual([0, 0, 30_010]);
    }
  });

  test("without Retry-After holds back for a second, then twice as long each time, to a minute", async () => {
    const service = new Service({ maxConcurrency: 1 });
    service.askMany(9, throttled, 0);
    await service.clock.advance(300_000);
    expect(gapsOf(service.times)).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
  });

  test("with a Retry-After that is no number counts as one without", async () => {
    const service = new Service({ maxConcurrency: 1 });
    service.askMany(3, { isThrottled: true, retryAfterInMs: NaN }, 0);
    await service.clock.advance(60_000);
    expect(service.times).toEqual([0, 1000, 3000]);
  });

  test("is heeded though requests are spaced wider than they take", async () => {
    const service = new Service({ requestsPerMinute: 60 });
    service.askMany(5, throttled);
    await service.clock.advance(60_000);
    expect(gapsOf(service.times)).toEqual([1010, 2010, 4010, 8010]);
  });

  test("begins again at a second once a request was taken", async () => {
    const service = new Service({ maxConcurrency: 1 });
    for (const receipt of [throttled, throttled, accepted, throttled, accepted]) service.ask(receipt, 0);
    await service.clock.advance(60_000);
    const gaps = gapsOf(service.times);
    expect(gaps.slice(0, 2)).toEqual([1000, 2000]);
    expect(gaps[3]).toBeCloseTo(1000);
  });

  test("is one lesson, however many were under way together, and whatever their Retry-After", async () => {
    for (const retryAfterInMs of [undefined, 0, 500]) {
      const service = new Service();
      service.askMany(64, { isThrottled: true, retryAfterInMs }, 300);
      await service.clock.advance(310);
      service.askMany(30);
      await service.clock.advance(5000);
      expect(service.sent).toHaveLength(94);
    }
  });

  test("is followed by the others one after the other, ever closer together", async () => {
    const service = new Service();
    // Ten a second, until it is too much.
    for (let asked = 0; asked < 20; asked++) {
      service.ask(asked === 19 ? { isThrottled: true, retryAfterInMs: 5000 } : accepted);
      await service.clock.advance(100);
    }
    const before = service.sent.length;
    service.askMany(500);
    await service.clock.advance(120_000);
    const times = service.times.slice(before);
    const gaps = gapsOf(times);
    expect(service.sent).toHaveLength(520);
    expect(times[0]).toBeGreaterThanOrEqual(6900);
    expect(gaps[0]).toBeGreaterThan(100);
    expect(gaps).toEqual(gaps.toSorted((a, b) => b - a));
    expect(gaps.at(-1)).toBeLessThan((gaps[0] ?? 0) / 2);
  });

  test.each<[string, RequestResult | undefined]>([
    ["taken", accepted],
    ["called off", undefined],
  ])("is no other: one that was %s holds nobody back", async (_, receipt) => {
    const service = new Service();
    service.ask(receipt);
    await service.clock.advance(100);
    service.askMany(20);
    expect(service.times).toEqual([0, ...Array.from({ length: 20 }, () => 100)]);
  });
});

describe("what the service says that it still takes", () => {
  const left = (remaining: number, resetInMs = 60_000): RequestResult => ({
    isThrottled: false,
    rateLimit: { remaining, resetInMs },
  });

  test("stretches waits by what a whole count grants, however little is left of it, and by nothing before", async () => {
    const service = new Service();
    service.budget.changeDemand(0.1);
    service.ask(left(0));
    await service.clock.advance(20);
    expect(service.budget.stretch).toBe(1);
    await service.clock.advance(60_000);
    service.ask(left(300));
    service.ask(left(2, 30_000));
    await service.clock.advance(20);
    // A hundred reads a second where five are granted, less the share that keeps the queue from running dry.
    expect(service.budget.stretch).toBeCloseTo(17);
  });

  test("changes nothing while there is plenty", async () => {
    const service = new Service();
    service.ask(left(300));
    service.ask(left(200));
    await service.clock.advance(100);
    service.askMany(20);
    expect(mostWithin(service.times.slice(2), 1)).toBe(20);
  });

  test("spreads what is left over the time that is left, before the wall", async () => {
    let remaining = 100;
    const service = new Service({ maxConcurrency: 8 });
    const endsAt = 60_000;
    const answer = (): RequestResult => {
      expect(remaining).toBeGreaterThan(0);
      return left(--remaining, endsAt - service.clock.now());
    };
    service.askMany(400, answer, 1);
    await service.clock.advance(endsAt - 1);
    expect(remaining).toBeLessThan(30);
    expect(Math.max(...gapsOf(service.times).slice(58))).toBeGreaterThan(500);
  });

  test("is forgotten once the count begins anew", async () => {
    const service = new Service();
    service.ask(left(300));
    service.ask(left(10, 20_000));
    await service.clock.advance(20_010);
    service.askMany(40);
    await service.clock.advance(20);
    expect(service.sent).toHaveLength(42);
  });

  test.each([
    ["the first answer", [0]],
    ["a later one", [300, 0]],
  ])("silences a client until the count begins anew when %s says that nothing is left", async (_, said) => {
    const service = new Service();
    for (const remaining of said) service.ask(left(remaining, 20_000));
    await service.clock.advance(100);
    service.askMany(40);
    await service.clock.advance(20_000);
    expect(service.times.slice(said.length)).toEqual(Array.from({ length: 40 }, () => 20_010));
  });

  test("never makes a client silent for more than a minute", async () => {
    const service = new Service();
    service.ask(left(0, 86_400_000));
    await service.clock.advance(100);
    service.askMany(3);
    await service.clock.advance(300_000);
    expect(service.times).toEqual([0, 60_010, 120_010, 180_010]);
  });
});

describe("maxConcurrency", () => {
  test("is never exceeded, and made use of", async () => {
    const options = fc.record({
      maxConcurrency: fc.integer({ min: 1, max: 8 }),
      latencies: fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 10, maxLength: 60 }),
    });
    await fc.assert(
      fc.asyncProperty(options, async ({ maxConcurrency, latencies }) => {
        const service = new Service({ maxConcurrency });
        for (const latencyInMs of latencies) service.ask(accepted, latencyInMs);
        await service.clock.advance(60_000);
        expect(service.mostInFlight).toBe(maxConcurrency);
        expect(service.sent).toHaveLength(latencies.length);
      }),
    );
  });

  test("lets the next in as soon as a read is called off", async () => {
    const service = new Service({ maxConcurrency: 1 });
    service.budget.acquire(() => {});
    service.ask();
    await service.clock.advance(1000);
    expect(service.sent).toHaveLength(0);
    service.budget.release(undefined);
    expect(service.times).toEqual([1000]);
  });
});

describe("applicants", () => {
  const load = fc.record({
    maxConcurrency: fc.integer({ min: 1, max: 5 }),
    requestsPerMinute: fc.constantFrom(30, 600, Infinity),
    asked: fc.array(
      fc.record({
        afterInMs: fc.nat({ max: 400 }),
        latencyInMs: fc.nat({ max: 400 }),
        isThrottled: fc.boolean(),
        isWithdrawn: fc.boolean(),
      }),
      { minLength: 1, maxLength: 30 },
    ),
  });

  test("are admitted in the order in which they came, each of them, but for those who withdrew", async () => {
    await fc.assert(
      fc.asyncProperty(load, async ({ asked, ...options }) => {
        const service = new Service(options);
        const withdrawn = new Set<number>();
        for (const [name, { afterInMs, latencyInMs, isThrottled, isWithdrawn }] of asked.entries()) {
          await service.clock.advance(afterInMs);
          const withdraw = service.ask({ isThrottled }, latencyInMs);
          const isQueued = service.sent.at(-1)?.name !== name;
          if (isWithdrawn) withdraw();
          if (isWithdrawn && isQueued) withdrawn.add(name);
        }
        await service.clock.advance(3_600_000);
        const names = service.sent.map(({ name }) => name);
        expect(names).toEqual([...asked.keys()].filter((name) => !withdrawn.has(name)));
        expect(service.clock.pendingTimers).toBe(0);
      }),
    );
  });

  test("who withdraw keep nobody waiting, nor the process alive", async () => {
    const service = new Service();
    service.ask({ isThrottled: true, retryAfterInMs: 60_000 });
    await service.clock.advance(100);
    const withdrawals = [service.ask(), service.ask(), service.ask()];
    for (const withdraw of withdrawals) withdraw();
    expect(service.clock.pendingTimers).toBe(0);
    service.ask();
    await service.clock.advance(60_000);
    expect(service.times).toEqual([0, 60_010]);
  });

  test("may apply again from within their turn", () => {
    const service = new Service({ maxConcurrency: 3 });
    const order: string[] = [];
    service.budget.acquire(() => {
      order.push("first");
      service.budget.acquire(() => order.push("third"));
    });
    service.budget.acquire(() => order.push("second"));
    expect(order).toEqual(["first", "third", "second"]);
  });

  test("of many thousand are all admitted, in their order", async () => {
    const service = new Service({ maxConcurrency: 10 });
    service.askMany(5000);
    await service.clock.advance(10_000);
    expect(service.sent.map(({ name }) => name)).toEqual(Array.from({ length: 5000 }, (_, name) => name));
  });
});

describe("requestsPerMinute", () => {
  test("is never exceeded in any minute, and made use of", async () => {
    const load = fc.record({
      requestsPerMinute: fc.integer({ min: 1, max: 200 }),
      afters: fc.array(fc.integer({ min: 0, max: 5000 }), { minLength: 1, maxLength: 100 }),
    });
    await fc.assert(
      fc.asyncProperty(load, async ({ requestsPerMinute, afters }) => {
        const service = new Service({ requestsPerMinute });
        for (const afterInMs of afters) {
          await service.clock.advance(afterInMs);
          service.ask();
        }
        await service.clock.advance((60_000 * afters.length) / requestsPerMinute);
        expect(service.sent).toHaveLength(afters.length);
        // A millionth of a millisecond for the rounding of sums.
        expect(mostWithin(service.times, 60_000 - 1e-6)).toBeLessThanOrEqual(requestsPerMinute);
      }),
      { numRuns: 50 },
    );
  });

  test.each([
    [{ requestsPerMinute: 0 }, /^requestsPerMinute: /],
    [{ requestsPerMinute: NaN }, /^requestsPerMinute: /],
    [{ maxConcurrency: 0 }, /^maxConcurrency: /],
    [{ maxConcurrency: 1.5 }, /^maxConcurrency: /],
  ])("or maxConcurrency that is none is refused by name: %j", (options, message) => {
    expect(() => new RequestLimiter(createVirtualClock(), options)).toThrow(message);
  });
});

/** An operation that runs for ever and pays from a budget. */
function running(budget: RequestLimiter, clock: VirtualClock, replies: readonly ScriptedReply[] = []) {
  const endless = Array.from({ length: 500 }, (): ScriptedReply => "Running");
  const scripted = scriptedOperation([...replies, ...endless], { clock });
  return Object.assign(scripted, { limiterFor: () => budget });
}

describe("pollers that share a budget", () => {
  const options = (clock: VirtualClock): PollOptions => ({ clock, schedule: fixed(1000), random: () => 0 });

  test.each([200, 500, 2000])("and are begun at once, %i of them, do not ask as one", async (count) => {
    const { clock, budget } = new Service();
    const controller = new AbortController();
    const operations = Array.from({ length: count }, () => running(budget, clock));
    const pollers = operations.map((operation) =>
      createPoller(operation, {
        ...options(clock),
        schedule: fixed(3_600_000),
        abortSignal: controller.signal,
      }),
    );
    const ends = pollers.map((poller) => ending(poller.pollUntilDone()));
    await clock.advance(60_000);
    const times = operations.flatMap(({ polls }) => polls.map(({ startedAt = NaN }) => startedAt));
    expect(times).toHaveLength(count);
    expect(mostWithin(times, 50) / count).toBeLessThanOrEqual(count < 500 ? 0.06 : 0.05);
    controller.abort("enough");
    await Promise.all(ends);
    expect(clock.pendingTimers).toBe(0);
  });

  test("are all held back by what one of them is told", async () => {
    const { clock, budget } = new Service();
    const controller = new AbortController();
    const tooMany = new RequestError("HTTP 429", {
      kind: "transient",
      isThrottled: true,
      retryAfterInMs: 20_000,
    });
    const one = running(budget, clock, ["Running", tooMany]);
    const other = running(budget, clock);
    for (const operation of [one, other]) {
      const poller = createPoller(operation, { ...options(clock), abortSignal: controller.signal });
      void ending(poller.pollUntilDone());
    }
    await clock.advance(22_000);
    const afterwards = [one, other].map(({ polls }) => polls.find(({ startedAt = 0 }) => startedAt > 1100));
    const times = afterwards.map((read) => read?.startedAt ?? Infinity);
    expect(Math.min(...times)).toBe(21_000);
    expect(Math.max(...times)).toBeLessThan(22_000);
    controller.abort("enough");
    expect(clock.pendingTimers).toBe(0);
  });

  test("that are aborted while all are held back leave no timer", async () => {
    const { clock, budget } = new Service();
    const controller = new AbortController();
    budget.acquire(() => {});
    budget.release({ isThrottled: true, retryAfterInMs: 3_600_000 });
    const operation = running(budget, clock);
    const wait = ending(
      createPoller(operation, options(clock)).pollUntilDone({ abortSignal: controller.signal }),
    );
    await clock.advance(1000);
    controller.abort("enough");
    expect(await wait).toBe("enough");
    expect(clock.pendingTimers).toBe(0);
    expect(operation.polls).toHaveLength(0);
  });

  test("time out in time while all are held back", async () => {
    const { clock, budget } = new Service();
    budget.acquire(() => {});
    budget.release({ isThrottled: true, retryAfterInMs: 3_600_000 });
    const poller = createPoller(running(budget, clock), { ...options(clock), timeoutInMs: 5000 });
    const end = await clock.runUntilSettled(ending(poller.pollUntilDone()));
    expect(end).toMatchObject({ name: "PollingTimeoutError" });
    expect(clock.now()).toBe(5000);
    expect(clock.pendingTimers).toBe(0);
  });

  test("ask less often when they ask too much together, by the same factor, and none is left out", async () => {
    const { clock, budget } = new Service({ requestsPerMinute: 60 });
    const controller = new AbortController();
    const operations = Array.from({ length: 20 }, () => running(budget, clock));
    const pollers = operations.map((operation) =>
      createPoller(operation, { ...options(clock), abortSignal: controller.signal }),
    );
    const ends = pollers.map((poller) => ending(poller.pollUntilDone()));
    await clock.advance(600_000);
    // Twenty times what there is, less the share that keeps the queue from running dry.
    expect(budget.stretch).toBeCloseTo(17);
    const counts = operations.map(({ polls }) => polls.length);
    expect(Math.max(...counts)).toBeLessThanOrEqual(2 * Math.min(...counts));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(400);
    controller.abort("enough");
    await Promise.all(ends);
    expect(budget.stretch).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });
});

test("an outage does not stretch the waits of those that share a budget", async () => {
  const { clock, budget } = new Service({ requestsPerMinute: 60 });
  const controller = new AbortController();
  const down = new RequestError("HTTP 500", { kind: "transient" });
  const replies = Array.from({ length: 5 }, () => down);
  const ends = Array.from({ length: 20 }, () => {
    const operation = running(budget, clock, replies);
    const options = { clock, schedule: fixed(1000), random: () => 0, abortSignal: controller.signal };
    return ending(createPoller(operation, options).pollUntilDone());
  });
  let most = 0;
  for (let passed = 0; passed < 120_000; passed += 1000) {
    await clock.advance(1000);
    most = Math.max(most, budget.stretch);
  }
  // Twenty that ask once a second where one may.
  expect(most).toBeLessThanOrEqual(20);
  controller.abort();
  await Promise.all(ends);
});

describe("a read that is wanted now", () => {
  /** A poller whose budget is held back as long as this, or has its one place taken. */
  function setUp(silenceInMs?: number) {
    const { clock, budget } = new Service({ maxConcurrency: 1 });
    budget.acquire(() => {});
    if (silenceInMs !== undefined) budget.release({ isThrottled: true, retryAfterInMs: silenceInMs });
    const operation = running(budget, clock);
    const poller = createPoller(operation, { clock, schedule: fixed(1000), random: () => 0 });
    return { clock, budget, operation, poller };
  }

  test.each([
    [3_600_000, 3_600_000, 3600],
    [1e300, 86_400_000, 86_400],
  ])(
    "is refused at once when the service wants silence for longer than a read may take",
    async (silenceInMs, throttledForInMs, seconds) => {
      const { clock, operation, poller } = setUp(silenceInMs);
      const failure = await clock.runUntilSettled(ending(poller.poll()));
      expect(failure).toMatchObject({
        name: "PollingError",
        code: "Throttled",
        message: expect.stringContaining(`the service accepts no request for ${seconds} s`),
        cause: { retryAfterInMs: throttledForInMs },
      });
      expect([clock.now(), clock.pendingTimers, operation.polls.length]).toEqual([0, 0, 0]);
    },
  );

  test("waits for the end of a shorter silence", async () => {
    const { clock, poller } = setUp(20_000);
    expect(await clock.runUntilSettled(poller.poll())).toMatchObject({ status: "Running" });
    expect([clock.now(), clock.pendingTimers]).toEqual([20_000, 0]);
  });

  test("gives up when others come first for as long as a read may take", async () => {
    const { clock, budget, operation, poller } = setUp();
    const failure = await clock.runUntilSettled(ending(poller.poll()));
    expect(failure).toMatchObject({
      code: "Throttled",
      message: expect.stringContaining("not sent, because other requests came first for 30000 ms."),
    });
    expect([clock.now(), clock.pendingTimers]).toEqual([30_000, 0]);
    budget.release(undefined);
    await clock.advance(60_000);
    expect(operation.polls).toHaveLength(0);
    expect(await poller.poll()).toMatchObject({ status: "Running" });
  });

  test("has its turn and its answer within that time, not each of them", async () => {
    const { clock, budget } = setUp(20_000);
    const operation = running(budget, clock, [() => new Promise(() => {})]);
    const poller = createPoller(operation, { clock });
    const failure = await clock.runUntilSettled(ending(poller.poll()));
    expect(failure).toMatchObject({ code: "RequestTimeout" });
    expect([clock.now(), operation.polls.length]).toEqual([30_000, 1]);
  });

  test("that gives up takes nothing from who waits for the end", async () => {
    const { clock, budget, operation, poller } = setUp();
    const controller = new AbortController();
    const wait = ending(poller.pollUntilDone({ abortSignal: controller.signal }));
    expect(await clock.runUntilSettled(ending(poller.poll()))).toMatchObject({ code: "Throttled" });
    budget.release(undefined);
    await clock.advance(0);
    expect(operation.polls).toHaveLength(1);
    controller.abort("enough");
    expect(await wait).toBe("enough");
    expect(clock.pendingTimers).toBe(0);
  });

  test("is left at once by an abort, without a trace", async () => {
    const { clock, poller } = setUp();
    const controller = new AbortController();
    const poll = ending(poller.poll({ abortSignal: controller.signal }));
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

  test.each([429, 503])("are all held back by one %i, however they were begun", async (status) => {
    const service = simulate(
      { status, headers: { "retry-after": "20" } },
      { status: 202, headers: { "operation-location": "/operations/7" } },
      ...Array.from({ length: 20 }, () => runningStatus),
    );
    const { clock, httpClient } = service;
    const client = new OperationStatusesClient("https://dev.example", undefined, { httpClient });
    const controller = new AbortController();
    const options = { clock, schedule: fixed(60_000), random: () => 0, abortSignal: controller.signal };
    const wait = (id: string): Promise<unknown> =>
      ending(createPoller(client.operation("myProject", id), options).pollUntilDone());
    const ends = [wait(ids[0])];
    await clock.advance(100);
    ends.push(wait(ids[1]));
    const begun = client.startOperation(
      { method: "POST", url: "/boxes/b1" },
      { ...options, schedule: fixed(1000), allowedOrigins: ["https://gateway.example"] },
    );
    ends.push(ending(begun.pollUntilDone()));
    await clock.advance(19_000);
    expect(service.asked.map(([, ask]) => ask.split("?")[0])).toEqual([
      `GET /projects/myProject/operationstatuses/${ids[0]}`,
      "POST /boxes/b1",
    ]);
    await clock.advance(10_000);
    const later = service.asked.slice(2);
    expect(Math.min(...later.map(([time]) => time))).toBe(20_000);
    expect(new Set(later.map(([, ask]) => ask.split("?")[0]))).toEqual(
      new Set([...ids.map((id) => `GET /projects/myProject/operationstatuses/${id}`), "GET /operations/7"]),
    );
    controller.abort("enough");
    await Promise.all(ends);
    expect(clock.pendingTimers).toBe(0);
  });

  test.each([408, 500, 502])("are not held back by one %i", async (status) => {
    const service = simulate({ status, headers: { "retry-after": "20" } }, runningStatus);
    const { clock, httpClient } = service;
    const client = new OperationStatusesClient("https://dev.example", undefined, { httpClient });
    const [first, second] = ids.map((id) => createPoller(client.operation("myProject", id), { clock }));
    if (first) await ending(first.poll());
    expect((await second?.poll())?.status).toBe("Running");
  });

  test("are not stopped by a schedule of one of them that gives next to nothing once", async () => {
    const service = simulate(...Array.from({ length: 12 }, () => runningOne(ids[0])));
    const { clock, httpClient } = service;
    const client = new OperationStatusesClient("https://dev.example", undefined, { httpClient });
    const hasty: Schedule = ({ pollCount }) => (pollCount === 1 ? Number.MIN_VALUE : 1000);
    for (const schedule of [hasty, fixed(1000)]) {
      const poller = createPoller(client.operation("myProject", ids[0]), {
        clock,
        schedule,
        random: () => 0,
      });
      void ending(poller.pollUntilDone());
    }
    await clock.advance(2500);
    expect(service.asked).toHaveLength(7);
  });

  test.each([["x-rate-limit-remaining"], ["x-ms-ratelimit-remaining-subscription-reads"]])(
    "slow down when %s says that little is left",
    async (name) => {
      const reset = {
        date: "Wed, 01 Jan 2025 00:00:00 GMT",
        "x-rate-limit-reset": "Wed, 01 Jan 2025 00:01:00 GMT",
      };
      const left = (remaining: number): SimulatedReply => ({
        ...runningOne(ids[0]),
        headers: { ...reset, [name]: String(remaining) },
      });
      const service = simulate(left(300), left(6), left(5), left(5));
      const { clock, httpClient } = service;
      const client = new OperationStatusesClient("https://dev.example", undefined, { httpClient });
      const poller = createPoller(client.operation("myProject", ids[0]), { clock });
      for (let poll = 0; poll < 4; poll++) await clock.runUntilSettled(poller.poll());
      expect(service.asked.map(([time]) => time)).toEqual([0, 0, 0, 10_000]);
    },
  );

  test("wait a second when nothing is left until a moment within this second", async () => {
    const now = "Wed, 01 Jan 2025 00:00:00 GMT";
    const headers = { date: now, "x-rate-limit-reset": now, "x-rate-limit-remaining": "0" };
    const service = simulate({ ...runningOne(ids[0]), headers }, runningStatus);
    const { clock, httpClient } = service;
    const client = new OperationStatusesClient("https://dev.example", undefined, { httpClient });
    const poller = createPoller(client.operation("myProject", ids[0]), { clock });
    for (let poll = 0; poll < 2; poll++) await clock.runUntilSettled(poller.poll());
    expect(service.asked.map(([time]) => time)).toEqual([0, 1000]);
  });

  test("are read while many requests that begin others are still unanswered", async () => {
    const unanswered = (): Promise<Simulated> => new Promise(() => {});
    const service = simulate(...Array.from({ length: 200 }, () => unanswered), runningStatus);
    const { clock, httpClient } = service;
    const client = new OperationStatusesClient("https://dev.example", undefined, { httpClient });
    const controller = new AbortController();
    const options = { clock, abortSignal: controller.signal };
    const ends = Array.from({ length: 200 }, (_, index) =>
      ending(client.startOperation({ method: "PUT", url: `/boxes/${index}` }, options).pollUntilDone()),
    );
    await clock.advance(20_000);
    const poller = createPoller(client.operation("myProject", ids[0]), options);
    ends.push(ending(poller.poll()));
    await clock.advance(0);
    expect(poller.status).toBe("Running");
    controller.abort("enough");
    await Promise.all(ends);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("the rate meter", () => {
  const times = fc.array(fc.nat({ max: 30_000 }), { minLength: 1, maxLength: 60 });

  test("knows of no spacing until the service has shown one", () => {
    const meter = new RateEstimator();
    for (let now = 0; now < 60_000; now += 7) meter.countRequest(now);
    expect(meter.intervalInMs(60_000)).toBe(0);
  });

  test("learns a spacing wider than that which was too much, and forgets it little by little", () => {
    fc.assert(
      fc.property(fc.integer({ min: 5, max: 2000 }), fc.integer({ min: 3, max: 200 }), (gapInMs, count) => {
        const meter = new RateEstimator();
        for (let sent = 0; sent < count; sent++) meter.countRequest(sent * gapInMs);
        const now = count * gapInMs;
        meter.slowDown(now);
        const learned = meter.intervalInMs(now);
        expect(learned).toBeGreaterThan(gapInMs);
        expect(learned).toBeLessThan(3 * gapInMs);
        const later = [1, 5, 20, 60, 300].map((seconds) => meter.intervalInMs(now + 1000 * seconds));
        expect([learned, ...later]).toEqual([learned, ...later].toSorted((a, b) => b - a));
        expect(later.at(-1)).toBe(0);
      }),
    );
  });

  test("whatever it is told, gives a finite spacing of at most a minute", () => {
    const number = fc.oneof(
      { weight: 5, arbitrary: fc.nat() },
      fc.constantFrom(NaN, -1, Infinity, -Infinity),
    );
    const event = fc.oneof(
      fc.constant("count" as const),
      fc.constant("thin" as const),
      fc.record({ remaining: number, resetInMs: number }),
    );
    fc.assert(
      fc.property(times, fc.array(event), (gaps, events) => {
        const meter = new RateEstimator();
        let now = 0;
        for (const [index, told] of events.entries()) {
          now += gaps[index % gaps.length] ?? 0;
          if (told === "count") meter.countRequest(now);
          else if (told === "thin") meter.slowDown(now);
          else meter.learnLimit(now, told);
          for (const spacingInMs of [meter.intervalInMs(now), meter.sustainedIntervalInMs(now)]) {
            expect(spacingInMs).toBeGreaterThanOrEqual(0);
            expect(spacingInMs).toBeLessThanOrEqual(60_000);
          }
        }
      }),
    );
  });
});
