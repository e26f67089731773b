import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { LroClient } from "lro-poller";
import type { FirstStateOptions, OperationSource, StepOutcome, Stepper } from "lro-poller/durable";
import { resultOf } from "lro-poller/durable/outcome";
import { Takeovers } from "../bullmq/takeovers.ts";
import { azurite, postgres, redis } from "./servers.ts";
import type { EngineServerKind } from "./servers.ts";

/** The process that starts waits and wants their results. */
export interface EngineClient extends AsyncDisposable {
  /** Starts a wait, and returns its key. */
  start(source: OperationSource, options: FirstStateOptions): Promise<string>;
  /** Resolves or rejects as `pollUntilDone` does. */
  result(key: string): Promise<unknown>;
  /** How often the end of a wait was saved. */
  endCount(key: string): Promise<number>;
  /** When the engine took waits from their workers. Without it, only that of a killed worker is known to be taken. */
  takeovers?(): Promise<Pick<Takeovers, "isBetween">>;
}

/** What a worker process has. */
export interface WorkerSetup {
  readonly connection: string;
  /** A folder for what the engine has no place for. */
  readonly folder: string;
  /** The same after a restart of the worker. */
  readonly slot: string;
  readonly client: LroClient;
  readonly createStepper: () => Stepper;
}

/** An engine that the kit runs, by the example of its page. */
export interface Engine {
  readonly name: string;
  readonly server: EngineServerKind;
  /** The settings on which the gap after a kill depends. */
  readonly settings: string;
  /** Whether the clock of the whole worker process is wrong, and not only that of the steps. */
  readonly skewsProcess: boolean;
  /** Whether a second save of the end is possible: the outcome has to be saved by its key. */
  readonly mayEndAgain: boolean;
  connect(connection: string, folder: string): Promise<EngineClient>;
  work(setup: WorkerSetup): Promise<void>;
}

const pgBoss: Engine = {
  name: "pg-boss",
  server: postgres,
  settings: "expireInSeconds 5, supervised every second",
  skewsProcess: false,
  mayEndAgain: false,
  async connect(connectionString) {
    const { findResult, openQueue, startWait } = await import("../../examples/durable/pg-boss.ts");
    const boss = await openQueue({ connectionString }, 5);
    return {
      start: (source, options) => startWait(boss, source, options),
      async result(key) {
        for (;;) {
          const found = await findResult(boss, key);
          if (found) return found.result;
          await delay(500);
        }
      },
      endCount: async (key) => (await boss.findJobs("waits", { key })).length,
      [Symbol.asyncDispose]: () => boss.stop({ graceful: false }),
    };
  },
  async work({ connection, createStepper }) {
    const { openQueue, startWorker } = await import("../../examples/durable/pg-boss.ts");
    const supervision = { superviseIntervalSeconds: 1, monitorIntervalSeconds: 1 };
    const boss = await openQueue({ connectionString: connection, max: 12, ...supervision }, 5);
    await startWorker(boss, createStepper());
  },
};

const storageQueue: Engine = {
  name: "storage-queue",
  server: azurite,
  settings: "visibilityTimeout 5 s",
  skewsProcess: false,
  mayEndAgain: true,
  async connect(connection, folder) {
    const { openQueue, startWait } = await import("../../examples/durable/storage-queue.ts");
    const queue = await openQueue(connection);
    mkdirSync(folder, { recursive: true });
    const outcomesOf = (key: string): string[] => {
      const file = join(folder, key);
      // A line that is being written has no end yet.
      return existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : [];
    };
    return {
      start: (source, options) => startWait(queue, source, options),
      async result(key) {
        for (;;) {
          const [first] = outcomesOf(key);
          if (first !== undefined) return resultOf(JSON.parse(first));
          await delay(500);
        }
      },
      endCount: async (key) => outcomesOf(key).length,
      [Symbol.asyncDispose]: async () => {},
    };
  },
  async work({ connection, folder, createStepper }) {
    const { openQueue, work } = await import("../../examples/durable/storage-queue.ts");
    const queue = await openQueue(connection);
    const stepper = createStepper();
    const save = async (key: string, outcome: StepOutcome): Promise<void> =>
      appendFileSync(join(folder, key), `${JSON.stringify(outcome)}\n`);
    for (let loop = 0; loop < 4; loop++) void work(queue, stepper, save, 5);
  },
};

const bullmq: Engine = {
  name: "bullmq",
  server: redis,
  settings: "lockDurationInMs 2000, stalledIntervalInMs 1000",
  skewsProcess: true,
  mayEndAgain: false,
  async connect(port) {
    const { createOperationQueue } = await import("lro-poller/bullmq");
    const connection = { host: "127.0.0.1", port: Number(port) };
    const queue = createOperationQueue({ connection });
    const takeovers = new Takeovers(connection);
    const reading = setInterval(() => void takeovers.read().catch(console.error), 1000);
    return {
      start: async (source, options) => (await queue.add(source, options)).jobId,
      result: (key) => queue.handle(key).pollUntilDone(),
      endCount: async () => 1,
      takeovers: async () => {
        await takeovers.read();
        return takeovers;
      },
      [Symbol.asyncDispose]: async () => {
        clearInterval(reading);
        await takeovers[Symbol.asyncDispose]();
        await queue.close();
      },
    };
  },
  async work({ connection, client }) {
    const { createOperationWorker } = await import("lro-poller/bullmq");
    await createOperationWorker({
      connection: { host: "127.0.0.1", port: Number(connection) },
      clients: [client],
      lockDurationInMs: 2000,
      stalledIntervalInMs: 1000,
    }).started;
  },
};

const dbos: Engine = {
  name: "dbos",
  server: postgres,
  settings: "an executorID for each worker, restarted at once",
  skewsProcess: false,
  mayEndAgain: false,
  async connect(url) {
    const { connect, getResult, migrate, startWait } = await import("../../examples/durable/dbos.ts");
    await migrate(url);
    const client = await connect(url);
    return {
      start: (source, options) => startWait(client, source, options),
      result: (key) => getResult(client, key),
      endCount: async () => 1,
      [Symbol.asyncDispose]: () => client.destroy(),
    };
  },
  async work({ connection, slot, createStepper }) {
    const { startWorker } = await import("../../examples/durable/dbos.ts");
    await startWorker(connection, slot, createStepper());
  },
};

export const engines: readonly Engine[] = [pgBoss, storageQueue, bullmq, dbos];
