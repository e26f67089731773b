import { Queue } from "bullmq";
import { idOf } from "../many/operations.ts";

const anHourInMs = 3_600_000;
const atOnce = 1000;

/** Jobs as they are between two reads, which are due in an hour. */
export async function addSleepers(
  connection: { readonly host: string; readonly port: number },
  endpoint: string,
  count: number,
): Promise<void> {
  const queue = new Queue("operations", { connection });
  for (let first = 0; first < count; first += atOnce) {
    const indices = Array.from({ length: Math.min(atOnce, count - first) }, (_, index) => first + index);
    await queue.addBulk(indices.map((index) => sleeper(endpoint, 1_000_000 + index)));
  }
  await queue.close();
}

function sleeper(endpoint: string, index: number): Parameters<Queue["addBulk"]>[0][number] {
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
  const kept = { age: 86_400 };
  const opts = {
    jobId: idOf(index).replaceAll("-", ""),
    delay: anHourInMs,
    attempts: Number.MAX_SAFE_INTEGER,
  };
  return {
    name: "operation",
    data: { version: 1, token, options: {}, responseCounts: { Running: 5 } },
    opts: {
      ...opts,
      backoff: { type: "fixed", delay: 1000 },
      stackTraceLimit: 1,
      removeOnComplete: kept,
      removeOnFail: kept,
    },
  };
}
