import { OperationStatusesClient } from "lro-poller";
import { createOperationQueue } from "lro-poller/bullmq";
import { startOperationStatusServer } from "lro-poller/testing";
import { expect } from "vitest";
import { redisTest, whyNone } from "../support/redis.ts";
import { startWorkers } from "./fleet.ts";

/** Fewer leave the budget unused, and take as long: minutes of it have to pass. */
const operations = 150;
/** As `npm run test:queue` does. */
const isAskedFor = process.env["OPERATIONS"] !== undefined;

redisTest(
  "at 300 requests a minute three workers keep below 2 % of 429s",
  async (redis) => {
    await using server = await startOperationStatusServer({ requestsPerMinute: 300 });
    const client = new OperationStatusesClient(server.endpoint);
    await using queue = createOperationQueue({ connection: redis.connection });
    await using workers = await startWorkers(3, redis, server);
    const handles = await Promise.all(
      Array.from({ length: operations }, async (_, index) => {
        const durationInMs = 1000 + index * 600;
        const { projectName, operationId } = server.addOperation({
          timeline: [{ status: "Running", durationInMs }, { status: "Succeeded" }],
        });
        return queue.add(client.operation(projectName, operationId));
      }),
    );
    await Promise.all(handles.map((handle) => handle.pollUntilDone()));

    const { requests } = server;
    const refused = requests.filter(({ answeredStatus }) => answeredStatus === 429);
    const minutes = ((requests.at(-1)?.receivedAt ?? 0) - (requests[0]?.receivedAt ?? 0)) / 60_000;
    expect(workers.killedAt.size).toBe(0);
    console.log(
      `${requests.length} reads in ${minutes.toFixed(1)} minutes, ${Math.round(requests.length / minutes)} a ` +
        `minute; ${refused.length} of them answered 429`,
    );
    expect(refused.length / requests.length).toBeLessThan(0.02);
  },
  300_000,
  isAskedFor ? whyNone : "it takes two minutes (npm run test:queue)",
);
