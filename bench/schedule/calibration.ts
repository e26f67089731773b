import { adaptive } from "../../src/schedule/adaptive.ts";
import { openTerms } from "./compare.ts";
import type { Corpus } from "./compare.ts";
import { durations } from "./laws.ts";
import { seeded } from "./random.ts";
import { noBar } from "./shapes.ts";
import { waitAsEngine } from "./simulate.ts";

/** How good the estimates of a corpus were. */
export interface Calibration {
  /** The part of the reads, 0 to 1, after which there was an estimate. */
  readonly given: number;
  /** The part of those whose range from 10 to 90 % held the truth. Each operation counts alike. */
  readonly covered: number;
}

/** Checks, after every read, whether the range holds the truth. */
export function calibrationOf(corpus: Corpus, pastDurationsInMs: readonly number[] = []): Calibration {
  const { law, runs, shape = noBar, seed = 0 } = corpus;
  const schedule = adaptive({ ...openTerms(1), pastDurationsInMs });
  const operations = durations(law, runs, seeded(seed + 1)).map((duration, index) => {
    const counts = { reads: 0, given: 0, covered: 0 };
    const bar = shape.bar(duration, seeded(1_000_003 * (seed + 1) + index));
    waitAsEngine(schedule, { duration, bar }, seeded(index), {
      watch: (history) => {
        const estimate = schedule.estimate?.(history);
        const truth = duration * 1000 - history.elapsedInMs;
        const [least, most] = estimate?.estimatedRemainingRangeInMs ?? [Infinity, -Infinity];
        counts.reads++;
        if (estimate !== undefined) counts.given++;
        if (least <= truth && truth <= most) counts.covered++;
      },
    });
    return counts;
  });
  const estimated = operations.filter(({ given }) => given > 0);
  return {
    given: mean(operations.filter(({ reads }) => reads > 0).map(({ given, reads }) => given / reads)),
    covered: mean(estimated.map(({ covered, given }) => covered / given)),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
