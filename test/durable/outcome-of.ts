import type { Operation } from "lro-poller";
import { createStepper, firstState } from "lro-poller/durable";
import type { StepOptions } from "lro-poller/durable";
import { createVirtualClock } from "lro-poller/testing";
import type { VirtualClock } from "lro-poller/testing";
import { parseOutcome } from "../../src/durable/step-outcome.ts";
import type { Outcome } from "../../src/state/outcome.ts";

/** Passes a value through an engine's store, as any process would read it. */
export function stored(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

interface Surroundings {
  readonly clock?: VirtualClock;
  /** Called before each step, with its number. */
  readonly beforeStep?: (step: number) => Promise<void>;
}

/** Makes steps until the wait ends, each with nothing but what the engine's store keeps. */
export async function outcomeOf(
  operation: Operation,
  options: StepOptions = {},
  { clock = createVirtualClock(), beforeStep }: Surroundings = {},
): Promise<Outcome<unknown>> {
  let state = stored(firstState(operation, { ...options, clock }));
  for (let number = 1; ; number++) {
    await beforeStep?.(number);
    const stepper = createStepper({ resolveOperation: () => operation, clock });
    const result = await stepper.step(state);
    if (result.type === "ended") return parseOutcome(stored(result.outcome));
    state = stored(result.state);
    await clock.advance(result.delayInMs);
  }
}
