import { describe, expect, it } from "vitest";
import { laws, longLaws, prices } from "../../bench/schedule/corpora.ts";
import { ours } from "../../bench/schedule/compare.ts";
import { uniform } from "../../bench/schedule/laws.ts";
import { seeded } from "../../bench/schedule/random.ts";
import { shapes, unseenShapes } from "../../bench/schedule/shapes.ts";
import type { Shape } from "../../bench/schedule/shapes.ts";
import { waitAsEngine } from "../../bench/schedule/simulate.ts";
import {
  coverageOf,
  extremesOf,
  withBar,
  withLawKnown,
  withPast,
  withoutKnowledge,
} from "../../bench/schedule/tables.ts";
import { adaptive } from "../../src/index.ts";

// The simulation has no clock and fixed seeds: each figure is the same on every machine.
describe("the cost of waiting, lateness plus reads times their price", () => {
  it("comes near the best peer of each kind of operation and price where nothing is known", () => {
    const { most, mean } = extremesOf(withoutKnowledge(200), "toBestPeer");
    expect(most).toBeLessThan(1.4);
    expect(mean).toBeLessThan(1.1);
  });

  it("costs one read more where the first comes at once, which short operations at a high price feel", () => {
    const { most, mean } = extremesOf(withoutKnowledge(200, true), "toBestPeer");
    expect(most).toBeLessThan(2);
    expect(mean).toBeLessThan(1.15);
  });

  it("falls well below the best peer with a bar that is right, noisy or coarse", () => {
    const [truthful, noisy] = [withBar(shapes.truthful, 150), withBar(shapes.noisy, 150)];
    expect(extremesOf(truthful, "toBestPeer").most).toBeLessThan(0.7);
    expect(extremesOf([...truthful, ...noisy], "toBestPeer").mean).toBeLessThan(0.6);
    expect(extremesOf(withBar(shapes.coarse, 150), "toBestPeer").most).toBeLessThan(0.9);
    // Short of 0.7: readings that are 2 % off need a few reads more around the end, and the guard allows no more
    // reads than there were without a bar. At 1 s a read the best peer is nearest, and the rest is least.
    const dearReads = noisy.filter(({ pollCost }) => pollCost > 1);
    expect(extremesOf(dearReads, "toBestPeer").most).toBeLessThan(0.72);
    expect(extremesOf(noisy, "toBestPeer").most).toBeLessThan(0.76);
  });

  it.each([
    ["crawling", shapes.crawling, 1.1],
    ["running ahead", shapes.runsAhead, 1.1],
    ["stuck", shapes.stuck, 1.1],
    ["back and forth", shapes.backAndForth, 1.1],
  ])("is hardly above that without a bar where the bar is %s", (_, shape: Shape, limit) => {
    expect(extremesOf(withBar(shape, 150), "toNoBar").most).toBeLessThan(limit);
  });

  it("is hardly above that without a bar where the operation ends without warning", () => {
    const { most, mean } = extremesOf(withBar(shapes.endsEarly, 300), "toNoBar");
    expect(mean).toBeLessThan(1.1);
    // What it takes to stay below 0.7 of the best peer with a truthful bar, which looks the same until it ends.
    expect(most).toBeLessThan(1.14);
  });

  it.each(Object.entries(unseenShapes))(
    "is not much above that without a bar on the average for a bar it was not built for: %s",
    (_, shape: Shape) => {
      const { mean } = extremesOf(withBar(shape, 20), "toNoBar");
      expect(mean).toBeLessThan(1.12);
    },
  );

  it("falls below the best peer with 20 past durations", () => {
    const { most, mean } = extremesOf(withPast(longLaws, 150), "toBestPeer");
    expect(most).toBeLessThan(0.9);
    expect(mean).toBeLessThan(0.75);
  });

  it("comes near the least possible where the law is known", () => {
    const lines = withLawKnown(laws, 300).filter(({ polls }) => polls >= 5);
    expect(lines.length).toBeGreaterThan(15);
    expect(Math.max(...lines.map(({ toBound }) => toBound))).toBeLessThan(1.1);
  });
});

describe("the bounds", () => {
  it("hold in every wait: never before Retry-After, never after the longest delay", () => {
    const [retryAfter, maxDelayInMs] = [7, 20_000];
    for (const [kind, shape] of Object.values({ ...shapes, ...unseenShapes }).entries()) {
      for (const pollCost of prices) {
        const schedule = adaptive({ pollCostInMs: pollCost * 1000, maxDelayInMs });
        const random = seeded(kind);
        const bar = shape.bar(900, random);
        let [least, most] = [Infinity, 0];
        const watch = (_: unknown, delayInMs: number): void => {
          [least, most] = [Math.min(least, delayInMs), Math.max(most, delayInMs)];
        };
        waitAsEngine(schedule, { duration: 900, bar, retryAfter }, random, { watch });
        expect(least).toBeGreaterThanOrEqual(retryAfter * 1000);
        expect(most).toBeLessThanOrEqual(maxDelayInMs);
      }
    }
  });
});

describe("the estimate", () => {
  it("holds the truth in its range 75 to 90 times of 100", () => {
    const coverages = Object.values(shapes).map((shape) => coverageOf(shape, 15).covered);
    const mean = coverages.reduce((sum, covered) => sum + covered, 0) / coverages.length;
    expect(mean).toBeGreaterThan(0.75);
    expect(mean).toBeLessThan(0.9);
  });
});

describe("the simulation", () => {
  it("gives the same twice", () => {
    const corpus = { law: uniform("up to 10 min", 1, 600), runs: 20, shape: shapes.noisy };
    const once = ours(corpus, () => adaptive());
    expect(ours(corpus, () => adaptive())).toEqual(once);
  });
});
