import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { createPaceTable, firstState } from "lro-poller/durable";
import type { StepState } from "lro-poller/durable";
import { startOperationServer } from "lro-poller/testing";
import { startPostgres } from "../../test/support/postgres.ts";
import type { Sharing, WorkerSetup } from "./worker.ts";

const workers = 4;
const operations = 100;
const share = operations / workers;
const requestsPerMinute = 300;
const everyTenSeconds = { minDelayInMs: 10_000, maxDelayInMs: 10_000 };
const minutes = 3;
/** A rolling deployment: one worker after the other is replaced by a new process. */
const replacedEveryInMs = 15_000;

/** One measurement. */
interface Scenario {
  readonly sharing: Sharing;
  readonly hasRateHeaders: boolean;
}

/** The requests of some minutes, and how many of them got a 429. */
interface Count {
  readonly requests: number;
  readonly throttled: number;
}

interface Measured {
  readonly firstMinute: Count;
  readonly later: Count;
}

/** Starts a worker. It hands its states back when it is told to stop. */
function startWorker(setup: WorkerSetup): ChildProcess {
  const worker = fork(new URL("worker.ts", import.meta.url));
  worker.send(setup);
  return worker;
}

async function stopWorker(worker: ChildProcess): Promise<readonly StepState[]> {
  const message = once(worker, "message");
  worker.send("stop");
  const [states] = (await message) as [readonly StepState[]];
  return states;
}

async function measure(scenario: Scenario, databaseUrl: string): Promise<Measured> {
  const server = await startOperationServer({ requestsPerMinute });
  const pool = new pg.Pool({ connectionString: databaseUrl });
  const table = `pace_${scenario.sharing}_${scenario.hasRateHeaders ? "with" : "without"}`;
  await createPaceTable((sql) => pool.query(sql).then(({ rows }) => rows), { table });
  await pool.end();
  const states = Array.from({ length: operations }, (_, index) => {
    const { operationLocation } = server.addOperation({ timeline: [{ status: "Running" }] });
    const state = firstState(operationLocation, everyTenSeconds);
    const delayInMs = (index % share) * (everyTenSeconds.minDelayInMs / share);
    return { ...state, delayInMs, dueAt: state.dueAt + delayInMs };
  });
  const setup = { ...scenario, endpoint: server.endpoint, databaseUrl, table };
  const fleet = Array.from({ length: workers }, (_, index) =>
    startWorker({ ...setup, states: states.slice(index * share, (index + 1) * share) }),
  );
  const startedAt = performance.now();
  const endsAt = startedAt + minutes * 60_000;
  for (let replaced = 0; performance.now() + replacedEveryInMs < endsAt; replaced++) {
    await delay(replacedEveryInMs);
    const oldest = fleet.shift();
    if (oldest) fleet.push(startWorker({ ...setup, states: await stopWorker(oldest) }));
  }
  await delay(endsAt - performance.now());
  await Promise.all(fleet.map(stopWorker));
  await server.close();
  return { firstMinute: countOf(0, 1), later: countOf(1, minutes) };

  function countOf(from: number, to: number): Count {
    const requests = server.requests.filter(({ receivedAt }) => {
      const minute = (receivedAt - startedAt) / 60_000;
      return minute >= from && minute < to;
    });
    const throttled = requests.filter(({ responseStatus }) => responseStatus === 429);
    return { requests: requests.length, throttled: throttled.length };
  }
}

const names: Readonly<Record<Sharing, string>> = {
  nothing: "nothing shared",
  process: "within each process (the default)",
  sql: "`sqlPace`",
};

function shareOf({ requests, throttled }: Count): string {
  return `${throttled} of ${requests} (${((100 * throttled) / requests).toFixed(1)} %)`;
}

function row({ sharing, hasRateHeaders }: Scenario, { firstMinute, later }: Measured): string {
  const accepted = (later.requests - later.throttled) / (minutes - 1);
  const cells = [shareOf(firstMinute), shareOf(later), accepted.toFixed(0)];
  return `| ${[names[sharing], hasRateHeaders ? "yes" : "no", ...cells].join(" | ")} |`;
}

// Four worker processes, one replaced every 15 s, poll 100 operations every 10 s: twice as often as the service accepts.
const postgres = await startPostgres();
const scenarios = [false, true].flatMap((hasRateHeaders) =>
  (["nothing", "process", "sql"] as const).map((sharing): Scenario => ({ sharing, hasRateHeaders })),
);
const rows = scenarios.map(async (scenario) => row(scenario, await measure(scenario, postgres.url)));
console.log("| shared | rate headers | 429s, first minute | 429s, two minutes after | accepted a minute |");
console.log(`|---|---|---|---|---|\n${(await Promise.all(rows)).join("\n")}`);
await postgres[Symbol.asyncDispose]();
