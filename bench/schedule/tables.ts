import { adaptive } from "../../src/schedule/adaptive.ts";
import { calibrationOf } from "./calibration.ts";
import type { Calibration } from "./calibration.ts";
import {
  bestPeer,
  costOf,
  geometricMean,
  meanOf,
  openTerms,
  ours,
  pastOf,
  peerSummaries,
  priced,
  withPast,
} from "./compare.ts";
import type { Censoring, Corpus, Summary } from "./compare.ts";
import { laws, longLaws, prices } from "./corpora.ts";
import { lowerBound, records } from "./laws.ts";
import type { Law } from "./laws.ts";
import { oracle } from "./oracle.ts";
import { seeded } from "./random.ts";
import { noPercentage } from "./shapes.ts";
import type { Shape } from "./shapes.ts";

/** One line of a table: a kind of operation at a price. */
export interface Line {
  readonly law: string;
  readonly pollCost: number;
  readonly ours: Summary;
  readonly cost: number;
  readonly bestPeer: string;
  /** Our cost over the best peer's. */
  readonly toBestPeer: number;
  /** Our cost over our cost without a percentage. */
  readonly toNoPercentage: number;
}

/** The costs without a percentage at one price. */
interface Baseline {
  readonly pollCost: number;
  readonly best: ReturnType<typeof bestPeer>;
  readonly without: number;
}

/** The baselines by their law and the rest of their corpus: all tables with a percentage share them. */
const baselines = new Map<Law, Map<string, readonly Baseline[]>>();

function baselinesOf(corpus: Corpus): readonly Baseline[] {
  const { law, ...rest } = corpus;
  const [key, known] = [JSON.stringify(rest), baselines.get(law) ?? new Map<string, readonly Baseline[]>()];
  const found = known.get(key) ?? simulatedBaselines(corpus);
  baselines.set(law, known.set(key, found));
  return found;
}

function simulatedBaselines(corpus: Corpus): readonly Baseline[] {
  const summaries = peerSummaries(corpus);
  return prices.map((pollCost) => ({
    pollCost,
    best: bestPeer(summaries, pollCost),
    without: costOf(priced(corpus, pollCost), pollCost),
  }));
}

type Wait = (corpus: Corpus, pollCost: number) => Summary;

function linesOf(
  kinds: readonly Law[],
  runs: number,
  wait: Wait,
  more: Partial<Corpus> = {},
): readonly Line[] {
  return kinds.flatMap((law, seed) => {
    const corpus = { law, runs, seed, ...more };
    return baselinesOf({ ...corpus, shape: noPercentage }).map(({ pollCost, best, without }) => {
      const summary = wait(corpus, pollCost);
      const cost = costOf(summary, pollCost);
      return {
        law: law.name,
        pollCost,
        ours: summary,
        cost,
        bestPeer: best.name,
        toBestPeer: cost / best.cost,
        toNoPercentage: cost / without,
      };
    });
  });
}

/** Without information. `firstPollAtOnce` costs one poll that says nothing. */
export function uninformed(runs: number, firstPollAtOnce = false): readonly Line[] {
  return linesOf(laws, runs, (corpus, pollCost) => priced(corpus, pollCost, { firstPollAtOnce }));
}

/** What the responses of an operation that is joined say of its age: nothing, the truth, or 20 days too much. */
const agesByService = {
  none: undefined,
  startTime: (age: number) => age,
  oldStartTime: (age: number) => age + 20 * 86_400,
} as const;

/** Joins operations that were started elsewhere, by a poll at once, as all peers do then. */
export function joining(
  joins: "atTheStart" | "atAnyMoment",
  age: keyof typeof agesByService,
  runs: number,
  { kinds = laws, shape = noPercentage }: { kinds?: readonly Law[]; shape?: Shape } = {},
): readonly Line[] {
  const ageByService = agesByService[age];
  const options = { firstPollAtOnce: true, ...(ageByService && { ageByService }) };
  const wait: Wait = (corpus, pollCost) => priced(corpus, pollCost, options);
  return linesOf(kinds, runs, wait, { joins, shape });
}

/** With a percentage. */
export function withPercentage(
  shape: Shape,
  runs: number,
  kinds = longLaws,
  more: Partial<Corpus> = {},
): readonly Line[] {
  return linesOf(kinds, runs, priced, { shape, ...more });
}

/** With a percentage whose kind and scatter (standard deviation, in percent) are known. */
export function withOracle(
  shape: Shape,
  deviation: number,
  runs: number,
  boundShare?: number,
): readonly Line[] {
  const wait: Wait = (corpus, pollCost) => {
    const schedule = oracle(deviation, 1000 * pollCost, boundShare);
    return ours(corpus, () => schedule);
  };
  return linesOf(longLaws, runs, wait, { shape });
}

/** With 20 past durations of the kind, by default of waits that all ended with their operations. */
export function withPastDurations(
  kinds: readonly Law[],
  runs: number,
  censoring?: Censoring,
): readonly Line[] {
  return linesOf(kinds, runs, (corpus, pollCost) => withPast(corpus, openTerms(pollCost), censoring));
}

/** With a Retry-After of 10 s in every response; only peers that obey it count. */
export function withRetryAfter(runs: number): readonly Line[] {
  return linesOf(laws, runs, priced, { retryAfter: 10 });
}

/** With the default bounds at the default price. */
export function withDefaults(runs: number): readonly Line[] {
  const schedule = adaptive();
  return linesOf(laws, runs, (corpus) => ours(corpus, () => schedule)).filter(
    ({ pollCost }) => pollCost === 1,
  );
}

/** One line of the table against the lower bound. */
interface BoundLine {
  readonly law: string;
  readonly pollCost: number;
  readonly polls: number;
  readonly cost: number;
  /** Our cost over the least cost of any schedule that knows the law. */
  readonly toBound: number;
}

/** With 4000 past durations, which make the law known. */
export function withLawKnown(kinds: readonly Law[], runs: number): readonly BoundLine[] {
  return kinds.flatMap((law, seed) => {
    const past = records(law, 4000, seeded(seed + 77)).map((seconds) => seconds * 1000);
    return prices.map((pollCost) => {
      const schedule = adaptive({ ...openTerms(pollCost), pastDurationsInMs: past });
      const summary = ours({ law, runs, seed }, () => schedule);
      const cost = costOf(summary, pollCost);
      return {
        law: law.name,
        pollCost,
        polls: summary.polls,
        cost,
        toBound: cost / lowerBound(law, pollCost),
      };
    });
  });
}

/** Returns how often the 80 % interval held the truth, by default over the kinds of a minute and more. */
export function coverageOf(
  shape: Shape,
  runs: number,
  kinds = longLaws,
): { readonly covered: number; readonly given: number } {
  const all = kinds.map((law, seed) => calibrationOf({ law, runs, seed, shape }));
  const estimated = all.filter(({ covered }) => !Number.isNaN(covered));
  return {
    covered: meanOf(estimated.map(({ covered }) => covered)),
    given: meanOf(all.map(({ given }) => given)),
  };
}

/** How often the 80 % interval of 20 past durations held the truth. */
interface CoverageLine extends Calibration {
  readonly law: string;
}

/** Means over many sets of 20 past durations. */
export function coverageWithPast(
  kinds: readonly Law[],
  sets: number,
  censoring: Censoring,
): readonly CoverageLine[] {
  return kinds.map((law, seed) => {
    const all = Array.from({ length: sets }, (_, set) =>
      calibrationOf({ law, runs: 10, seed: 100 * set + seed }, pastOf(law, 7919 * set + seed + 1, censoring)),
    );
    const mean = (of: (one: Calibration) => number): number =>
      meanOf(all.map(of).filter((value) => !Number.isNaN(value)));
    return {
      law: law.name,
      given: mean(({ given }) => given),
      covered: mean(({ covered }) => covered),
      coveredAtFirst: mean(({ coveredAtFirst }) => coveredAtFirst),
    };
  });
}

/** Returns the maximum and the geometric mean of a ratio. */
export function extremesOf(
  lines: readonly Line[],
  ratio: "toBestPeer" | "toNoPercentage",
): { readonly max: number; readonly mean: number } {
  const ratios = lines.map((line) => line[ratio]);
  return { max: Math.max(...ratios), mean: geometricMean(ratios) };
}
