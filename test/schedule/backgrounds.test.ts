import { describe, expect, it } from "vitest";
import { withinRegretBound } from "../../src/schedule/regret-bound.ts";
import { gapOf, uninformed } from "../../src/schedule/hazard.ts";
import type { Background, Terms } from "../../src/schedule/hazard.ts";
import { learnedFrom } from "../../src/schedule/duration-model.ts";

const open: Terms = { pollCostInMs: 3000, minDelayInMs: 0, maxDelayInMs: Infinity };
const bounded: Terms = { pollCostInMs: 3000, minDelayInMs: 6000, maxDelayInMs: 22_000 };
const minutes = [8, 9, 9.5, 10, 10, 10.5, 11, 12, 30, 31].map((minute) => minute * 60_000);

/** Those of one moment, to be called by themselves. */
function functionsOf(background: Background): {
  readonly [name in "survival" | "count" | "costToGo"]: (at: number) => number;
} {
  return {
    survival: (at) => background.survival(at),
    count: (at) => background.count(at),
    costToGo: (from) => background.costToGo(from),
  };
}

function readsBetween(background: Background, from: number, to: number): number {
  return background.count(to) - background.count(from);
}

/** How many reads are due until `at`, one after the other by the gaps. */
function readsUntil(at: number, background: Background, terms: Terms): number {
  let [now, reads] = [0, 0];
  for (;;) {
    const gap = gapOf(background, now, terms);
    if (now + gap > at) return reads + (at - now) / gap;
    now += gap;
    reads++;
  }
}

describe("where nothing is known", () => {
  it("survival falls by the power of the age that makes the hazard 0.75 in it", () => {
    const { survival } = functionsOf(uninformed(open));
    expect(survival(0)).toBe(1);
    for (const at of [1000, 60_000, 1e7]) {
      const hazard = (survival(at - 0.5) - survival(at + 0.5)) / survival(at);
      expect(hazard * (at + 750)).toBeCloseTo(0.75, 4);
    }
  });

  it("the count is that of the reads, whatever the bounds", () => {
    const cases = [open, bounded, { ...bounded, minDelayInMs: 0 }, { ...bounded, maxDelayInMs: Infinity }];
    for (const terms of cases) {
      const background = uninformed(terms);
      expect(background.count(0)).toBe(0);
      for (const at of [3000, 20_000, 100_000, 400_000, 2_000_000]) {
        const reads = readsUntil(at, background, terms);
        expect(Math.abs(background.count(at) - reads)).toBeLessThan(0.35 + 0.06 * reads);
      }
    }
  });

  it("the count at the bounds is one read for each longest, and each shortest, delay", () => {
    const { count } = functionsOf(uninformed(bounded));
    expect(count(3_022_000) - count(3_000_000)).toBeCloseTo(1, 9);
    expect(count(600)).toBeCloseTo(0.1, 9);
    expect(uninformed({ ...bounded, minDelayInMs: 2000 }).count(1e-9)).toBeCloseTo(0, 9);
  });

  it("ahead is where the count is so many more", () => {
    const background = uninformed(open);
    for (const from of [0, 5000, 1e6]) {
      for (const reads of [0.3, 1, 7])
        expect(readsBetween(background, from, background.ahead(from, reads))).toBeCloseTo(reads, 9);
    }
  });

  it("the cost to go grows by the root of the age", () => {
    const { costToGo } = functionsOf(uninformed(open));
    expect(costToGo(4 * (10_000 + 750) - 750)).toBeCloseTo(2 * costToGo(10_000), 6);
    expect(costToGo(0)).toBeCloseTo(4 * Math.sqrt(2000) * Math.sqrt(750), 6);
  });
});

describe("what earlier operations took", () => {
  const background = learnedFrom(minutes, open);

  it("survival falls where they ended, to the one that is unlike them", () => {
    const { survival } = functionsOf(background);
    const shares = [0, 5, 10, 20, 45].map((minute) => survival(minute * 60_000));
    expect(shares[0]).toBeCloseTo(1, 6);
    expect(shares[1]).toBeGreaterThan(0.9);
    expect(shares[2]).toBeGreaterThan(0.45);
    expect(shares[2]).toBeLessThan(0.65);
    expect(shares[3]).toBeGreaterThan(0.1);
    expect(shares[3]).toBeLessThan(0.25);
    expect(shares[4]).toBeLessThan(0.12);
    expect(shares.toSorted((a, b) => b - a)).toEqual(shares);
  });

  it("nothing jumps at the end of what was seen", () => {
    let end = 60_000;
    while (background.survival(1.001 * end) > (1 / 11) * (1 + end / 630_000) ** -0.75 * 1.01) end *= 1.001;
    for (let at = end / 2; at < 8 * end; at *= 1.01) {
      for (const value of Object.values(functionsOf(background))) {
        expect(Math.abs(value(1.0001 * at) / value(at) - 1)).toBeLessThan(0.01);
      }
    }
  });

  it("far beyond what was seen the reads are those of knowing nothing", () => {
    const [from, unknown] = [1e9, uninformed(open)];
    expect(gapOf(background, from, open) / gapOf(unknown, from, open)).toBeCloseTo(1, 4);
    expect(background.survival(4 * from) / background.survival(from)).toBeCloseTo(4 ** -0.75, 6);
    expect(background.costToGo(from)).toBeCloseTo(4 * Math.sqrt(2000) * Math.sqrt(from), 3);
  });

  it("ahead is where the count is so many more", () => {
    for (const from of [0, 400_000, 580_000, 1_900_000, 1e9]) {
      for (const reads of [0.3, 1, 7])
        expect(readsBetween(background, from, background.ahead(from, reads))).toBeCloseTo(reads, 6);
    }
  });

  it("reads are as dense as the root of half the hazard by the price", () => {
    const { survival, count } = functionsOf(background);
    for (const minute of [7, 9, 10, 12, 31]) {
      const [a, b] = [minute * 60_000, minute * 60_000 * 1.05];
      let reads = 0;
      for (let at = a; at < b; at += (b - a) / 1000) {
        const next = at + (b - a) / 1000;
        const hazard = (survival(at) - survival(next)) / survival((at + next) / 2) / (next - at);
        reads += Math.sqrt(hazard / 6000) * (next - at);
      }
      expect(count(b) - count(a)).toBeCloseTo(reads, 1);
    }
  });

  it("the cost to go is that of the reads to come, each twice its price, while the operation runs", () => {
    const { survival, count, costToGo } = functionsOf(background);
    for (const [from, to] of [
      [0, 600_000],
      [300_000, 650_000],
      [1e6, 2e6],
    ] as const) {
      let cost = costToGo(to) * survival(to);
      const width = (to - from) / 5000;
      for (let at = from; at < to - width / 2; at += width) {
        cost += 6000 * (count(at + width) - count(at)) * survival(at + width / 2);
      }
      expect(costToGo(from) / (cost / survival(from))).toBeCloseTo(1, 2);
    }
  });

  it("does not depend on their order, and hardly on their number where they are alike", () => {
    const turned = learnedFrom(minutes.toReversed(), open);
    const hundredfold = learnedFrom(Array.from({ length: 100 }, () => minutes).flat(), open);
    for (const at of [0, 300_000, 600_000, 900_000, 1_850_000]) {
      expect(turned.survival(at)).toBeCloseTo(background.survival(at), 12);
      expect(Math.abs(hundredfold.survival(at) - background.survival(at))).toBeLessThan(0.12);
    }
  });

  it("is wide around one that is alone, and narrow around many that are alike", () => {
    const width = (past: readonly number[]): number => {
      const { survival } = functionsOf(learnedFrom(past, open));
      return survival(540_000) - survival(660_000);
    };
    expect(width([600_000])).toBeLessThan(0.2);
    expect(width(Array.from({ length: 50 }, () => 600_000))).toBeGreaterThan(0.7);
  });
});

describe("the guard", () => {
  const background = uninformed(open);
  const elapsedInMs = 300_000;
  const own = gapOf(background, elapsedInMs, open);
  const atPollCount = (pollCount: number) => (gapInMs: number) =>
    withinRegretBound(gapInMs, { elapsedInMs, pollCount }, background, open);
  const due = background.count(elapsedInMs);

  it("leaves a wait alone that is about as long as without a bar", () => {
    expect(atPollCount(Math.floor(due))(own)).toBeCloseTo(own, 6);
  });

  it("lets a wait be longer the more reads were saved, and never 32 times as long", () => {
    const longest = [0, 4, 8].map((reads) => atPollCount(reads)(Infinity));
    expect(longest.toSorted((a, b) => b - a)).toEqual(longest);
    expect(longest[2]).toBeGreaterThan(1.5 * own);
    expect(longest[0]).toBeLessThan(32 * own);
  });

  it("bears an end in the longest wait for 12 % more than it costs without a bar", () => {
    const pollCount = 10;
    const gap = atPollCount(pollCount)(Infinity);
    const end = elapsedInMs + (gap / 2) * (1 - (0.29 * gap) / (elapsedInMs + gap / 2));
    const without = 3000 * (background.count(end) + 0.5) + gapOf(background, end, open) / 2;
    const lateness = elapsedInMs + 1.05 * gap - end;
    expect((3000 * pollCount + lateness) / without).toBeCloseTo(1.12, 2);
  });

  it("lets a wait be as short as it likes while there are reads left, and only then", () => {
    expect(atPollCount(Math.floor(due) - 2)(1)).toBe(1);
    expect(atPollCount(Math.ceil(due) + 5)(1)).toBeCloseTo(own, 6);
    const half = atPollCount(due + 0.75)(1);
    expect(half).toBeGreaterThan(0.05 * own);
    expect(half).toBeLessThan(0.95 * own);
  });
});
