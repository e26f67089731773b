import { startOperationStatusServer } from "lro-poller/testing";
import type { OperationStatusServer, VirtualClock } from "lro-poller/testing";
import { seeded } from "../../bench/schedule/random.ts";
import { between, mixOf } from "./mixes.ts";
import type { Mix } from "./mixes.ts";
import { startPacedClock } from "./paced-clock.ts";

/** How a wait ended, held against what its server says is true. */
export type Verdict = "right" | "wrong" | "lost" | "hung";

/** A server, its mixes, and the faults that hit all of them at once. */
export interface Stage {
  readonly server: OperationStatusServer;
  readonly clock: VirtualClock;
  readonly mixes: readonly Mix[];
  /** Stops the clock and closes the server. */
  close(): Promise<void>;
}

/** A wait that takes longer hangs: its operation lives for minutes, its faults last for a quarter of an hour. */
const longestWaitInMs = 3_600_000;

export async function setStage(seed: number, waits: number): Promise<Stage> {
  const random = seeded(seed);
  const mixes = Array.from({ length: waits }, () => mixOf(random));
  const { clock, stop } = startPacedClock();
  const plans = new Map(mixes.map((mix) => [mix.operationId, mix]));
  const server = await startOperationStatusServer({
    clock,
    // None is ever reached, nor announced.
    requestsPerMinute: Number.MAX_SAFE_INTEGER,
    onInitialRequest: ({ url }) => plans.get(url.pathname.split("/").at(-1) ?? ""),
  });
  const close = async (): Promise<void> => {
    await server.close();
    await stop();
  };
  return { server, clock, mixes, close };
}

/** A clock on the wall that is days off, another way each time that it is looked at. */
export function jumping(timestamp: () => number, seed: number): () => number {
  const random = seeded(seed + 1);
  return () => timestamp() + between(random, -3, 3) * 86_400_000;
}

/** Restarts the server every minute or so, until it is told to stop. */
export function keepRestarting({ server, clock }: Stage, seed: number): () => Promise<number> {
  const random = seeded(seed + 2);
  const stop = new AbortController();
  const restart = async (): Promise<number> => {
    for (let restarts = 0; ; restarts++) {
      await passing(clock, between(random, 30_000, 90_000), stop.signal);
      if (stop.signal.aborted) return restarts;
      await server.goOffline();
      await passing(clock, between(random, 1000, 20_000));
      await server.goOnline();
    }
  };
  const restarting = restart();
  return () => {
    stop.abort();
    return restarting;
  };
}

function passing(clock: VirtualClock, durationInMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const callOff = clock.setTimer(resolve, durationInMs);
    signal?.addEventListener("abort", () => {
      callOff();
      resolve();
    });
  });
}

/** Lets that many waits run at a time. */
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

/** The wait's own end, or "hung". */
export async function within(clock: VirtualClock, verdict: Promise<Verdict>): Promise<Verdict> {
  const hung = Promise.withResolvers<Verdict>();
  const callOff = clock.setTimer(() => hung.resolve("hung"), longestWaitInMs);
  const first = await Promise.race([verdict, hung.promise]);
  callOff();
  return first;
}

export type Verdicts = Readonly<Record<Verdict, number>>;

export function countVerdicts(verdicts: readonly Verdict[]): Verdicts {
  const count = (kind: Verdict): number => verdicts.filter((verdict) => verdict === kind).length;
  return { right: count("right"), wrong: count("wrong"), lost: count("lost"), hung: count("hung") };
}
