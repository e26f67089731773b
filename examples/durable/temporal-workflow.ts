import { proxyActivities, sleep } from "@temporalio/workflow";
import type { StepState, Stepper } from "lro-poller/durable";
import { resultOf } from "lro-poller/durable/outcome";

/** `{ step: (state) => stepper.step(state) }` in the worker. */
export interface Activities {
  readonly step: (state: StepState) => ReturnType<Stepper["step"]>;
}

const { step } = proxyActivities<Activities>({ startToCloseTimeout: "2 minutes" });

/** Loads in the sandbox of workflows, because it imports no transport. */
export async function wait(first: StepState): Promise<unknown> {
  for (let state = first; ;) {
    const result = await step(state);
    if (result.type === "ended") return resultOf(result.outcome);
    state = result.state;
    await sleep(result.delayInMs);
  }
}
