import { OperationStatusesClient } from "lro-poller";
import { createOperationQueue } from "lro-poller/bullmq";
import { startOperationServer } from "lro-poller/testing";
import { expect } from "vitest";
import { redisTest } from "../support/redis.ts";
import { earlyPolls } from "./early-polls.ts";
import { startWorkers } from "./fleet.ts";

redisTest(
  "none of three workers polls before a Retry-After that another got, though their clocks differ by minutes",
  async (redis) => {
    await using server = await startOperationServer({ requestsPerMinute: 1_000_000 });
    const client = new OperationStatusesClient(server.endpoint);
    await using queue = createOperationQueue({ connection: redis.connection });
    const clockOffByInMs = [0, 120_000, -3000];
    await using workers = await startWorkers(3, redis, server, (index) => ({
      CLOCK_OFF_BY_IN_MS: String(clockOffByInMs[index]),
      // No worker takes over the job of one that is slow.
      LOCK_IN_MS: "60000",
    }));
    const handles = await Promise.all(
      Array.from({ length: 30 }, async (_, index) => {
        const { projectName, operationId } = server.addOperation({
          timeline: [
            { status: "Running", polls: 3 },
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
    const pollers = new Set(server.requests.map(({ headers }) => headers["x-process"]));
    expect(pollers).toEqual(new Set(workers.processes.map(({ pid }) => String(pid))));
    expect(earlyPolls(server.requests, () => 2000)).toEqual([]);
  },
);
