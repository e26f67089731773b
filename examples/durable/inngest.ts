import { Inngest } from "inngest";
import type { InngestFunction } from "inngest";
import { firstState, operationKey } from "lro-poller/durable";
import type {
  FirstStateOptions,
  OperationSource,
  StepOutcome,
  StepResult,
  Stepper,
} from "lro-poller/durable";

const inngest = new Inngest({ id: "waits" });

/** Returns the function to serve. The function's result is the outcome. */
export function createWait(stepper: Stepper): InngestFunction.Any {
  const options = { id: "wait", idempotency: "event.data.key", triggers: [{ event: "waits/start" }] };
  return inngest.createFunction(options, async ({ event, step }): Promise<StepOutcome> => {
    let state: unknown = event.data["state"];
    for (let poll = 1; ; poll++) {
      const result: StepResult = JSON.parse(
        // As text: types of results that went through JSON would be others.
        await step.run(`poll ${poll}`, async () => JSON.stringify(await stepper.step(state))),
      );
      if (result.type === "ended") return result.outcome;
      state = result.state;
      await step.sleepUntil(`wait ${poll}`, new Date(result.dueAt));
    }
  });
}

export async function startWait(source: OperationSource, options?: FirstStateOptions): Promise<string> {
  const key = operationKey(source);
  await inngest.send({ name: "waits/start", data: { key, state: firstState(source, options) } });
  return key;
}
