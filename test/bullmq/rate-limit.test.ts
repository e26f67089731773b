import { OperationStatusesClient } from "lro-poller";
import { createOperationQueue } from "lro-poller/bullmq";
import { startOperationServer } from "lro-poller/testing";
import { expect } from "vitest";
import { redisTest, skipReason } from "../support/redis.ts";
import { startWorkers } from "./fleet.ts";

/** Enough that, without a limit, their polls would be several times what the service accepts. */
const operations = 250;
const minDurationInMs = 120_000;
const maxDurationInMs = 180_000;
const requestsPerMinute = 300;
/** `npm run test:queue` sets it. */
const isRequested = process.env["OPERATIONS"] !== undefined;

for (const [name, env] of [
  ["with", {}],
  ["without", { WITHOUT_RATE_HEADERS: "1" }],
] as const)
  redisTest(
    `three workers that want more than 300 polls a minute use up that rate ${name} rate headers, with less than 2 % of 429s`,
    async (redis) => {
      await using server = await startOperationServer({ requestsPerMinute });
      const client = new OperationStatusesClient(server.endpoint);
      await using queue = createOperationQueue({ connection: redis.connection });
      await using workers = await startWorkers(3, redis, server, () => env);
      const handles = await Promise.all(
        Array.from({ length: operations }, async (_, index) => {
          const durationInMs = minDurationInMs + (index / operations) * (maxDurationInMs - minDurationInMs);
          const { projectName, operationId } = server.addOperation({
            timeline: [{ status: "Running", durationInMs }, { status: "Succeeded" }],
          });
          return queue.add(client.operation(projectName, operationId));
        }),
      );
      await Promise.all(handles.map((handle) => handle.pollUntilDone()));

      const { requests } = server;
      const throttled = requests.filter(({ responseStatus }) => responseStatus === 429).length;
      const startedAt = requests[0]?.receivedAt ?? 0;
      const whileAllRun = requests.filter(
        ({ receivedAt }) => receivedAt - startedAt < minDurationInMs,
      ).length;
      const used = whileAllRun / ((minDurationInMs / 60_000) * requestsPerMinute);
      console.log(
        `${name}: ${requests.length} polls, ${whileAllRun} of them in the first two minutes (${Math.round(used * 100)} % of the ` +
          `limit); ${throttled} throttled`,
      );
      expect(workers.killedAt.size).toBe(0);
      expect(throttled / requests.length).toBeLessThan(0.02);
      expect(used).toBeGreaterThan(0.85);
    },
    600_000,
    isRequested ? skipReason : "it takes eight minutes (npm run test:queue)",
  );
