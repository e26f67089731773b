import { adaptive } from "../../src/schedule/adaptive.ts";
import type { AdaptiveScheduleOptions } from "../../src/schedule/adaptive.ts";
import type { PastDuration } from "../../src/schedule/past-durations.ts";
import type { Schedule } from "../../src/schedule/schedule.ts";
import { durations, records } from "./laws.ts";
import type { Law } from "./laws.ts";
import { peers } from "./peers.ts";
import type { Peer } from "./peers.ts";
import { seeded } from "./random.ts";
import { noPercentage } from "./shapes.ts";
import type { Shape } from "./shapes.ts";
import { waitAsPoller, waitAsPeer } from "./simulate.ts";
import type { Run, WaitOptions, WaitResult } from "./simulate.ts";

/** A kind of operation, and how many of it to simulate. */
export interface Corpus {
  readonly law: Law;
  readonly runs: number;
  readonly shape?: Shape;
  /** The Retry-After of every response, in seconds. */
  readonly retryAfter?: number | undefined;
  readonly seed?: number;
  /** When the wait joins the operation. Default: it starts the operation. */
  readonly joins?: "atTheStart" | "atAnyMoment";
}

/** The means over the waits of a corpus, in seconds. */
export interface Summary {
  readonly polls: number;
  readonly lateness: number;
  /** The 95th percentile of the lateness. */
  readonly latenessP95: number;
}

/** Returns the cost of waiting: `lateness + pollCost × polls`, `pollCost` in seconds of lateness. */
export function costOf({ lateness, polls }: Summary, pollCost: number): number {
  return lateness + pollCost * polls;
}

/** Options with open bounds, for a price in seconds. */
export function openTerms(pollCost: number): AdaptiveScheduleOptions {
  return { pollCostInMs: pollCost * 1000, minDelayInMs: 500, maxDelayInMs: Infinity };
}

/** Simulates waits by our schedules. `scheduleOf` returns the schedule of each run, counted from 0. */
export function ours(corpus: Corpus, scheduleOf: (run: number) => Schedule, options?: WaitOptions): Summary {
  return summaryOf(corpus, (run, random, index) => waitAsPoller(scheduleOf(index), run, random, options));
}

/** Simulates waits by our schedule at a price, with open bounds. */
export function priced(corpus: Corpus, pollCost: number, options?: WaitOptions): Summary {
  const schedule = adaptive(openTerms(pollCost));
  return ours(corpus, () => schedule, options);
}

/** How waits of past operations ended: all with the operation, or 30 of 100 at a moment before. */
export type Censoring = "none" | "30 %" | "30 %, taken as ends";

/** Draws 20 past durations of a kind, as a user's history has them. */
export function pastOf(law: Law, seed: number, censoring: Censoring): readonly PastDuration[] {
  const random = seeded(seed);
  return records(law, 20, random).map((seconds) => {
    const inMs = Math.max(1, seconds * 1000);
    if (censoring === "none" || random() >= 0.3) return inMs;
    const atLeastInMs = Math.max(1, inMs * random());
    return censoring === "30 %" ? { atLeastInMs } : atLeastInMs;
  });
}

const setsOfPast = 25;

/** Simulates waits by our schedule with 20 past durations of the kind. */
export function withPast(
  corpus: Corpus,
  options: AdaptiveScheduleOptions,
  censoring: Censoring = "none",
): Summary {
  const { law, seed = 0 } = corpus;
  const schedules = Array.from({ length: setsOfPast }, (_, set) =>
    adaptive({ ...options, pastDurationsInMs: pastOf(law, 7919 * set + seed + 1, censoring) }),
  );
  return ours(corpus, (run) => schedules[run % setsOfPast] ?? adaptive(options));
}

/** Simulates waits by each peer, without those that ignore Retry-After where there is one. */
export function peerSummaries(corpus: Corpus): ReadonlyMap<Peer, Summary> {
  const obeying = peers.filter((peer) => corpus.retryAfter === undefined || peer.obeysRetryAfter);
  return new Map(
    obeying.map((peer) => [peer, summaryOf(corpus, (run, random) => waitAsPeer(peer, run, random))]),
  );
}

/** Returns the cheapest peer at a price, in hindsight. */
export function bestPeer(
  summaries: ReadonlyMap<Peer, Summary>,
  pollCost: number,
): { readonly name: string; readonly cost: number } {
  const costs = [...summaries].map(([{ name }, summary]) => ({ name, cost: costOf(summary, pollCost) }));
  return costs.reduce((best, next) => (next.cost < best.cost ? next : best));
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

function summaryOf(
  { law, runs, shape = noPercentage, retryAfter, seed = 0, joins }: Corpus,
  wait: (run: Run, random: () => number, index: number) => WaitResult,
): Summary {
  const moments = seeded(seed + 4711);
  const results = durations(law, runs, seeded(seed + 1)).map((whole, index) => {
    const shown = shape.percentageOf(whole, seeded(1_000_003 * (seed + 1) + index));
    const age = joins === "atAnyMoment" ? whole * moments() : 0;
    const run: Run = {
      duration: whole - age,
      percentageAt: (elapsed) => shown(age + elapsed),
      retryAfter,
      age: joins && age,
    };
    return wait(run, seeded(500_009 * (seed + 1) + index), index);
  });
  const lateness = results.map((result) => result.lateness).toSorted((a, b) => a - b);
  return {
    polls: meanOf(results.map(({ polls }) => polls)),
    lateness: meanOf(lateness),
    latenessP95: lateness[Math.floor(0.95 * runs)] ?? NaN,
  };
}

export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
