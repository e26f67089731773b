import type { Client } from "@temporalio/client";
import { NativeConnection, Worker, bundleWorkflowCode } from "@temporalio/worker";
import { firstState, operationKey } from "lro-poller/durable";
import type { FirstStateOptions, OperationSource, Stepper } from "lro-poller/durable";
import type { Activities, wait } from "./temporal-workflow.ts";

const taskQueue = "waits";

export async function bundleWorkflow(): Promise<{ code: string }> {
  return bundleWorkflowCode({ workflowsPath: new URL("temporal-workflow.ts", import.meta.url).pathname });
}

export async function startWorker(address: string, stepper: Stepper): Promise<void> {
  const activities: Activities = { step: (state) => stepper.step(state) };
  const worker = await Worker.create({
    connection: await NativeConnection.connect({ address }),
    workflowBundle: await bundleWorkflow(),
    activities: { ...activities },
    taskQueue,
  });
  await worker.run();
}

/** Starting a workflow that runs already is rejected. */
export async function startWait(
  client: Client,
  source: OperationSource,
  options?: FirstStateOptions,
): Promise<string> {
  const workflowId = operationKey(source);
  const args: Parameters<typeof wait> = [firstState(source, options)];
  await client.workflow.start<typeof wait>("wait", { workflowId, taskQueue, args });
  return workflowId;
}
