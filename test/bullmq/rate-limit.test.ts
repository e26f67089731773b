import { OperationStatusesClient } from "lro-poller";
import { createOperationQueue } from "lro-poller/bullmq";
import { startOperationStatusServer } from "lro-poller/testing";
import { expect } from "vitest";
import { redisTest, whyNone } from "../support/redis.ts";
import { startWorkers } from "./fleet.ts";

/** So many that they would ask for several times what the service takes, as long as any of them runs. */
const operations = 250;
const shortestInMs = 120_000;
const longestInMs = 180_000;
const requestsPerMinute = 300;
/** As `npm run test:queue` does. */
const isAskedFor = process.env["OPERATIONS"] !== undefined;

redisTest(
  "short of a budget of 300 requests a minute, three workers use it up and keep below 2 % of 429s",
  async (redis) => {
    await using server = await startOperationStatusServer({ requestsPerMinute });
    const client = new OperationStatusesClient(server.endpoint);
    await using queue = createOperationQueue({ connection: redis.connection });
    await using workers = await startWorkers(3, redis, server);
    const handles = await Promise.all(
      Array.from({ length: operations }, async (_, index) => {
        const durationInMs = shortestInMs + (index / operations) * (longestInMs - shortestInMs);
        const { projectName, operationId } = server.addOperation({
          timeline: [{ status: "Running", durationInMs }, { status: "Succeeded" }],
        });
        return queue.add(client.operation(projectName, operationId));
      }),
    );
    await Promise.all(handles.map((handle) => handle.pollUntilDone()));

    const { requests } = server;
    const refused = requests.filter(({ responseStatus }) => responseStatus === 429).length;
    const startedAt = requests[0]?.receivedAt ?? 0;
    const whileShort = requests.filter(({ receivedAt }) => receivedAt - startedAt < shortestInMs).length;
    const used = whileShort / ((shortestInMs / 60_000) * requestsPerMinute);
    console.log(
      `${requests.length} reads, ${whileShort} of them in the first two minutes (${Math.round(used * 100)} % of the ` +
        `budget); ${refused} answered 429`,
    );
    expect(workers.killedAt.size).toBe(0);
    expect(refused / requests.length).toBeLessThan(0.02);
    expect(used).toBeGreaterThan(0.85);
  },
  600_000,
  isAskedFor ? whyNone : "it takes four minutes (npm run test:queue)",
);
