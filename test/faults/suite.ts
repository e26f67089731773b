import { startOperationServer } from "lro-poller/testing";
import type { OperationServer, ReceivedInitialRequest, VirtualClock } from "lro-poller/testing";
import { seeded } from "../../bench/schedule/random.ts";
import { between, mixOf } from "./mixes.ts";
import type { Mix } from "./mixes.ts";
import { startEventLoopClock } from "./event-loop-clock.ts";

/** The end of a wait, compared with the operation's state on the server. */
export type WaitResult = "right" | "wrong" | "lost" | "hung";

/** A server with its clock, and the operations on it. */
export interface Stage {
  readonly server: OperationServer;
  readonly clock: VirtualClock;
  readonly mixes: readonly Mix[];
  /** A server without rate headers, that accepts few requests. Its 429s have no Retry-After. */
  readonly busyServer: OperationServer;
  /** Whether the server stops or starts to listen: that takes real time, in which a wait would lose its patience. */
  isSwitching: boolean;
  /** Stops the clock and closes the server. */
  close(): Promise<void>;
}

/** A longer wait hangs: a Retry-After counts for a day at most, and two may follow each other. */
const maxWaitInMs = 4 * 86_400_000;

const requestsPerMinute = 1200;

export async function setStage(
  seed: number,
  waits: number,
  isIdle: () => boolean = () => false,
): Promise<Stage> {
  const random = seeded(seed);
  const mixes = Array.from({ length: waits }, () => mixOf(random));
  let stage: Stage | undefined;
  const { clock, stop } = startEventLoopClock(isIdle, () => stage?.isSwitching === true);
  const plans = new Map(mixes.map((mix) => [mix.operationId, mix]));
  const onInitialRequest = ({ url }: ReceivedInitialRequest): Mix | undefined =>
    plans.get(url.pathname.split("/").at(-1) ?? "");
  // So high that it is never reached and no response tells a client to slow down.
  const server = await startOperationServer({
    clock,
    requestsPerMinute: Number.MAX_SAFE_INTEGER,
    onInitialRequest,
  });
  const busyServer = await startOperationServer({
    clock,
    requestsPerMinute,
    rateLimitRetryAfter: null,
    onInitialRequest,
  });
  const close = async (): Promise<void> => {
    await Promise.all([server.close(), busyServer.close()]);
    await stop();
  };
  stage = { server, busyServer, clock, mixes, isSwitching: false, close };
  return stage;
}

/** Returns a wall clock that is days off, by another offset at each call. */
export function jumping(timestamp: () => number, seed: number): () => number {
  const random = seeded(seed + 1);
  return () => timestamp() + between(random, -3, 3) * 86_400_000;
}

/** Restarts the server about every minute. Returns a function that stops it and resolves with the number of restarts. */
export function keepRestarting(stage: Stage, seed: number): () => Promise<number> {
  const { server, clock } = stage;
  const random = seeded(seed + 2);
  const stop = new AbortController();
  const restart = async (): Promise<number> => {
    for (let restarts = 0; ; restarts++) {
      await delay(clock, between(random, 30_000, 90_000), stop.signal);
      if (stop.signal.aborted) return restarts;
      stage.isSwitching = true;
      await server.goOffline();
      stage.isSwitching = false;
      await delay(clock, between(random, 1000, 20_000));
      stage.isSwitching = true;
      await server.goOnline();
      stage.isSwitching = false;
    }
  };
  const restarting = restart();
  return () => {
    stop.abort();
    return restarting;
  };
}

function delay(clock: VirtualClock, durationInMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const cancelTimer = clock.setTimer(resolve, durationInMs);
    signal?.addEventListener("abort", () => {
      cancelTimer();
      resolve();
    });
  });
}

/** Runs at most `count` waits at the same time. */
export async function inParallel<T>(
  count: number,
  items: readonly T[],
  run: (item: T, index: number) => Promise<void>,
): Promise<void> {
  const entries = items.entries();
  const work = async (): Promise<void> => {
    for (const [index, item] of entries) await run(item, index);
  };
  await Promise.all(Array.from({ length: count }, work));
}

/** Returns the result of a wait, or "hung" after `maxWaitInMs`. */
export async function within(clock: VirtualClock, result: Promise<WaitResult>): Promise<WaitResult> {
  const hung = Promise.withResolvers<WaitResult>();
  const cancelTimer = clock.setTimer(() => hung.resolve("hung"), maxWaitInMs);
  const first = await Promise.race([result, hung.promise]);
  cancelTimer();
  return first;
}

export type WaitResultCounts = Readonly<Record<WaitResult, number>>;

export function countResults(results: readonly WaitResult[]): WaitResultCounts {
  const count = (kind: WaitResult): number => results.filter((result) => result === kind).length;
  return { right: count("right"), wrong: count("wrong"), lost: count("lost"), hung: count("hung") };
}
