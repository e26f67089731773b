import { expect, test } from "vitest";
import { createStepper, firstState } from "lro-poller/durable";
import type { Pace, StepOptions } from "lro-poller/durable";
import { createVirtualClock, scriptedOperation } from "lro-poller/testing";
import type { ScriptedReply, VirtualClock } from "lro-poller/testing";
import { parseOutcome } from "../../src/durable/step-outcome.ts";
import { down } from "../support/scripted-poller.ts";
import { stored } from "./outcome-of.ts";

const everySecond = { minDelayInMs: 1000, maxDelayInMs: 1000 };
const hourInMs = 3_600_000;
const done = { status: "Succeeded", properties: 7 };

/** A pace that makes one request wait for an hour. */
function holdAt(held: number): Pace {
  let requests = 0;
  return {
    turn: ({ isReserved }) => (!isReserved && ++requests === held ? hourInMs : 0),
    learn: () => {},
  };
}

async function outcomeWith(pace: Pace, replies: readonly ScriptedReply[], options: StepOptions) {
  const clock = createVirtualClock();
  const operation = scriptedOperation(replies);
  const stepper = createStepper({ resolveOperation: () => operation, clock, pace });
  let state = stored(firstState(operation, { ...everySecond, ...options, clock }));
  for (;;) {
    const result = await stepper.step(state);
    if (result.type === "ended") return parseOutcome(stored(result.outcome));
    state = stored(result.state);
    await clock.advance(result.delayInMs);
  }
}

test.each([
  ["an outage", [down(), down(), down(), done], {}],
  ["a stall", ["Running", "Running", "Running", done], { stallTimeoutInMs: 60_000 }],
])("the hour for which a poll waits for its turn is no part of %s", async (_, replies, options) => {
  expect(await outcomeWith(holdAt(3), replies, options)).toEqual({ type: "succeeded", result: 7 });
});

test("the Retry-After of a failed poll is lifted with the pause of its origin", async () => {
  const clock: VirtualClock = createVirtualClock();
  const operation = scriptedOperation([down({ retryAfterInMs: hourInMs }), done]);
  let liftedAt = 0;
  const pace: Pace = { turn: () => 0, learn: () => {}, liftedAt: () => liftedAt };
  const stepper = createStepper({ resolveOperation: () => operation, clock, pace });
  const failed = await stepper.step(firstState(operation, { clock }));
  if (failed.type !== "again") throw new Error("expected a wait for the Retry-After");
  await clock.advance(1000);
  expect(await stepper.step(stored(failed.state))).toMatchObject({
    type: "again",
    delayInMs: failed.delayInMs - 1000,
  });
  liftedAt = clock.timestamp();
  expect(await stepper.step(stored(failed.state))).toMatchObject({ type: "ended" });
});

test("a turn that was reserved before a pause was lifted is due at once, and no later one", async () => {
  const clock: VirtualClock = createVirtualClock();
  const operation = scriptedOperation([done]);
  let liftedAt = 0;
  const pace: Pace = { ...holdAt(1), liftedAt: () => liftedAt };
  const stepper = createStepper({ resolveOperation: () => operation, clock, pace });
  const held = await stepper.step(firstState(operation, { clock }));
  if (held.type !== "again") throw new Error("expected a wait for the turn");
  await clock.advance(1000);
  liftedAt = clock.timestamp() - 2000;
  expect(await stepper.step(stored(held.state))).toMatchObject({ type: "again", delayInMs: hourInMs - 1000 });
  liftedAt = clock.timestamp();
  expect(await stepper.step(stored(held.state))).toMatchObject({ type: "ended" });
});
