import { firstState, operationKey } from "lro-poller/durable";
import type { FirstStateOptions, OperationSource, StepOutcome, StepState, Stepper } from "lro-poller/durable";
import { resultOf } from "lro-poller/durable/outcome";
import { PgBoss } from "pg-boss";
import type { ConstructorOptions, Job } from "pg-boss";

const queue = "waits";

export async function openQueue(options: ConstructorOptions, expireInSeconds = 120): Promise<PgBoss> {
  const boss = new PgBoss(options);
  boss.on("error", console.error);
  await boss.start();
  // One job an operation. The job of a killed worker is retried after `expireInSeconds`, as often as it takes.
  const retries = { retryLimit: 1_000_000, retryDelay: 1 };
  await boss.createQueue(queue, { policy: "exclusive", expireInSeconds, ...retries });
  return boss;
}

export async function startWait(
  boss: PgBoss,
  source: OperationSource,
  options?: FirstStateOptions,
): Promise<string> {
  const singletonKey = operationKey(source);
  await boss.send(queue, firstState(source, options), { singletonKey });
  return singletonKey;
}

export async function startWorker(boss: PgBoss, stepper: Stepper): Promise<void> {
  // One transaction: the poll's job is replaced by the next one, or completed with the outcome.
  const options = { transactional: true, localConcurrency: 8, pollingIntervalSeconds: 0.5 } as const;
  await boss.work(queue, options, async (jobs: Job<StepState>[], db): Promise<StepOutcome | null> => {
    const takenAt = Date.now();
    for (const { id, data, signal, expireInSeconds } of jobs) {
      const beforePoll = (): void => {
        if (Date.now() >= takenAt + expireInSeconds * 1000)
          throw new Error("The process was suspended: another may have the job.");
      };
      const result = await stepper.step(data, { abortSignal: signal, beforePoll });
      if (result.type === "ended") return result.outcome;
      // First, because the key admits one job.
      await boss.deleteJob(queue, id, { db });
      const delay = { singletonKey: operationKey(data.token), startAfter: result.delayInMs / 1000 };
      await boss.send(queue, result.state, { ...delay, db });
    }
    return null;
  });
}

/** Returns `undefined` while the operation runs. Throws the error of a failed one. */
export async function findResult(boss: PgBoss, key: string): Promise<{ result: unknown } | undefined> {
  const [job] = await boss.findJobs<StepState>(queue, { key });
  return job?.state === "completed" ? { result: resultOf(job.output) } : undefined;
}
