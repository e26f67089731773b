import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { LroClient, LroError } from "lro-poller";
import { startOperationServer } from "lro-poller/testing";
import type { AddedOperation, OperationPlan, OperationServer, RecordedRequest } from "lro-poller/testing";
import { earlyPolls } from "../bullmq/early-polls.ts";
import type { Engine, EngineClient } from "./engines.ts";
import { killMoments } from "./messages.ts";
import type { WorkerOptions } from "./messages.ts";
import { Workers } from "./workers.ts";
import type { Kill } from "./workers.ts";

/** What the workers of a round are. */
export interface RoundKind {
  readonly name: string;
  /** Options of a worker by its place, and by how many were started before. */
  readonly workerOf: (
    slot: number,
    start: number,
  ) => Pick<WorkerOptions, "clockOffByInMs" | "release" | "delivers">;
  /** Whether no poll may come before the Retry-After of the response before. */
  readonly clocksAgree: boolean;
  /** Whether workers are killed until the end, or all of them once. */
  readonly kills: "always" | "once";
}

/** The figures of a round. */
export interface RoundReport {
  readonly engine: string;
  readonly round: string;
  readonly operations: number;
  readonly right: number;
  readonly seconds: number;
  readonly kills: Readonly<Record<string, number>>;
  readonly handOvers: Readonly<Record<string, number>>;
  readonly polls: number;
  readonly secondDeliveries: number;
  /** The longest time between two polls of an operation whose worker was killed between them. */
  readonly longestGapInMs: number;
  /** The longest time between two polls without such a kill. */
  readonly longestCalmGapInMs: number;
  readonly endedAgain: number;
  readonly mistakes: readonly string[];
}

const workerCount = 3;
const killEveryInMs = 1500;
/** How long a worker may take to save a response, on a busy machine. */
const maxSaveInMs = 1000;

/** Runs operations to their end while workers are killed. */
export async function runRound(
  engine: Engine,
  kind: RoundKind,
  operations: number,
  previousFolder: string,
): Promise<RoundReport> {
  // Node 22 has no `await using`.
  const opened: AsyncDisposable[] = [];
  const open = <T extends AsyncDisposable>(resource: T): T => {
    opened.push(resource);
    return resource;
  };
  const folder = mkdtempSync(join(tmpdir(), "engine-"));
  try {
    const { connection } = open(await engine.server.start());
    const server = open(await startOperationServer({ style: "arm", requestsPerMinute: 10_000_000 }));
    const client = open(await engine.connect(connection, folder));
    const workers = open(
      new Workers((slot, start) => ({
        engine: engine.name,
        connection,
        folder,
        previousFolder,
        endpoint: server.endpoint,
        ...kind.workerOf(slot, start),
        slot: `worker-${slot}`,
      })),
    );
    return await runWith(engine, kind, operations, server, client, workers);
  } finally {
    for (const resource of opened.toReversed()) await resource[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  }
}

async function runWith(
  engine: Engine,
  kind: RoundKind,
  operations: number,
  server: OperationServer,
  client: EngineClient,
  workers: Workers,
): Promise<RoundReport> {
  const startedAt = performance.now();
  await workers.start(workerCount);
  const chaos = kind.kills === "always" ? killAgainAndAgain(workers) : killOnce(workers);
  const added = Array.from({ length: operations }, (_, index) => server.addOperation(planOf(index, kind)));
  const indexOf = new Map(added.map(({ operationId }, index) => [operationId, index]));
  const retryAfterOf = ({ responseStatus, operationId = "" }: RecordedRequest): number =>
    responseStatus === 200 && (indexOf.get(operationId) ?? 1) % 3 === 0 ? retryAfterInMs : 0;
  const waits = await Promise.all(added.map((operation) => waitFor(server, client, operation)));
  await chaos.stop();

  const wrong = waits.filter(({ isRight }) => !isRight).map(({ text }) => text);
  const endCounts = await Promise.all(waits.map(({ key }) => client.endCount(key)));
  const endedAgain = endCounts.filter((count) => count !== 1).length;
  const firstDeliveries = server.requests.filter(({ headers }) => headers["x-second-delivery"] === undefined);
  const takeovers = await client.takeovers?.();
  const killedAt = new Map(workers.kills.map(({ pid, at }) => [pid, at]));
  const isUnsaved = (request: RecordedRequest, next: RecordedRequest): boolean => {
    const { key } = waits[indexOf.get(request.operationId ?? "") ?? 0] ?? { key: "" };
    return takeovers === undefined
      ? (killedAt.get(Number(request.headers["x-process"])) ?? Infinity) - request.receivedAt < maxSaveInMs
      : takeovers.isBetween(key, request.receivedAt, next.receivedAt);
  };
  const early = kind.clocksAgree ? earlyPolls(firstDeliveries, retryAfterOf, isUnsaved) : [];
  return {
    engine: engine.name,
    round: kind.name,
    operations,
    right: waits.length - wrong.length,
    seconds: Math.round((performance.now() - startedAt) / 1000),
    kills: countBy(workers.kills.map(({ moment }) => moment)),
    handOvers: countBy(workers.handOvers),
    polls: server.requests.length,
    secondDeliveries: server.requests.length - firstDeliveries.length,
    ...longestGaps(firstDeliveries, workers.kills),
    endedAgain,
    mistakes: [
      ...wrong,
      ...early,
      ...new Set(workers.wrong),
      ...(endedAgain > 0 && !engine.mayEndAgain ? [`${endedAgain} operations did not end once`] : []),
    ],
  };
}

const retryAfterInMs = 2000;

/** Lasts 6 to 14 s. Some responses are errors, every fifth operation fails, every seventh is canceled. */
function planOf(index: number, { kills }: RoundKind): OperationPlan {
  const durationInMs = 6000 + (index % 40) * 200;
  const error = { code: "DeploymentFailed", message: `No ${index}.` };
  const isFailed = index % 5 === 0;
  const status = isFailed ? "Failed" : index % 7 === 0 ? "Canceled" : "Succeeded";
  const last = { status, ...(isFailed ? { error } : { properties: { index } }) };
  return {
    timeline: [{ status: "Running", durationInMs }, last],
    ...(index % 3 === 0 && { retryAfter: retryAfterInMs / 1000 }),
    faults: {
      // After a 503 all workers pace their polls, which would hide how soon they continue.
      2:
        index % 20 === 0 && kills === "always"
          ? { kind: "status", status: 503, retryAfter: 1 }
          : { kind: "status", status: 500 },
      ...(index % 4 === 0 && { 3: { kind: "reset" } }),
    },
  };
}

interface EndedWait {
  readonly key: string;
  readonly isRight: boolean;
  readonly text: string;
}

/** Waits for an operation, and compares the outcome with the server's own state. */
async function waitFor(
  server: OperationServer,
  client: EngineClient,
  operation: AddedOperation,
): Promise<EndedWait> {
  const { operationId, operationLocation } = operation;
  const source = new LroClient(server.endpoint).operationAt(operationLocation);
  // After an hour of a wrong clock, the schedule would wait for half a minute.
  const key = await client.start(source, { maxDelayInMs: 4000 });
  const outcome = await client.result(key).then(
    (result) => JSON.stringify(["Succeeded", result]),
    (error: unknown) =>
      error instanceof LroError
        ? JSON.stringify([error.operation?.status, error.operation?.error?.message, error.message])
        : String(error),
  );
  const { status, properties, error } = server.state(operationId);
  const expected = JSON.stringify([status, status === "Succeeded" ? properties : error?.message]);
  return { key, isRight: outcome.startsWith(expected.slice(0, -1)), text: `${outcome} is not ${expected}` };
}

/** Kills workers in turn, at each kind of moment. */
function killAgainAndAgain(workers: Workers): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const loop = (async () => {
    for (let turn = 0; ; turn++) {
      await delay(killEveryInMs, undefined, { signal: stopping.signal }).catch(() => {});
      if (stopping.signal.aborted) return;
      if (turn % 8 === 3) await workers.freeze((turn + 1) % workerCount);
      const isAll = turn % 8 === 7;
      const moment = isAll ? "all at once" : (killMoments[turn % 3] ?? "in a step");
      await workers.kill(turn % workerCount, moment);
    }
  })();
  return {
    stop: () => {
      stopping.abort();
      return loop;
    },
  };
}

/** Kills all workers while most operations are polled. */
function killOnce(workers: Workers): { stop(): Promise<void> } {
  const killed = delay(4000).then(() => workers.kill(0, "all at once"));
  return { stop: () => killed };
}

/** Returns the longest time between two polls of an operation, with a kill of its worker between them and without. */
function longestGaps(
  requests: readonly RecordedRequest[],
  kills: readonly Kill[],
): Pick<RoundReport, "longestGapInMs" | "longestCalmGapInMs"> {
  const killedAt = new Map(kills.map(({ pid, at }) => [pid, at]));
  const latest = new Map<string, RecordedRequest>();
  const longest = { longestGapInMs: 0, longestCalmGapInMs: 0 };
  for (const request of requests) {
    const { operationId = "", receivedAt } = request;
    const before = latest.get(operationId);
    latest.set(operationId, request);
    if (before === undefined) continue;
    const killed = killedAt.get(Number(before.headers["x-process"])) ?? Infinity;
    const kind = killed <= receivedAt ? "longestGapInMs" : "longestCalmGapInMs";
    longest[kind] = Math.max(longest[kind], Math.round(receivedAt - before.receivedAt));
  }
  return longest;
}

function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
