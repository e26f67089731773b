import {
  InMemoryOrchestrationBackend,
  TestOrchestrationClient,
  TestOrchestrationWorker,
} from "@microsoft/durabletask-js";
import type { OperationSource, Stepper } from "lro-poller/durable";
import { registerWait, startWait } from "./durabletask.ts";

/** Runs a wait without a backend, and replaces its worker every second. Returns the outcome. */
export async function runInMemory(source: OperationSource, stepper: Stepper): Promise<object> {
  const backend = new InMemoryOrchestrationBackend();
  const client = new TestOrchestrationClient(backend);
  const id = await startWait(client, source);
  for (;;) {
    const worker = new TestOrchestrationWorker(backend);
    registerWait(worker, stepper);
    await worker.start();
    const ended = await client.waitForOrchestrationCompletion(id, true, 1).catch(() => undefined);
    await worker.stop();
    if (ended) return JSON.parse(ended.serializedOutput ?? "null");
  }
}
