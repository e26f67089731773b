import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createVirtualClock, startOperationServer } from "../../src/testing/index.ts";
import type { OperationServer, Timeline, VirtualClock } from "../../src/testing/index.ts";

let clock: VirtualClock;
let server: OperationServer;

beforeEach(async () => {
  clock = createVirtualClock();
  server = await startOperationServer({ clock });
});

afterEach(() => server.close());

function statusOf(timeline: Timeline): () => [string, number | undefined] {
  const { operationId } = server.addOperation({ timeline });
  return () => {
    const { status, percentComplete } = server.state(operationId);
    return [status, percentComplete];
  };
}

test("the default operation takes nine seconds and shows no percentage", async () => {
  const { operationId } = server.addOperation();
  const seen: string[] = [];
  for (const durationInMs of [999, 1, 7999, 1, 86_400_000]) {
    await clock.advance(durationInMs);
    seen.push(server.state(operationId).status);
  }
  expect(seen).toEqual(["NotStarted", "Running", "Running", "Succeeded", "Succeeded"]);
  expect(server.state(operationId)).toMatchObject({
    startTime: "2025-01-01T00:00:00.0000000+00:00",
    endTime: "2025-01-01T00:00:09.0000000+00:00",
    percentComplete: undefined,
  });
});

test("an operation that starts with its first poll has no start time and no age before it", async () => {
  const plan = { timeline: [{ status: "Running", durationInMs: 1000 }, { status: "Succeeded" }] };
  const { operationId, operationLocation } = server.addOperation({ ...plan, startsAtFirstPoll: true });
  await clock.advance(5000);
  expect(server.state(operationId)).toMatchObject({ status: "Running", startTime: undefined });
  await fetch(operationLocation);
  await clock.advance(1000);
  expect(server.state(operationId)).toMatchObject({
    status: "Succeeded",
    startTime: "2025-01-01T00:00:05.0000000+00:00",
    endTime: "2025-01-01T00:00:06.0000000+00:00",
  });
});

test("speed makes timelines pass faster, and dates follow the clock", async () => {
  await using fast = await startOperationServer({ clock, speed: 1000 });
  const { operationId } = fast.addOperation();
  await clock.advance(9);
  expect(fast.state(operationId)).toMatchObject({
    status: "Succeeded",
    endTime: "2025-01-01T00:00:00.0090000+00:00",
  });
});

test("a percentage changes evenly over a phase, or in steps", async () => {
  const ramp = (step?: number): Timeline => [
    {
      status: "Running",
      durationInMs: 1000,
      percentComplete: { from: 10, to: 90, ...(step !== undefined && { step }) },
    },
    { status: "Succeeded", percentComplete: 100 },
  ];
  const even = statusOf(ramp());
  const stepped = statusOf(ramp(25));
  await clock.advance(500);
  expect([even(), stepped()]).toEqual([
    ["Running", 50],
    ["Running", 35],
  ]);
  await clock.advance(500);
  expect(even()).toEqual(["Succeeded", 100]);
});

test.each([
  [0, 100, Number.MIN_VALUE],
  [0.4, 100, 0.01],
])("a percentage from %s to %s in steps of %s never leaves its ramp", async (from, to, step) => {
  const shown = statusOf([{ status: "Running", durationInMs: 9000, percentComplete: { from, to, step } }]);
  const levels: number[] = [];
  for (let seconds = 0; seconds <= 9; seconds++) {
    levels.push(shown()[1] ?? NaN);
    await clock.advance(1000);
  }
  expect(Math.min(...levels)).toBeGreaterThanOrEqual(Math.min(from, to));
  expect(Math.max(...levels)).toBeLessThanOrEqual(Math.max(from, to));
});

test("a phase without an end shows the first percentage of its ramp", async () => {
  const stuck = statusOf([{ status: "Running", percentComplete: { from: 42, to: 100 } }]);
  await clock.advance(1e12);
  expect(stuck()).toEqual(["Running", 42]);
});

test("a duration after a number of polls starts with the last of them", async () => {
  const timeline = [
    { status: "NotStarted", polls: 1 },
    { status: "Running", durationInMs: 1000 },
    { status: "Succeeded" },
  ];
  const { operationId, operationLocation } = server.addOperation({ timeline });
  await clock.advance(5000);
  await fetch(operationLocation);
  await clock.advance(999);
  expect(server.state(operationId).status).toBe("Running");
  await clock.advance(1);
  expect(server.state(operationId).status).toBe("Succeeded");
});

test("setStatus replaces the timeline", async () => {
  const { operationId } = server.addOperation();
  await clock.advance(5000);
  server.setStatus(operationId, { status: "Failed", error: { code: "A", message: "b" } });
  await clock.advance(5000);
  expect(server.state(operationId)).toMatchObject({
    status: "Failed",
    endTime: "2025-01-01T00:00:05.0000000+00:00",
    error: { code: "A" },
  });
  server.setStatus(operationId, "Migrating");
  expect(server.state(operationId).status).toBe("Migrating");
});

describe("rejects", () => {
  const wrong: [string, Timeline][] = [
    ["timeline: expected an array of phases, got []", []],
    ["timeline[0].status: expected a string that is not empty", [{ status: "" }]],
    [
      "timeline[0]: expected durationInMs or polls, because",
      [{ status: "Running" }, { status: "Succeeded" }],
    ],
    ["timeline[0]: expected durationInMs or polls, got both", [{ status: "A", durationInMs: 1, polls: 1 }]],
    ["timeline[0].durationInMs: expected a finite number", [{ status: "A", durationInMs: -1 }]],
    ["timeline[0].polls: expected an integer of at least 1, got 0", [{ status: "A", polls: 0 }]],
    ["timeline[0].percentComplete: expected a finite number from 0", [{ status: "A", percentComplete: 101 }]],
    ["timeline[0].percentComplete.step", [{ status: "A", percentComplete: { from: 0, to: 1, step: 0 } }]],
  ];
  test.each(wrong)("%s", (message, timeline) => {
    expect(() => server.addOperation({ timeline })).toThrow(message);
  });

  test("the phase of an unknown operation", () => {
    expect(() => server.setStatus("nobody", "Running")).toThrow(
      'operationId: expected one of the server\'s, got "nobody"',
    );
  });
});
