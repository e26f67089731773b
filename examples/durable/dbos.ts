import { DBOS, DBOSClient } from "@dbos-inc/dbos-sdk";
import { firstState, operationKey } from "lro-poller/durable";
import type { FirstStateOptions, OperationSource, StepOutcome, StepState, Stepper } from "lro-poller/durable";
import { resultOf } from "lro-poller/durable/outcome";

/** By hand: by default a hash of the code, and then no other release goes on with a workflow. */
const applicationVersion = "waits-1";
const name = "lro-waits";

/** Before the workers of a release start: several that do it at once can deadlock. */
export function migrate(systemDatabaseUrl: string): Promise<void> {
  return DBOS.migrate(systemDatabaseUrl);
}

/** @param executorID - the same after a restart: a process goes on with the workflows of its own id only */
export async function startWorker(
  systemDatabaseUrl: string,
  executorID: string,
  stepper: Stepper,
): Promise<void> {
  const settings = { applicationVersion, executorID, runMigrations: false, logLevel: "warn" };
  DBOS.setConfig({ name, systemDatabaseUrl, ...settings });
  DBOS.registerWorkflow(wait, { name: "wait", maxRecoveryAttempts: 1_000_000 });
  await DBOS.launch();
  await DBOS.registerQueue("waits", { workerConcurrency: 100 });

  async function wait(first: StepState): Promise<StepOutcome> {
    for (let state = first; ;) {
      const step = { name: "poll", retriesAllowed: true, maxAttempts: 1000, backoffRate: 1 };
      const result = await DBOS.runStep(() => stepper.step(state), step);
      if (result.type === "ended") return result.outcome;
      state = result.state;
      await DBOS.sleep(result.delayInMs);
    }
  }
}

export function connect(systemDatabaseUrl: string): Promise<DBOSClient> {
  return DBOSClient.create({ systemDatabaseUrl, applicationName: name });
}

/** A second start of the same operation attaches to the first. */
export async function startWait(
  client: DBOSClient,
  source: OperationSource,
  options?: FirstStateOptions,
): Promise<string> {
  const workflowID = operationKey(source);
  const workflow = { queueName: "waits", workflowName: "wait", workflowID, appVersion: applicationVersion };
  await client.enqueue(workflow, firstState(source, options));
  return workflowID;
}

export async function getResult(client: DBOSClient, key: string): Promise<unknown> {
  return resultOf(await client.retrieveWorkflow<StepOutcome>(key).getResult());
}
