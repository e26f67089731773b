import { Queue } from "bullmq";
import { idOf } from "../many/operations.ts";

const delayInMs = 3_600_000;
const batchSize = 1000;

/** Adds jobs as they are between two polls, which are due in an hour. */
export async function addDelayedJobs(
  connection: { readonly host: string; readonly port: number },
  endpoint: string,
  count: number,
): Promise<void> {
  const queue = new Queue("operations", { connection });
  for (let first = 0; first < count; first += batchSize) {
    const indices = Array.from({ length: Math.min(batchSize, count - first) }, (_, index) => first + index);
    await queue.addBulk(indices.map((index) => delayedJob(endpoint, 1_000_000 + index)));
  }
  await queue.close();
}

function delayedJob(endpoint: string, index: number): Parameters<Queue["addBulk"]>[0][number] {
  const now = Date.now();
  const operation = {
    endpoint: `${endpoint}/`,
    projectName: "myProject",
    operationId: idOf(index),
    apiVersion: "2025-02-01",
  };
  const token = {
    version: 1,
    operation,
    startedAt: now,
    savedAt: now,
    status: "Running",
    pollCount: 5,
    failedPollCount: 0,
  };
  const retention = { age: 86_400 };
  return {
    name: "operation",
    data: { version: 1, token, options: {}, responseCounts: { Running: 5 } },
    opts: {
      jobId: idOf(index).replaceAll("-", ""),
      delay: delayInMs,
      attempts: Number.MAX_SAFE_INTEGER,
      backoff: { type: "fixed", delay: 1000 },
      stackTraceLimit: 1,
      removeOnComplete: retention,
      removeOnFail: retention,
    },
  };
}
