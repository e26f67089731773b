import { normal } from "./random.ts";

/** The percentage that a service reports at a moment; `undefined` for none. */
export type PercentageAt = (elapsed: number) => number | undefined;

/** How the percentage of a kind of operations moves. */
export interface Shape {
  readonly name: string;
  /** Returns the percentage of one operation that takes `duration` seconds. */
  percentageOf(duration: number, random: () => number): PercentageAt;
}

/** A shape given by the share of the work done after a share of the time, both from 0 to 1. */
function curve(name: string, done: (part: number, random: () => number) => number, quantum = 1): Shape {
  return {
    name,
    percentageOf: (duration, random) => {
      const report = rounded(quantum);
      return (elapsed) => report(100 * done(Math.min(1, elapsed / duration), random));
    },
  };
}

const rounded =
  (quantum: number) =>
  (percent: number): number =>
    Math.min(100, Math.max(0, Math.floor(percent / quantum + 1e-9) * quantum));

/** One parameter drawn for the whole operation. */
function drawn(name: string, make: (random: () => number) => (part: number) => number): Shape {
  return {
    name,
    percentageOf: (duration, random) => curve(name, make(random)).percentageOf(duration, random),
  };
}

export const noPercentage: Shape = { name: "none", percentageOf: () => () => undefined };

const between = (random: () => number, min: number, max: number): number => min + (max - min) * random();

/** The shapes that the schedule was built for. */
export const shapes = {
  truthful: curve("truthful", (part) => part),
  coarse: curve("steps of 10 %", (part) => part, 10),
  noisy: curve("noisy", (part, random) => part + 0.02 * normal(random)),
  crawling: drawn("fast, then crawling", (random) => {
    const power = between(random, 2, 4);
    return (part) => 1 - (1 - part) ** power;
  }),
  runsAhead: drawn("slow, then fast", (random) => {
    const power = between(random, 2, 4);
    return (part) => part ** power;
  }),
  stuck: drawn("stuck at 90 %", (random) => {
    const reached = between(random, 0.3, 0.7);
    return (part) => Math.min(0.9, (0.9 * part) / reached);
  }),
  endsEarly: curve("ends at 40 %", (part) => 0.4 * part),
  backAndForth: drawn("back and forth", (random) => {
    const [swing, rounds] = [between(random, 0.1, 0.2), between(random, 3, 8)];
    return (part) => part + swing * Math.sin(2 * Math.PI * rounds * part);
  }),
  late: {
    name: "absent, then truthful",
    percentageOf: (duration: number, random: () => number): PercentageAt => {
      const since = duration * between(random, 0.2, 0.5);
      return (elapsed) => (elapsed < since ? undefined : rounded(1)((100 * elapsed) / duration));
    },
  },
} as const satisfies Readonly<Record<string, Shape>>;

/** Shapes that it was not built for: they are only measured. */
export const unseenShapes = {
  unrounded: curve("truthful, unrounded", (part) => part, 1e-9),
  veryNoisy: curve("very noisy", (part, random) => part + 0.05 * normal(random)),
  quarters: curve("steps of 25 %", (part) => part, 25),
  fraction: {
    name: "0 to 1 in place of 0 to 100",
    percentageOf:
      (duration: number): PercentageAt =>
      (elapsed) =>
        Math.min(1, elapsed / duration),
  },
  logarithmic: drawn("logarithmic", (random) => {
    const strength = 10 ** between(random, 0.5, 2.5);
    return (part) => Math.log1p(strength * part) / Math.log1p(strength);
  }),
  restarts: drawn("starts again", (random) => {
    const at = between(random, 0.2, 0.6);
    return (part) => (part < at ? (0.8 * part) / at : (part - at) / (1 - at));
  }),
  twoPhases: drawn("two phases", (random) => {
    const [turn, reached] = [between(random, 0.2, 0.8), between(random, 0.2, 0.8)];
    return (part) =>
      part < turn ? (reached * part) / turn : reached + ((1 - reached) * (part - turn)) / (1 - turn);
  }),
  plateaus: drawn("plateaus", (random) => {
    const steps = [random(), random(), random(), random()].toSorted((a, b) => a - b);
    return (part) => 0.2 * steps.filter((at) => at <= part).length + 0.2 * part;
  }),
  randomWalk: {
    name: "random walk",
    percentageOf: (duration: number, random: () => number): PercentageAt => {
      const path = [0];
      for (let i = 1; i <= 200; i++) path.push((path[i - 1] ?? 0) + (0.5 + 4.5 * random() ** 4) / 200);
      const end = path.at(-1) ?? 1;
      return (elapsed) =>
        rounded(1)((100 * (path[Math.min(200, Math.floor((200 * elapsed) / duration))] ?? end)) / end);
    },
  },
  meaningless: {
    name: "meaningless",
    percentageOf:
      (_duration: number, random: () => number): PercentageAt =>
      () =>
        Math.floor(100 * random()),
  },
  fullAtHalf: curve("100 % at half time", (part) => Math.min(1, 2 * part)),
  fullAtOnce: curve("100 % from the start", () => 1),
  overtimeAt99: drawn("99 % for most of the time", (random) => {
    const reached = between(random, 0.05, 0.3);
    return (part) => Math.min(0.99, part / reached);
  }),
  constant50: curve("50 % from start to end", () => 0.5),
  endsAt60: curve("ends at 60 %", (part) => 0.6 * part),
  endsAt20: curve("ends at 20 %", (part) => 0.2 * part),
} as const satisfies Readonly<Record<string, Shape>>;
