import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { OperationStatusesClient } from "lro-poller";
import { createOperationQueue, createOperationWorker } from "lro-poller/bullmq";
import { startOperationServer } from "lro-poller/testing";
import { isRedisInstalled, missingRedis, startRedis } from "./redis-server.ts";

// Three workers wait for a hundred operations, and one of them is killed every second.
const { WORKER_ENDPOINT, REDIS_PORT } = process.env;

if (WORKER_ENDPOINT !== undefined) await work(WORKER_ENDPOINT, Number(REDIS_PORT));
else if (isRedisInstalled()) await waitForAll();
else console.log(`Not run: ${missingRedis}.`);

/** Runs a worker. It needs only the client and the connection. */
async function work(endpoint: string, port: number): Promise<void> {
  const clients = [new OperationStatusesClient(endpoint)];
  // Seconds in place of half a minute, so that other workers soon take over the jobs of a killed one.
  const lock = { lockDurationInMs: 2000, stalledIntervalInMs: 1000 };
  await createOperationWorker({ connection: { port }, clients, ...lock }).started;
  process.send?.("started");
}

async function waitForAll(): Promise<void> {
  const redis = await startRedis();
  // So many that the queue is not throttled.
  const server = await startOperationServer({ requestsPerMinute: 1_000_000 });
  const env = {
    ...process.env,
    WORKER_ENDPOINT: server.endpoint,
    REDIS_PORT: String(redis.connection.port),
  };
  const workers = await Promise.all([start(env), start(env), start(env)]);
  const client = new OperationStatusesClient(server.endpoint);
  const queue = createOperationQueue({ connection: redis.connection });

  let killed = 0;
  const replaceOne = async (): Promise<void> => {
    workers.push(await start(env));
    workers.shift()?.kill("SIGKILL");
    console.log(`killed ${++killed} workers, ${ended} of 100 operations have ended`);
  };
  let replacing = Promise.resolve();
  const chaos = setInterval(() => {
    replacing = replacing.then(replaceOne);
  }, 1000);

  let ended = 0;
  const operations = Array.from({ length: 100 }, async (_, index) => {
    const { projectName, operationId } = server.addOperation({
      timeline: [
        { status: "Running", durationInMs: 2000 + index * 80 },
        { status: "Succeeded", properties: { index } },
      ],
    });
    const handle = await queue.add<{ index: number }>(client.operation(projectName, operationId));
    const result = await handle.pollUntilDone();
    ended++;
    return result.index === index;
  });
  const right = (await Promise.all(operations)).filter(Boolean).length;
  clearInterval(chaos);
  // A worker that is still starting must not outlive the others.
  await replacing;
  console.log(
    `${right} of 100 have their own result; ${server.requests.length} polls, ${killed} workers killed`,
  );

  await queue.close();
  await Promise.all(workers.map(end));
  await server.close();
  await redis[Symbol.asyncDispose]();
}

async function start(env: NodeJS.ProcessEnv): Promise<ChildProcess> {
  const worker = fork(import.meta.filename, { env });
  await once(worker, "message");
  return worker;
}

async function end(worker: ChildProcess): Promise<void> {
  const ended = once(worker, "exit");
  worker.kill("SIGKILL");
  await ended;
}
