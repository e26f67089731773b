import { OperationStatusesClient } from "lro-poller";
import { createOperationQueue } from "lro-poller/bullmq";
import { startOperationStatusServer } from "lro-poller/testing";
import { expect } from "vitest";
import { redisTest } from "../support/redis.ts";
import { tooEarlyReads } from "./early-reads.ts";
import { startWorkers } from "./fleet.ts";

redisTest(
  "no worker of three reads before a Retry-After that another was told, though their clocks differ by minutes",
  async (redis) => {
    await using server = await startOperationStatusServer({ requestsPerMinute: 1_000_000 });
    const client = new OperationStatusesClient(server.endpoint);
    await using queue = createOperationQueue({ connection: redis.connection });
    const clockOffByInMs = [0, 120_000, -3000];
    await using _workers = await startWorkers(3, redis, server, (index) => ({
      CLOCK_OFF_BY_IN_MS: String(clockOffByInMs[index]),
    }));
    const handles = await Promise.all(
      Array.from({ length: 30 }, async (_, index) => {
        const { projectName, operationId } = server.addOperation({
          timeline: [
            { status: "Running", reads: 3 },
            { status: "Succeeded", properties: { index } },
          ],
          retryAfter: 2,
        });
        return queue.add(client.operation(projectName, operationId), { minDelayInMs: 0, pollCostInMs: 1 });
      }),
    );
    const results = await Promise.all(handles.map((handle) => handle.pollUntilDone()));

    expect(results).toEqual(handles.map((_, index) => ({ index })));
    expect(server.requests).toHaveLength(30 * 4);
    const workers = new Set(server.requests.map(({ headers }) => headers["x-process"]));
    expect(workers.size).toBe(3);
    expect(tooEarlyReads(server.requests, () => 2000)).toEqual([]);
  },
);

redisTest(
  "at 300 requests a minute three workers keep below 2 % of 429s, and none asks before the end of one",
  async (redis) => {
    await using server = await startOperationStatusServer({ requestsPerMinute: 300 });
    const client = new OperationStatusesClient(server.endpoint);
    await using queue = createOperationQueue({ connection: redis.connection });
    await using _workers = await startWorkers(3, redis, server);
    const handles = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const durationInMs = 1000 + index * 700;
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
    console.log(
      `${requests.length} reads in ${minutes.toFixed(1)} minutes, ${Math.round(requests.length / minutes)} a ` +
        `minute; ${refused.length} of them answered 429`,
    );
    expect(refused.length / requests.length).toBeLessThan(0.02);
  },
  300_000,
);
