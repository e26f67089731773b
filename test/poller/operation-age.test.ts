import { describe, expect, test } from "vitest";
import { OperationStatusesClient, createPoller, fixed, adaptive } from "lro-poller";
import type { Operation, PollHistory, Progress } from "lro-poller";
import { createVirtualClock, scriptedOperation, startOperationServer } from "lro-poller/testing";
import { createPipelineRequest } from "@azure/core-rest-pipeline";

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
