import { createRequire } from "node:module";
import { setTimeout as delay } from "node:timers/promises";
import { LroClient } from "lro-poller";
import { createStepper, firstState } from "lro-poller/durable";
import type { OperationSource, Stepper } from "lro-poller/durable";
import { resultOf } from "lro-poller/durable/outcome";
import { startOperationServer } from "lro-poller/testing";
import { examplesFolder } from "./examples.ts";

/** Runs a wait in this process, and returns its outcome. */
type RunWait = (source: OperationSource, stepper: Stepper) => Promise<object>;

/** An engine whose server does not run on this machine: its own code replays the example in this process. */
export interface Replay {
  readonly name: string;
  readonly how: string;
  readonly run: RunWait;
}

/** A result that its process did not live to record: every second poll is made again. */
function forgetfully(stepper: Stepper): Stepper {
  let steps = 0;
  return {
    async step(state, options) {
      if (++steps % 2 === 0) await stepper.step(state, options);
      return stepper.step(state, options);
    },
  };
}

interface DurableAction {
  readonly actionType: number;
  readonly input?: unknown;
  readonly fireAt?: Date;
}

interface OrchestratorResult {
  readonly isDone: boolean;
  readonly actions: readonly (readonly DurableAction[])[];
  readonly output?: object;
}

/** The part of durable-functions that replays an orchestrator. It is not exported from the package's root. */
interface DurableReplay {
  createOrchestrator(orchestrator: object): (input: object, context: object) => Promise<OrchestratorResult>;
  DurableOrchestrationInput: new (id: string, history: readonly object[], input: unknown) => object;
  DummyOrchestrationContext: new () => object;
}

const actionTypes = { callActivity: 0, continueAsNew: 4, createTimer: 5 };
const eventTypes = {
  executionStarted: 0,
  taskScheduled: 4,
  taskCompleted: 5,
  timerCreated: 10,
  timerFired: 11,
  orchestratorStarted: 12,
};

/** A host of Durable Functions in thirty lines: each turn replays the history, as after a restart. */
async function runDurableFunctions(source: OperationSource, stepper: Stepper): Promise<object> {
  const { wait } = await import("../../examples/durable/durable-functions.ts");
  const require = createRequire(`${examplesFolder}/package.json`);
  const replay: DurableReplay = require("durable-functions/lib/src/util/testingUtils.js");
  const event = (EventType: number, fields: object = {}): object => ({
    EventType,
    EventId: -1,
    IsPlayed: false,
    Timestamp: new Date(),
    ...fields,
  });
  const begin = (): object[] => [event(eventTypes.orchestratorStarted), event(eventTypes.executionStarted)];
  let input: unknown = firstState(source);
  let history = begin();
  for (;;) {
    const orchestrator = replay.createOrchestrator(wait);
    const orchestration = new replay.DurableOrchestrationInput("wait", history, input);
    const { isDone, actions, output } = await orchestrator(
      orchestration,
      new replay.DummyOrchestrationContext(),
    );
    const all = actions.flat();
    const id = all.length - 1;
    const latest = all[id];
    if (latest?.actionType === actionTypes.continueAsNew) {
      input = latest.input;
      history = begin();
    } else if (isDone) {
      if (output === undefined) throw new Error("the orchestration ended without an outcome");
      return output;
    } else if (latest?.actionType === actionTypes.callActivity) {
      const state = typeof latest.input === "string" ? JSON.parse(latest.input) : latest.input;
      const result = await stepper.step(state);
      history.push(event(eventTypes.taskScheduled, { EventId: id }));
      const completed = { TaskScheduledId: id, Result: JSON.stringify(result) };
      history.push(event(eventTypes.orchestratorStarted), event(eventTypes.taskCompleted, completed));
    } else if (latest?.actionType === actionTypes.createTimer) {
      const FireAt = new Date(latest.fireAt ?? 0);
      history.push(event(eventTypes.timerCreated, { EventId: id, FireAt }));
      await delay(Math.max(0, FireAt.getTime() - Date.now()));
      history.push(
        event(eventTypes.orchestratorStarted),
        event(eventTypes.timerFired, { TimerId: id, FireAt }),
      );
    } else {
      throw new Error(`an action that this host does not know: ${JSON.stringify(latest)}`);
    }
  }
}

/** The in-memory backend, whose worker is replaced while the wait runs. */
async function runDurableTask(source: OperationSource, stepper: Stepper): Promise<object> {
  const { runInMemory } = await import("../../examples/durable/durabletask-in-memory.ts");
  // Its worker takes no logger.
  console.info = () => {};
  console.debug = () => {};
  return runInMemory(source, stepper);
}

export const replays: readonly Replay[] = [
  {
    name: "durable-functions",
    how: "its own replay of the history, by a host of 30 lines",
    run: runDurableFunctions,
  },
  {
    name: "durabletask-js",
    how: "its in-memory backend, the worker replaced every second",
    run: runDurableTask,
  },
];

/** Runs operations in this process. Returns what went wrong. */
export async function runReplay({ name, how, run }: Replay, operations: number): Promise<string[]> {
  const server = await startOperationServer({ style: "arm", requestsPerMinute: 10_000_000 });
  try {
    const client = new LroClient(server.endpoint);
    const results = await Promise.all(
      Array.from({ length: operations }, async (_, index) => {
        const isFailed = index % 5 === 0;
        const last = isFailed
          ? { status: "Failed", error: { code: "DeploymentFailed", message: `No ${index}.` } }
          : { status: "Succeeded", properties: { index } };
        const { operationLocation } = server.addOperation({
          timeline: [{ status: "Running", durationInMs: 3000 + index * 100 }, last],
          retryAfter: 1,
          faults: { 2: { kind: "status", status: 503, retryAfter: 1 } },
        });
        const stepper = createStepper({ clients: [client] });
        const outcome = await run(client.operationAt(operationLocation), forgetfully(stepper));
        const result = await settle(outcome);
        return isFailed ? result.includes(`No ${index}.`) : result === JSON.stringify({ index });
      }),
    );
    const right = results.filter(Boolean).length;
    console.log(`${name} (${how}): ${right} of ${operations} right, ${server.requests.length} polls`);
    return right === operations ? [] : [`${name}: ${right} of ${operations} right`];
  } finally {
    await server.close();
  }
}

async function settle(outcome: object): Promise<string> {
  try {
    return JSON.stringify(resultOf(outcome));
  } catch (error) {
    return String(error);
  }
}
