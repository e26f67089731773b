import { describe, expect, test } from "vitest";
import { OperationStatusesClient, createPoller, fixed, adaptive } from "lro-poller";
import type { Operation, PollHistory, PollOptions, Progress } from "lro-poller";
import { createVirtualClock, scriptedOperation, startOperationServer } from "lro-poller/testing";
import { createHttpHeaders, createPipelineRequest } from "@azure/core-rest-pipeline";

const hour = 3_600_000;

/** An operation whose service sends its age with each response. */
function aged(ages: readonly (number | undefined)[]): Operation {
  const script = scriptedOperation(ages.map(() => "Running"));
  let polls = 0;
  return {
    ...script,
    getStatus: async (options) => ({ ...(await script.getStatus(options)), ageInMs: ages[polls++] }),
  };
}

/** An operation that runs on, and whose service sends its age with each response. */
function running(ageInMs?: number): Operation {
  return aged(Array.from({ length: 1000 }, () => ageInMs));
}

async function historiesOf(ages: readonly (number | undefined)[]): Promise<PollHistory[]> {
  const clock = createVirtualClock();
  const histories: PollHistory[] = [];
  const schedule = (history: PollHistory): number => {
    histories.push(history);
    return 1000;
  };
  const poller = createPoller(aged(ages), { clock, schedule });
  const wait = poller.pollUntilDone().catch(() => {});
  await clock.advance(ages.length * 1000);
  await clock.runUntilSettled(wait);
  return histories;
}

describe("an operation that started before the wait", () => {
  test("has the age for its schedule that its service sends, from the first response on", async () => {
    const histories = await historiesOf([hour, hour + 5000, undefined]);
    expect(histories.map(({ elapsedInMs }) => elapsedInMs)).toEqual([hour, hour + 1000, hour + 2000]);
  });

  test("and whose service sends no age, or sends it later, has the age of the wait", async () => {
    const histories = await historiesOf([undefined, hour, -5]);
    expect(histories.map(({ elapsedInMs }) => elapsedInMs)).toEqual([0, 1000, 2000]);
  });

  test("is expected to take as long as past ones from its own start, not from that of the wait", async () => {
    const clock = createVirtualClock();
    const pastDurationsInMs = Array.from({ length: 20 }, (_, index) => 2_650_000 + index * 5000);
    const poller = createPoller(aged([2_400_000]), {
      clock,
      schedule: adaptive({ pastDurationsInMs }),
    });
    const { estimatedRemainingInMs = Infinity }: Progress = await poller.poll();
    expect(estimatedRemainingInMs).toBeGreaterThan(150_000);
    expect(estimatedRemainingInMs).toBeLessThan(450_000);
  });

  test("keeps its age in a token, and over HTTP has it from startTime and Date", async () => {
    const server = await startOperationServer();
    const { operationLocation } = server.addOperation({ timeline: [{ status: "Running" }] });
    const tenMinutes = 600_000;
    const client = new OperationStatusesClient(server.endpoint, undefined, {
      additionalPolicies: [
        {
          position: "perCall",
          policy: {
            name: "later",
            async sendRequest(request, next) {
              const response = await next(createPipelineRequest(request));
              const date = Date.parse(response.headers.get("date") ?? "") + tenMinutes;
              response.headers.set("date", new Date(date).toUTCString());
              return response;
            },
          },
        },
      ],
    });
    const poller = createPoller(client.operationAt(operationLocation), { schedule: fixed(1000) });
    await poller.poll();
    const { ageAtStart = 0 } = poller.toJSON();
    expect(Math.abs(ageAtStart - tenMinutes)).toBeLessThan(5000);
    expect(client.resume(JSON.stringify(poller)).toJSON().ageAtStart).toBe(ageAtStart);
    await server.close();
  });
});

const day = 24 * hour;
const twentyMinutes = 20 * 60_000;
const pastDurationsInMs = Array.from({ length: 20 }, (_, index) => twentyMinutes + 5000 * index);

/** Returns when the polls came of a wait for an operation that runs, in milliseconds. */
async function pollTimesOf(
  operation: Operation,
  options: PollOptions,
  untilInMs: number,
): Promise<readonly number[]> {
  const clock = createVirtualClock();
  const times: number[] = [];
  const poller = createPoller(operation, {
    ...options,
    ...(options.startedAt !== undefined && { startedAt: clock.timestamp() + Number(options.startedAt) }),
    clock,
    random: () => 0,
    onProgress: () => times.push(clock.now()),
  });
  const abort = new AbortController();
  const wait = poller.pollUntilDone({ abortSignal: abort.signal }).catch(() => {});
  await clock.advance(untilInMs);
  abort.abort();
  await wait;
  return times;
}

describe("startedAt", () => {
  test.each([
    ["now: with the first gap of a wait from then on", 0, {}, 1483],
    ["a second ago: with the rest of that gap", -1000, {}, 483],
    ["an hour ago: at once", -hour, {}, 0],
    ["a minute ahead, as clocks differ: as if now", 60_000, {}, 1483],
    ["an hour ahead: at once, as unknown", hour, {}, 0],
    ["40 days ago: at once", -40 * day, {}, 0],
    ["40 days ago with past durations: at once", -40 * day, { pastDurationsInMs }, 0],
    ["an hour ago, after past durations: at once", -hour, { pastDurationsInMs }, 0],
  ] as const)("%s is when the first poll comes", async (_, startedAt, options, firstPollInMs) => {
    const times = await pollTimesOf(running(), { ...options, startedAt }, 5000);
    expect(Math.round(times[0] ?? NaN)).toBe(firstPollInMs);
  });

  test("five minutes ago leaves out the polls before past durations", async () => {
    const options = { pastDurationsInMs, maxDelayInMs: Infinity };
    const fromStart = await pollTimesOf(running(), { ...options, startedAt: 0 }, hour);
    const joined = await pollTimesOf(running(), { ...options, startedAt: -300_000 }, hour);
    expect(fromStart[0]).toBeGreaterThan(300_000);
    expect(joined[0]).toBeCloseTo((fromStart[0] ?? NaN) - 300_000, 6);
  });

  test("comes before the timeout of the wait", async () => {
    const options = { pastDurationsInMs, maxDelayInMs: Infinity, timeoutInMs: 10_000, startedAt: 0 };
    expect(await pollTimesOf(running(), options, 9500)).toEqual([9000]);
  });

  test("may be a date, and must not be an invalid one", () => {
    expect(() => createPoller(running(), { startedAt: new Date() })).not.toThrow();
    expect(() => createPoller(running(), { startedAt: new Date("yesterday") })).toThrow(
      /^startedAt: expected a date or milliseconds since 1970, got /,
    );
  });
});

describe("a startTime that is not the operation's", () => {
  test.each([
    ["two months ago", 60 * day],
    ["20 days ago", 20 * day],
    ["in 1970", 1.79e12],
    ["in the year 1", 6.39e13],
    ["of an hour ahead", -hour],
  ])("%s does not make the next polls rare", async (_, age) => {
    const unknown = await pollTimesOf(running(), {}, 60_000);
    const times = await pollTimesOf(running(age), {}, 60_000);
    expect(times[1]).toBeLessThan(3000);
    expect(times.length).toBeGreaterThan(unknown.length / 2);
    // Past durations know that none took three weeks.
    if (age === 20 * day)
      expect(await pollTimesOf(running(age), { pastDurationsInMs }, 60_000)).toEqual(times);
  });
});

test("a token of an operation that has just been started leaves the first poll for when it is due", async () => {
  const clock = createVirtualClock();
  const client = new OperationStatusesClient("https://localhost", undefined, {
    httpClient: {
      sendRequest: async (request) => {
        requests.push(clock.now());
        return {
          request,
          status: request.method === "DELETE" ? 202 : 200,
          headers: createHttpHeaders({
            "operation-location": "https://localhost/monitor",
            date: new Date().toUTCString(),
          }),
          // As a resource that has been there for a week.
          bodyAsText: JSON.stringify({ status: "Running", startTime: new Date(Date.now() - 7 * day) }),
        };
      },
    },
  });
  const requests: number[] = [];
  const options = { clock, random: () => 0 };
  const poller = client.startOperation({ method: "DELETE", url: "/box" }, options);
  await poller.poll();
  expect(poller.toJSON()).toMatchObject({ pollCount: 1, ageAtStart: 0 });
  await clock.advance(1000);
  const abort = new AbortController();
  const wait = client.resume(JSON.stringify(poller), options).pollUntilDone({ abortSignal: abort.signal });
  await clock.advance(1000);
  abort.abort();
  await expect(wait).rejects.toThrow("This operation was aborted");
  expect(requests.map(Math.round)).toEqual([0, 1483]);
});

describe("the longest delay by default", () => {
  const delay = (history: PollHistory, options = {}): number =>
    adaptive({ pollCostInMs: 1e6, ...options })(history, () => 1);

  test.each([1000, 60_000, 600_000, hour, 3 * hour, day])(
    "is 30 s, or 5 % of the wait's own %d ms if that is longer",
    (elapsedInMs) => {
      const longest = Math.max(30_000, 0.05 * elapsedInMs);
      expect(delay({ elapsedInMs, pollCount: 9 })).toBeCloseTo(longest, 6);
      const older = { elapsedInMs: elapsedInMs + 7 * day, ageAtStartInMs: 7 * day, pollCount: 9 };
      expect(delay(older)).toBeCloseTo(longest, 6);
      expect(delay(older, { maxDelayInMs: 30_000 })).toBeCloseTo(30_000, 6);
      expect(delay(older, { maxDelayInMs: 90_000, pastDurationsInMs })).toBeLessThanOrEqual(90_000);
    },
  );
});

test.each([0, 0.5, 1e-50, 1e13, NaN, Infinity])("a past duration of %d is rejected by name", (duration) => {
  expect(() => adaptive({ pastDurationsInMs: [60_000, duration] })).toThrow(
    new RangeError(`pastDurationsInMs: expected milliseconds from 1 to 1000000000000, got ${duration}`),
  );
});

test("an absurd price makes no wait endless", () => {
  const schedule = adaptive({ pollCostInMs: 1e308, maxDelayInMs: Infinity });
  const delayInMs = schedule({ elapsedInMs: 1000, pollCount: 1 }, () => 0.5);
  expect(Number.isFinite(delayInMs)).toBe(true);
});
