import { QueueEvents } from "bullmq";
import { OperationStatusesClient, isTerminal } from "lro-poller";
import type { LroError } from "lro-poller";
import { createOperationQueue } from "lro-poller/bullmq";
import type { OperationHandle } from "lro-poller/bullmq";
import { startOperationServer } from "lro-poller/testing";
import type { AddedOperation, OperationPlan, OperationServer, RecordedRequest } from "lro-poller/testing";
import { expect } from "vitest";
import { seeded } from "../../bench/schedule/random.ts";
import { redisTest } from "../support/redis.ts";
import { earlyPolls } from "./early-polls.ts";
import { everySecond, startWorkers } from "./fleet.ts";
import { Takeovers } from "./takeovers.ts";

/** `npm run test:queue` sets more. */
const operations = Number(process.env["OPERATIONS"] ?? 60);
const seed = Number(process.env["SEED"] ?? 20_250_201);
/** The seconds at which Redis is restarted, and the signal that stops it. */
const restarts = new Map<number, "SIGTERM" | "SIGKILL">([
  [3, "SIGTERM"],
  [operations > 500 ? 30 : 8, "SIGKILL"],
]);

redisTest(
  `${operations} operations end once each, with the outcome of the service, while workers are killed and Redis restarts`,
  async (redis) => {
    const random = seeded(seed);
    // In effect no limit: it is there for the headers that name the requests left.
    await using server = await startOperationServer({ requestsPerMinute: 10_000_000 });
    const client = new OperationStatusesClient(server.endpoint);
    const startedAt = performance.now();
    await using queue = createOperationQueue({ connection: redis.connection, logger: silent });
    const events = new QueueEvents("operations", { connection: redis.connection, lastEventId: "0-0" });
    events.on("error", () => {});
    const completions = new Map<string, number>();
    events.on("completed", ({ jobId }) => completions.set(jobId, (completions.get(jobId) ?? 0) + 1));
    await using takeovers = new Takeovers(redis.connection);
    await using workers = await startWorkers(3, redis, server);
    const chaos = everySecond(async (second) => {
      const signal = restarts.get(second);
      if (signal) await redis.restart(signal);
      await workers.killOne(random);
      await takeovers.read();
    });
    const outcomes = await Promise.all(
      Array.from({ length: operations }, async (_, index) => {
        const added = server.addOperation(planOf(index, random));
        const handle = await queue.add(client.operation(added.projectName, added.operationId), {
          maxDelayInMs: 10_000,
        });
        return { added, handle, outcome: await outcomeOf(handle) };
      }),
    );
    await chaos.stop();
    await takeovers.read();
    await events.close();

    const seconds = Math.round((performance.now() - startedAt) / 1000);
    console.log(
      `seed ${seed}: ${outcomes.length} operations in ${seconds} s, ${workers.killedAt.size} kills, ` +
        `${restarts.size} restarts of Redis, ${server.requests.length} polls`,
    );
    const wrong = outcomes.filter(({ added, outcome }) => outcome !== expectedOutcome(server, added));
    expect(wrong.map(({ added, outcome }) => [added.operationId, outcome])).toEqual([]);
    expect(new Set(outcomes.map(({ handle }) => handle.jobId)).size).toBe(operations);
    expect(Array.from(completions.values()).filter((times) => times !== 1)).toEqual([]);
    expect(await queue.counts()).toEqual({
      delayed: 0,
      waiting: 0,
      active: 0,
      completed: operations,
      rejected: 0,
    });
    const withRetryAfter = new Set(
      outcomes.flatMap(({ added }, index) => (index % 3 === 0 ? [added.operationId] : [])),
    );
    const retryAfterOf = ({ responseStatus, operationId = "" }: RecordedRequest): number =>
      responseStatus === 200 && withRetryAfter.has(operationId) ? retryAfterInMs : 0;
    const jobIdOf = new Map(outcomes.map(({ added, handle }) => [added.operationId, handle.jobId]));
    const isUnsaved = ({ operationId = "", receivedAt }: RecordedRequest, next: RecordedRequest): boolean =>
      takeovers.isBetween(jobIdOf.get(operationId) ?? "", receivedAt, next.receivedAt);
    expect(earlyPolls(server.requests, retryAfterOf, isUnsaved)).toEqual([]);
    expect(workers.killedAt.size).toBeGreaterThanOrEqual(5);
    expect(seconds).toBeGreaterThan(Math.max(...restarts.keys()));
  },
  300_000,
);

const silent = { verbose: () => {}, info: () => {}, warning: () => {}, error: () => {} };
const retryAfterInMs = 2000;

/** Lasts from 8 s to 30 s. Every third response has a Retry-After, every fifth operation fails, every seventh is canceled. */
function planOf(index: number, random: () => number): OperationPlan {
  const durationInMs = 8000 + random() * (operations > 500 ? 22_000 : 6000);
  const error = { code: "DeploymentFailed", message: `No ${index}.` };
  const last = {
    status: index % 5 === 0 ? "Failed" : index % 7 === 0 ? "Canceled" : "Succeeded",
    ...(index % 5 === 0 ? { error } : { properties: { index } }),
  };
  return {
    timeline: [{ status: "NotStarted", durationInMs: 500 }, { status: "Running", durationInMs }, last],
    ...(index % 3 === 0 && { retryAfter: retryAfterInMs / 1000 }),
    faults: { 2: { kind: "status", status: 500 }, ...(index % 4 === 0 && { 3: { kind: "reset" } }) },
  };
}

async function outcomeOf(handle: OperationHandle): Promise<string> {
  return handle.pollUntilDone().then(
    (result) => JSON.stringify(["Succeeded", result]),
    (error: LroError) => JSON.stringify([error.operation?.status, error.operation?.error?.message]),
  );
}

/** The outcome by the server's own state. */
function expectedOutcome(server: OperationServer, { operationId }: AddedOperation): string {
  const { status, properties, error } = server.state(operationId);
  expect(isTerminal(status)).toBe(true);
  return JSON.stringify([status, status === "Succeeded" ? properties : error?.message]);
}
