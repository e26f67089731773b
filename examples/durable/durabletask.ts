import type {
  OrchestrationContext,
  Task,
  TaskHubGrpcClient,
  TaskHubGrpcWorker,
  TestOrchestrationClient,
  TestOrchestrationWorker,
} from "@microsoft/durabletask-js";
import { firstState, operationKey } from "lro-poller/durable";
import type {
  FirstStateOptions,
  OperationSource,
  StepOutcome,
  StepResult,
  StepState,
  Stepper,
} from "lro-poller/durable";

/** Registers the orchestration. The backend keeps the state and the timer. */
export function registerWait(worker: TaskHubGrpcWorker | TestOrchestrationWorker, stepper: Stepper): void {
  worker.addNamedActivity("poll", (_context, state: StepState) => stepper.step(state));
  worker.addNamedOrchestrator("wait", wait);
}

/** One poll, then a timer until the moment that the poll has named. */
async function* wait(
  context: OrchestrationContext,
  first: StepState,
): AsyncGenerator<Task<unknown>, StepOutcome | undefined, StepResult> {
  let state = first;
  for (let polls = 1; ; polls++) {
    const result = yield context.callActivity("poll", state);
    if (result.type === "ended") return result.outcome;
    state = result.state;
    yield context.createTimer(new Date(result.dueAt));
    if (polls < 3) continue;
    context.continueAsNew(state, false);
    return undefined;
  }
}

export function startWait(
  client: TaskHubGrpcClient | TestOrchestrationClient,
  source: OperationSource,
  options?: FirstStateOptions,
): Promise<string> {
  return client.scheduleNewOrchestration("wait", firstState(source, options), operationKey(source));
}
