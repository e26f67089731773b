import * as df from "durable-functions";
import type { DurableClient, OrchestrationContext, Task } from "durable-functions";
import { firstState, operationKey } from "lro-poller/durable";
import type {
  FirstStateOptions,
  OperationSource,
  StepOutcome,
  StepResult,
  StepState,
  Stepper,
} from "lro-poller/durable";

/** Registers the functions. The host keeps the state and the timer. */
export function registerWait(stepper: Stepper): void {
  df.app.activity("poll", { handler: (state: unknown) => stepper.step(state) });
  df.app.orchestration("wait", wait);
}

/** One poll, then a timer. Each third poll continues as new, so that the history stays small. */
export function* wait({
  df: context,
}: OrchestrationContext): Generator<Task, StepOutcome | undefined, StepResult> {
  let state: StepState = context.getInput();
  for (let polls = 1; ; polls++) {
    const result = yield context.callActivity("poll", state);
    if (result.type === "ended") return result.outcome;
    state = result.state;
    yield context.createTimer(new Date(result.dueAt));
    if (polls < 3) continue;
    context.continueAsNew(state);
    return undefined;
  }
}

/** Starting an instance that exists fails, unless it is over. */
export function startWait(
  client: DurableClient,
  source: OperationSource,
  options?: FirstStateOptions,
): Promise<string> {
  return client.startNew("wait", { instanceId: operationKey(source), input: firstState(source, options) });
}
