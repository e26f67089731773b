import { Queue } from "bullmq";
import { OperationStatusesClient } from "lro-poller";
import { createOperationQueue } from "lro-poller/bullmq";
import { firstState, operationKey } from "lro-poller/durable";
import { startOperationServer } from "lro-poller/testing";
import type { OperationServer } from "lro-poller/testing";
import { expect } from "vitest";
import { seeded } from "../../bench/schedule/random.ts";
import { redisTest } from "../support/redis.ts";
import { everySecond, startWorkers } from "./fleet.ts";
import { silent } from "./loggers.ts";

/** `npm run test:queue` sets more. */
const operations = Number(process.env["OPERATIONS"] ?? 60);
const restarts = new Map<number, "SIGTERM" | "SIGKILL">([
  [3, "SIGTERM"],
  [8, "SIGKILL"],
]);
const seed = 20_261_127;

/** The service of the old release, the one that the new release adds, and the one that asks for an hour. */
const services = ["old", "new", "held"] as const;

/** The options of the queue's own jobs. */
const jobOptions = { attempts: Number.MAX_SAFE_INTEGER, backoff: { type: "fixed", delay: 1000 } };

redisTest(
  `${operations} operations end once each while a release replaces another, workers are killed, and a host is held`,
  async (redis) => {
    const random = seeded(seed);
    const servers = new Map<string, OperationServer>();
    for (const service of services) {
      servers.set(service, await startOperationServer({ requestsPerMinute: 10_000_000 }));
    }
    const serverOf = (service: string): OperationServer => {
      const server = servers.get(service);
      if (server === undefined) throw new Error(`no service ${service}`);
      return server;
    };
    const endpointsOf = (...names: readonly string[]): string =>
      names.map((name) => serverOf(name).endpoint).join(",");
    await using queue = createOperationQueue({ connection: redis.connection, logger: silent });
    const raw = new Queue("operations", { connection: redis.connection });
    raw.on("error", () => {});
    // Every second worker is of the old release: it has no client for the new service.
    await using workers = await startWorkers(4, redis, { endpoint: "" }, (index) => ({
      ENDPOINT: index % 2 === 0 ? endpointsOf("old", "held") : endpointsOf("old", "new", "held"),
    }));
    const added = Array.from({ length: operations }, (_, index) => {
      const service = index % 10 === 9 ? "held" : index % 2 === 0 ? "old" : "new";
      return { service, ...addTo(serverOf(service), service, index, random) };
    });
    for (const { service, operationId } of added) {
      const client = new OperationStatusesClient(serverOf(service).endpoint);
      const state = firstState(client.operation("myProject", operationId), { maxDelayInMs: 10_000 });
      const jobId = operationKey(state.token);
      await raw.add("operation", ofNewerRelease(state), { jobId, ...jobOptions });
    }
    const chaos = everySecond(async (second) => {
      const signal = restarts.get(second);
      if (signal) await redis.restart(signal);
      await workers.killOne(random);
    });
    const outcomeOf = async ({ service, operationId }: { service: string; operationId: string }) => {
      const reference = { endpoint: serverOf(service).endpoint, projectName: "myProject", operationId };
      return queue
        .handle(operationKey(reference))
        .pollUntilDone()
        .catch((error: unknown) => error);
    };
    const free = added.filter(({ service }) => service !== "held");
    const outcomes = await Promise.all(free.map(outcomeOf));
    await chaos.stop();

    expect(outcomes).toEqual(free.map(({ mark }) => ({ mark })));
    const held = added.filter(({ service }) => service === "held");
    // Each at most once, or again if its worker was killed before it could save the response.
    expect(serverOf("held").requests.length).toBeLessThanOrEqual(held.length + workers.killedAt.size * 16);
    const { origin } = new URL(serverOf("held").endpoint);
    expect(await queue.holds()).toMatchObject([{ origin, statusCode: 503 }]);

    // Operations that were not polled before get their own 503 then, and are lifted with the next.
    const lifting = everySecond(async () => void (await queue.lift(origin)));
    expect(await Promise.all(held.map(outcomeOf))).toEqual(held.map(({ mark }) => ({ mark })));
    await lifting.stop();
    expect(await queue.counts()).toEqual({
      delayed: 0,
      waiting: 0,
      active: 0,
      completed: operations,
      rejected: 0,
    });
    // Polled at least once after its first state, the data still has the fields of the newer release.
    const job = await raw.getJob(operationKey(firstState(referenceOf(serverOf("old"), added[0])).token));
    expect(job?.data).toMatchObject({
      region: "west",
      options: { retryBudget: 3 },
      token: { tenant: { id: 1 } },
    });
    console.log(
      `${operations} operations, ${workers.killedAt.size} kills, ${restarts.size} restarts of Redis, polls: ` +
        services.map((service) => `${service} ${serverOf(service).requests.length}`).join(", "),
    );
    await raw.close();
    await Promise.all(Array.from(servers.values(), (server) => server.close()));
  },
  300_000,
);

function referenceOf({ endpoint }: OperationServer, added: { readonly operationId: string } | undefined) {
  return { endpoint, projectName: "myProject", operationId: added?.operationId ?? "" };
}

/** Adds an operation of 8 s to 20 s. The first polls of the held service ask for an hour. */
function addTo(
  server: OperationServer,
  service: string,
  index: number,
  random: () => number,
): { readonly operationId: string; readonly mark: number } {
  const durationInMs = 8000 + random() * 12_000;
  const { operationId } = server.addOperation({
    timeline: [
      { status: "Running", durationInMs },
      { status: "Succeeded", properties: { mark: index } },
    ],
    ...(service === "held" && { faults: { 1: { kind: "status", status: 503, retryAfter: 3600 } } }),
  });
  return { operationId, mark: index };
}

/** Adds fields at every level that this release does not know. */
function ofNewerRelease(state: ReturnType<typeof firstState>): object {
  return {
    ...state,
    region: "west",
    options: { ...state.options, retryBudget: 3 },
    token: { ...state.token, tenant: { id: 1 }, operation: { ...state.token.operation, shard: 7 } },
  };
}
