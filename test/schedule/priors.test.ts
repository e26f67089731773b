import { describe, expect, it } from "vitest";
import { withinRegretBound } from "../../src/schedule/regret-bound.ts";
import { gapOf, uninformed } from "../../src/schedule/hazard.ts";
import type { Prior, Terms } from "../../src/schedule/hazard.ts";
import { learnedFrom } from "../../src/schedule/duration-model.ts";

const open: Terms = { pollCostInMs: 3000, minDelayInMs: 0, maxDelayInMs: Infinity };
const bounded: Terms = { pollCostInMs: 3000, minDelayInMs: 6000, maxDelayInMs: 22_000 };
const minutes = [8, 9, 9.5, 10, 10, 10.5, 11, 12, 30, 31].map((minute) => minute * 60_000);

/** The functions of one moment, bound. */
function functionsOf(prior: Prior): {
  readonly [name in "survival" | "pollsUntil" | "costToGo"]: (at: number) => number;
} {
  return {
    survival: (at) => prior.survival(at),
    pollsUntil: (at) => prior.pollsUntil(at),
    costToGo: (from) => prior.costToGo(from),
  };
}

function pollsBetween(prior: Prior, from: number, to: number): number {
  return prior.pollsUntil(to) - prior.pollsUntil(from);
}

/** Counts the polls until `at`, one after the other by the gaps. */
function countPolls(at: number, prior: Prior, terms: Terms): number {
  let [now, polls] = [0, 0];
  for (;;) {
    const gap = gapOf(prior, now, terms);
    if (now + gap > at) return polls + (at - now) / gap;
    now += gap;
    polls++;
  }
}

/** Returns the means over ends at any moment of a span: the polls, and the lateness of the last one. */
function meansBetween(
  from: number,
  to: number,
  gapAt: (now: number, pollCount: number) => number,
): { readonly polls: number; readonly lateness: number } {
  let [now, pollCount, polls, lateness] = [0, 1, 0, 0];
  for (; now < to; pollCount++) {
    const next = now + gapAt(now, pollCount);
    const [first, last] = [Math.max(from, now), Math.min(to, next)];
    // Ends from `first` to `last` are seen by the poll at `next`.
    if (last > first) {
      const share = (last - first) / (to - from);
      polls += share * pollCount;
      lateness += share * (next - (first + last) / 2);
    }
    now = next;
  }
  return { polls, lateness };
}

describe("the uninformed prior", () => {
  it("has a survival whose hazard is 0.75 over the age", () => {
    const { survival } = functionsOf(uninformed(open));
    expect(survival(0)).toBe(1);
    for (const at of [1000, 60_000, 1e7]) {
      const hazard = (survival(at - 0.5) - survival(at + 0.5)) / survival(at);
      expect(hazard * (at + 750)).toBeCloseTo(0.75, 4);
    }
  });

  it("counts the polls, whatever the bounds", () => {
    const cases: readonly Terms[] = [
      open,
      bounded,
      { ...bounded, minDelayInMs: 0 },
      { ...bounded, maxDelayInMs: Infinity },
      // The share binds from 7 to 42 minutes, from 20 minutes on, and never.
      { ...bounded, maxDelayShare: 0.05 },
      { ...bounded, maxDelayShare: 0.018 },
      { ...bounded, maxDelayShare: 0.3 },
    ];
    for (const terms of cases) {
      const prior = uninformed(terms);
      expect(prior.pollsUntil(0)).toBe(0);
      for (const at of [3000, 20_000, 100_000, 400_000, 2_000_000, 20_000_000]) {
        const polls = countPolls(at, prior, terms);
        expect(Math.abs(prior.pollsUntil(at) - polls)).toBeLessThan(0.35 + 0.06 * polls);
      }
    }
  });

  it("counts one poll for each maximum, and each minimum, delay at the bounds", () => {
    const { pollsUntil } = functionsOf(uninformed(bounded));
    expect(pollsUntil(3_022_000) - pollsUntil(3_000_000)).toBeCloseTo(1, 9);
    expect(pollsUntil(600)).toBeCloseTo(0.1, 9);
    expect(uninformed({ ...bounded, minDelayInMs: 2000 }).pollsUntil(1e-9)).toBeCloseTo(0, 9);
  });

  it("finds the moment at which so many more polls are due", () => {
    const prior = uninformed(open);
    for (const from of [0, 5000, 1e6]) {
      for (const polls of [0.3, 1, 7])
        expect(pollsBetween(prior, from, prior.ahead(from, polls))).toBeCloseTo(polls, 9);
    }
  });

  it("has a cost to go that grows with the square root of the age", () => {
    const { costToGo } = functionsOf(uninformed(open));
    expect(costToGo(4 * (10_000 + 750) - 750)).toBeCloseTo(2 * costToGo(10_000), 6);
    expect(costToGo(0)).toBeCloseTo(4 * Math.sqrt(2000) * Math.sqrt(750), 6);
  });
});

describe("the prior of past durations", () => {
  const prior = learnedFrom(minutes, open);

  it("has a survival that falls at the past durations, to the one that is unlike them", () => {
    const { survival } = functionsOf(prior);
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

  it("is continuous at the end of the past durations", () => {
    let end = 60_000;
    while (prior.survival(1.001 * end) > (1 / 11) * (1 + end / 630_000) ** -0.75 * 1.01) end *= 1.001;
    for (let at = end / 2; at < 8 * end; at *= 1.01) {
      for (const value of Object.values(functionsOf(prior))) {
        expect(Math.abs(value(1.0001 * at) / value(at) - 1)).toBeLessThan(0.01);
      }
    }
  });

  it("is uninformed far beyond the past durations", () => {
    const [from, withoutPast] = [1e9, uninformed(open)];
    expect(gapOf(prior, from, open) / gapOf(withoutPast, from, open)).toBeCloseTo(1, 4);
    expect(prior.survival(4 * from) / prior.survival(from)).toBeCloseTo(4 ** -0.75, 6);
    expect(prior.costToGo(from)).toBeCloseTo(4 * Math.sqrt(2000) * Math.sqrt(from), 3);
  });

  it("finds the moment at which so many more polls are due", () => {
    for (const from of [0, 400_000, 580_000, 1_900_000, 1e9]) {
      for (const polls of [0.3, 1, 7])
        expect(pollsBetween(prior, from, prior.ahead(from, polls))).toBeCloseTo(polls, 6);
    }
  });

  it("makes polls as dense as the square root of half the hazard over the price", () => {
    const { survival, pollsUntil } = functionsOf(prior);
    for (const minute of [7, 9, 10, 12, 31]) {
      const [a, b] = [minute * 60_000, minute * 60_000 * 1.05];
      let polls = 0;
      for (let at = a; at < b; at += (b - a) / 1000) {
        const next = at + (b - a) / 1000;
        const hazard = (survival(at) - survival(next)) / survival((at + next) / 2) / (next - at);
        polls += Math.sqrt(hazard / 6000) * (next - at);
      }
      expect(pollsUntil(b) - pollsUntil(a)).toBeCloseTo(polls, 1);
    }
  });

  it("has a cost to go of twice the price of each poll to come while the operation runs", () => {
    const { survival, pollsUntil, costToGo } = functionsOf(prior);
    for (const [from, to] of [
      [0, 600_000],
      [300_000, 650_000],
      [1e6, 2e6],
    ] as const) {
      let cost = costToGo(to) * survival(to);
      const width = (to - from) / 5000;
      for (let at = from; at < to - width / 2; at += width) {
        cost += 6000 * (pollsUntil(at + width) - pollsUntil(at)) * survival(at + width / 2);
      }
      expect(costToGo(from) / (cost / survival(from))).toBeCloseTo(1, 2);
    }
  });

  it("does not depend on their order, and hardly on their number if they are alike", () => {
    const turned = learnedFrom(minutes.toReversed(), open);
    const hundredfold = learnedFrom(Array.from({ length: 100 }, () => minutes).flat(), open);
    for (const at of [0, 300_000, 600_000, 900_000, 1_850_000]) {
      expect(turned.survival(at)).toBeCloseTo(prior.survival(at), 12);
      expect(Math.abs(hundredfold.survival(at) - prior.survival(at))).toBeLessThan(0.12);
    }
  });

  it("is computed once for each of 50 kinds in turn, as a deployment of as many types needs them", () => {
    const kinds = Array.from({ length: 50 }, (_, i) => [60_000 + i]);
    const priors = (): readonly Prior[] => kinds.map((past) => learnedFrom(past, open));
    // Whatever came before: those of other waits make room one by one.
    for (let i = 0; i < 75; i++) learnedFrom([90_000 + i], open);
    const once = priors();
    expect(priors().filter((again, i) => again !== once[i])).toEqual([]);
  });

  it("is wide around a single duration, and narrow around many that are alike", () => {
    const width = (past: readonly number[]): number => {
      const { survival } = functionsOf(learnedFrom(past, open));
      return survival(540_000) - survival(660_000);
    };
    expect(width([600_000])).toBeLessThan(0.2);
    expect(width(Array.from({ length: 50 }, () => 600_000))).toBeGreaterThan(0.7);
  });
});

describe("the regret bound", () => {
  const prior = uninformed(open);
  const elapsedInMs = 300_000;
  const priorGap = gapOf(prior, elapsedInMs, open);
  const atPollCount = (pollCount: number) => (gapInMs: number) =>
    withinRegretBound(gapInMs, { elapsedInMs, pollCount }, prior, open);
  const due = prior.pollsUntil(elapsedInMs);

  it("does not change a wait that is about as long as without a percentage", () => {
    expect(atPollCount(Math.floor(due))(priorGap)).toBeCloseTo(priorGap, 6);
  });

  it("allows a longer wait the more polls there were, but never 1.62 times as long", () => {
    const longest = [0, 2, 10, 1e6].map((polls) => atPollCount(polls)(Infinity) / priorGap);
    expect(longest.slice(0, 2)).toEqual([1, 1.31]);
    expect(longest.toSorted((a, b) => a - b)).toEqual(longest);
    expect(longest[2]).toBeGreaterThan(1.5);
    expect(longest[3]).toBeCloseTo(1.62, 5);
  });

  it("allows no longer wait for polls that a Retry-After forbids", () => {
    const [all, half, none] = [1, 0.5, 0].map(
      (savableShare) =>
        withinRegretBound(Infinity, { elapsedInMs, pollCount: 6 }, prior, open, savableShare) / priorGap,
    );
    expect(all).toBeCloseTo(1.465, 9);
    expect(half).toBeCloseTo(1.2325, 9);
    expect(none).toBe(1);
  });

  it("costs on average at most 6 % more if each wait is the longest, and a third of the polls is saved", () => {
    const usual = (now: number): number => gapOf(prior, now, open);
    const longest = (now: number, pollCount: number): number =>
      withinRegretBound(Infinity, { elapsedInMs: now, pollCount }, prior, open);
    const ends = [30, 60, 120, 300, 600, 1200, 3600, 10_800].map((seconds) => seconds * 1000);
    const ratios = ends.map((end) => {
      const [without, extended] = [meansBetween(end, 2 * end, usual), meansBetween(end, 2 * end, longest)];
      expect(extended.polls).toBeLessThan((end < 1_200_000 ? 0.83 : 0.7) * without.polls);
      return (3000 * extended.polls + extended.lateness) / (3000 * without.polls + without.lateness);
    });
    expect(Math.max(...ratios)).toBeLessThan(1.13);
    expect(ratios.reduce((sum, each) => sum + each, 0) / ratios.length).toBeLessThan(1.06);
  });

  it("allows any short wait while there are polls left, and only then", () => {
    expect(atPollCount(Math.floor(due) - 2)(1)).toBe(1);
    expect(atPollCount(Math.ceil(due) + 5)(1)).toBeCloseTo(priorGap, 6);
    const half = atPollCount(due + 0.75)(1);
    expect(half).toBeGreaterThan(0.05 * priorGap);
    expect(half).toBeLessThan(0.95 * priorGap);
  });
});
