import { adaptive } from "../../src/schedule/adaptive.ts";
import type { PastDuration } from "../../src/schedule/past-durations.ts";
import { meanOf, openTerms } from "./compare.ts";
import type { Corpus } from "./compare.ts";
import { durations } from "./laws.ts";
import { seeded } from "./random.ts";
import { noPercentage } from "./shapes.ts";
import { waitAsPoller } from "./simulate.ts";

/** How often there is an estimate of the remaining time, and how often it is right. */
export interface Calibration {
  /** The share of polls, 0 to 1, after which there was an estimate. */
  readonly given: number;
  /** The share of those whose 80 % interval contained the end. Each operation counts alike. */
  readonly covered: number;
  /** The same at the first poll only. */
  readonly coveredAtFirst: number;
}

/** Checks after every poll whether the interval contains the end. */
export function calibrationOf(corpus: Corpus, pastDurationsInMs: readonly PastDuration[] = []): Calibration {
  const { law, runs, shape = noPercentage, seed = 0 } = corpus;
  const schedule = adaptive({ ...openTerms(1), pastDurationsInMs });
  const operations = durations(law, runs, seeded(seed + 1)).map((duration, index) => {
    const counts = { polls: 0, given: 0, covered: 0, first: NaN };
    const percentageAt = shape.percentageOf(duration, seeded(1_000_003 * (seed + 1) + index));
    waitAsPoller(schedule, { duration, percentageAt }, seeded(index), {
      watch: (history) => {
        const estimate = schedule.estimate?.(history);
        const truth = duration * 1000 - history.elapsedInMs;
        const range = estimate?.estimatedRemainingRangeInMs;
        counts.polls++;
        if (range === undefined) return;
        const covered = Number(range[0] <= truth && truth <= range[1]);
        counts.given++;
        counts.covered += covered;
        if (counts.polls === 1) counts.first = covered;
      },
    });
    return counts;
  });
  const estimated = operations.filter(({ given }) => given > 0);
  return {
    given: meanOf(operations.filter(({ polls }) => polls > 0).map(({ given, polls }) => given / polls)),
    covered: meanOf(estimated.map(({ covered, given }) => covered / given)),
    coveredAtFirst: meanOf(operations.map(({ first }) => first).filter((first) => !Number.isNaN(first))),
  };
}
