import { describe, expect, it } from "vitest";
import { seeded } from "../../bench/schedule/random.ts";
import { shapes } from "../../bench/schedule/shapes.ts";
import type { Shape } from "../../bench/schedule/shapes.ts";
import { adaptive } from "../../src/schedule/adaptive.ts";
import { estimateRemaining } from "../../src/schedule/remaining-time.ts";
import { forecastsOf } from "../../src/schedule/forecast.ts";
import { observeProgress } from "../../src/schedule/progress-history.ts";
import type { ProgressHistory } from "../../src/schedule/progress-history.ts";
import type { PollHistory } from "../../src/schedule/schedule.ts";

// `bench/schedule` measured the cost of waiting with these figures. After a change, measure again, then update them:
// `npx vitest run test/schedule/figures.test.ts -u`.

/** Rounds to the digits that are the same on all processors. */
const figure = (value: number | undefined): number | undefined =>
  value === undefined ? undefined : Number(value.toPrecision(7));

/** The history of an operation of 1000 s that is polled every 23 s until `seconds`. */
function historyOf(
  shape: Shape,
  seconds: number,
  pollCount: number,
): PollHistory & { progress: ProgressHistory } {
  const percentageAt = shape.percentageOf(1000, seeded(3));
  let progress: ProgressHistory | undefined;
  for (let at = 7; at <= seconds; at += 23) {
    progress = observeProgress(progress, { elapsedInMs: at * 1000, percentComplete: percentageAt(at) });
  }
  if (progress === undefined) throw new Error("There was no poll.");
  return { elapsedInMs: seconds * 1000, pollCount, progress };
}

const moments = [60, 300, 620, 960];
const withoutJitter = (): number => 0;
const pastDurationsInMs = [700, 820, 900, 950, 1000, 1020, 1100, 1300].map((seconds) => seconds * 1000);

const reporting = Object.values(shapes).filter(
  (shape) => shape.percentageOf(1000, seeded(3))(7) !== undefined,
);

describe.each(reporting.map((shape) => [shape.name, shape] as const))("a percentage: %s", (_, shape) => {
  it("leads to forecasts", () => {
    const forecasts = moments.map((seconds) => {
      const { progress, elapsedInMs } = historyOf(shape, seconds, 5);
      return forecastsOf(progress, elapsedInMs).map(({ endInMs, scaleInMs, weight, relativeError }) =>
        [endInMs, scaleInMs, weight, relativeError].map(figure).join(" "),
      );
    });
    expect(forecasts).toMatchSnapshot();
  });

  it("leads to delays and estimates", () => {
    const schedules = [
      adaptive({ maxDelayInMs: Infinity }),
      adaptive({ pollCostInMs: 5000, minDelayInMs: 4000, maxDelayInMs: 60_000 }),
      adaptive({ maxDelayInMs: Infinity, pastDurationsInMs }),
    ];
    const lines = moments.map((seconds) => {
      const history = historyOf(shape, seconds, Math.round(Math.sqrt(seconds)));
      const delays = schedules.map((schedule) => figure(schedule(history, withoutJitter)));
      const jittered = figure(schedules[0]?.(history, () => 0.9));
      const estimates = [estimateRemaining(history), schedules[2]?.estimate?.(history)].map((estimate) =>
        [estimate?.estimatedRemainingInMs, ...(estimate?.estimatedRemainingRangeInMs ?? [])]
          .map(figure)
          .join(" "),
      );
      return [...delays, jittered, ...estimates].join(" | ");
    });
    expect(lines).toMatchSnapshot();
  });
});

it("past durations alone lead to delays and estimates", () => {
  const schedules = [
    adaptive({ maxDelayInMs: Infinity, pastDurationsInMs }),
    adaptive({ pollCostInMs: 5000, minDelayInMs: 4000, maxDelayInMs: 60_000, pastDurationsInMs }),
    adaptive({ maxDelayInMs: Infinity, pastDurationsInMs: [60_000] }),
    adaptive({ pastDurationsInMs: Array.from({ length: 999 }, (_, i) => 1000 * (i + 1)) }),
  ];
  const lines = [0, 5, 60, 620, 900, 1000, 5000].map((seconds) =>
    schedules
      .map((schedule) => {
        const history = { elapsedInMs: seconds * 1000, pollCount: 9 };
        const range = schedule.estimate?.(history)?.estimatedRemainingRangeInMs ?? [];
        return [schedule(history, withoutJitter), ...range].map(figure).join(" ");
      })
      .join(" | "),
  );
  expect(lines).toMatchSnapshot();
});

it("a percentage in a response at 0 s leads to forecasts like others", () => {
  const reported = [0, 10, 20, 30].map((seconds) => ({
    elapsedInMs: seconds * 1000,
    percentComplete: 1 + seconds,
  }));
  const progress = reported.reduce<ProgressHistory | undefined>(observeProgress, undefined);
  const { points, ...rest } = historyOf(shapes.truthful, 7, 1).progress;
  expect(forecastsOf({ ...rest, points: [] }, 7000)).toEqual([]);
  expect(points).toHaveLength(1);
  const ends = progress && forecastsOf(progress, 30_000).map(({ endInMs }) => (endInMs / 1000).toFixed(1));
  expect(ends).toEqual(["94.0", "98.5", "105.1"]);
});
