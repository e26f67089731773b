import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseOperationStatus } from "lro-poller";
import { createVirtualClock, scriptedOperation, startOperationServer } from "lro-poller/testing";
import type { OperationServer, Phase, Timeline } from "lro-poller/testing";
import { scenarios } from "../../src/cli/commands/scenarios.ts";
import { checkTimeline, percentAt, positionAt, startPosition } from "../../src/testing/timeline.ts";
import type { Age } from "../../src/testing/timeline.ts";
import { fuzz } from "./support.ts";

const percents = fc.double({ min: 0, max: 100, noNaN: true });
const ramps = fc.record(
  {
    from: percents,
    to: percents,
    step: fc.oneof(
      fc.double({ min: Number.MIN_VALUE, max: 200, noNaN: true }),
      fc.constantFrom(0.1, 1, 5, 0.3),
    ),
  },
  { requiredKeys: ["from", "to"] },
);
const shown = fc.record(
  {
    status: fc.constantFrom("NotStarted", "Running", "Creating", "Succeeded", "Failed"),
    percentComplete: fc.oneof(percents, ramps),
  },
  { requiredKeys: ["status"] },
);
const spans = fc.oneof(
  fc.double({ min: 0, max: 1e9, noNaN: true }).map((durationInMs) => ({ durationInMs })),
  fc.integer({ min: 1, max: 5 }).map((polls) => ({ polls })),
);
const phases: fc.Arbitrary<Phase> = fc.tuple(shown, spans).map(([phase, span]) => ({ ...phase, ...span }));
const timelines: fc.Arbitrary<Timeline> = fc.array(phases, { minLength: 1, maxLength: 8 });
const steps = fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { maxLength: 20 });

function agesAfter(gaps: readonly number[]): readonly Age[] {
  let elapsedInMs = 0;
  return gaps.map((gap, polls) => ({ elapsedInMs: (elapsedInMs += gap), polls }));
}

const garbage = fc.oneof(
  fc.anything(),
  fc.array(
    fc.record(
      {
        status: fc.anything(),
        durationInMs: fc.anything(),
        polls: fc.anything(),
        percentComplete: fc.oneof(ramps, fc.anything()),
      },
      { requiredKeys: [] },
    ),
  ),
);

describe("a timeline", () => {
  test("is accepted, or rejected with the name of the invalid field", () =>
    fuzz(
      fc.property(garbage, (value) => {
        try {
          // Users of plain JavaScript may pass anything.
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion
          checkTimeline("timeline", value as Timeline);
        } catch (error) {
          expect(error instanceof TypeError || error instanceof RangeError).toBe(true);
          expect(String(error)).toMatch(/^\w+: timeline\S*: expected /);
        }
      }),
    ));

  test("only moves forward, and shows a percentage between the ends of its ramp", () =>
    fuzz(
      fc.property(timelines, steps, (timeline, gaps) => {
        let position = startPosition;
        for (const age of agesAfter(gaps)) {
          const before = position;
          position = positionAt(timeline, before, age);
          expect(position.phaseIndex).toBeGreaterThanOrEqual(before.phaseIndex);
          const phase = timeline[position.phaseIndex];
          if (phase === undefined) throw new Error(`There is no phase ${position.phaseIndex}.`);
          checkPercent(phase, percentAt(phase, position.enteredAt, age));
        }
      }),
    ));
});

function checkPercent({ percentComplete }: Phase, percent: number | undefined): void {
  if (typeof percentComplete !== "object") {
    expect(percent).toBe(percentComplete);
    return;
  }
  const { from, to } = percentComplete;
  expect(percent).toBeGreaterThanOrEqual(Math.min(from, to));
  expect(percent).toBeLessThanOrEqual(Math.max(from, to));
}

async function withServer(check: (server: OperationServer) => Promise<void>): Promise<void> {
  await using server = await startOperationServer({ clock: createVirtualClock() });
  await check(server);
}

describe("the emulator", () => {
  test("shows a status within the contract for every operation that it accepts", () =>
    withServer((server) =>
      fuzz(
        fc.property(timelines, (timeline) => {
          const { operationId } = server.addOperation({ timeline });
          const { status } = parseOperationStatus(
            JSON.parse(JSON.stringify(server.state(operationId))),
            operationId,
          );
          expect(timeline.map((phase) => phase.status)).toContain(status);
        }),
      ),
    ));

  test("accepts every scenario of the command, and any other phase for it", () =>
    withServer((server) =>
      fuzz(
        fc.property(fc.constantFrom(...scenarios), phases, ({ plan }, phase) => {
          const { operationId } = server.addOperation({ ...plan });
          server.setStatus(operationId, phase);
          expect(server.state(operationId)).toMatchObject({ status: phase.status, name: operationId });
        }),
      ),
    ));

  test("replies by a valid script, and rejects an invalid one with its name", () =>
    fuzz(
      fc.asyncProperty(fc.array(fc.anything()), async (replies) => {
        const { signal: abortSignal } = new AbortController();
        try {
          // Users of plain JavaScript may pass anything.
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion
          const operation = scriptedOperation(replies as string[]);
          await operation.getStatus({ abortSignal });
          expect(operation.polls).toHaveLength(1);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
          expect(String(error)).toMatch(/expected/);
        }
      }),
      0.2,
    ));
});
