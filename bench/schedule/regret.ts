import { adaptive } from "../../src/schedule/adaptive.ts";
import type { AdaptiveScheduleOptions } from "../../src/schedule/adaptive.ts";
import { costOf, ours, peerSummaries, withPast } from "./compare.ts";
import type { Corpus, Summary } from "./compare.ts";
import { durations, logNormal } from "./laws.ts";
import { seeded } from "./random.ts";
import { shapes } from "./shapes.ts";

/** The price of a poll, in seconds of lateness: the default `pollCostInMs`. */
const pollCost = 1;

/** One way to wait: for each duration its cost, divided by that of the best fixed interval. */
export interface RegretLine {
  readonly name: string;
  readonly ratios: readonly number[];
}

/** The lines of the picture, over the same durations. */
export interface Regret {
  /** The median of each kind of operations, in seconds. */
  readonly durations: readonly number[];
  readonly peers: readonly RegretLine[];
  /** Ours without `maxDelayInMs`: uninformed, with 20 past durations, with a truthful percentage. */
  readonly ours: readonly RegretLine[];
  /** The same three with the default `maxDelayInMs`: 30 s, or 5 % of the elapsed time. */
  readonly oursByDefault: readonly RegretLine[];
}

/** The durations of the picture, from 5 s to 3 h, each longer than the one before by the same factor. */
export const spacedDurations: readonly number[] = Array.from(
  { length: 25 },
  (_, i) => 5 * (10_800 / 5) ** (i / 24),
);

/** Compares all ways to wait with the best fixed interval for each duration. */
export function regretOver(medians: readonly number[]): Regret {
  const columns = medians.map(columnOf);
  const linesOf = (ratios: (column: Column) => ReadonlyMap<string, number>): readonly RegretLine[] =>
    [...new Set(columns.flatMap((column) => [...ratios(column).keys()]))].map((name) => ({
      name,
      ratios: columns.map((column) => ratios(column).get(name) ?? NaN),
    }));
  return {
    durations: medians,
    peers: linesOf((column) => column.peers),
    ours: linesOf((column) => column.ours),
    oursByDefault: linesOf((column) => column.oursByDefault),
  };
}

interface Column {
  readonly peers: ReadonlyMap<string, number>;
  readonly ours: ReadonlyMap<string, number>;
  readonly oursByDefault: ReadonlyMap<string, number>;
}

/** Most operations of one kind take from half to double the median. All kinds share their random numbers. */
function columnOf(median: number): Column {
  const corpus = { law: logNormal("", median, 0.4), runs: 200, seed: 1 };
  const best = bestFixedCost(corpus);
  const ratio = (summary: Summary): number => costOf(summary, pollCost) / best;
  const oursWith = (options: AdaptiveScheduleOptions): ReadonlyMap<string, number> =>
    new Map([...waysOf(corpus, options)].map(([name, summary]) => [name, ratio(summary)]));
  return {
    peers: new Map([...peerSummaries(corpus)].map(([{ name }, summary]) => [name, ratio(summary)])),
    ours: oursWith({ maxDelayInMs: Infinity }),
    oursByDefault: oursWith({}),
  };
}

function waysOf(corpus: Corpus, options: AdaptiveScheduleOptions): ReadonlyMap<string, Summary> {
  const uninformed = adaptive(options);
  return new Map([
    ["nothing known", ours(corpus, () => uninformed)],
    ["20 past durations", withPast(corpus, options)],
    ["truthful percentage", ours({ ...corpus, shape: shapes.truthful }, () => uninformed)],
  ]);
}

/** Returns the mean cost of the fixed interval that costs least for these operations, chosen in hindsight. */
function bestFixedCost({ law, runs, seed = 0 }: Corpus): number {
  const operations = durations(law, runs, seeded(seed + 1));
  const intervals = Array.from({ length: 300 }, (_, i) => 0.5 * 1.03 ** i);
  const costs = intervals.map((interval) => {
    const cost = (duration: number): number => {
      const polls = Math.max(1, Math.ceil(duration / interval));
      return polls * interval - duration + pollCost * polls;
    };
    return operations.reduce((sum, duration) => sum + cost(duration), 0) / runs;
  });
  return Math.min(...costs);
}
