import { requestsOfAzd, requestsOfPowerShell } from "./peers.ts";
import { randomDeployment, shapes } from "./random-deployment.ts";
import { anotherRun, pastOf, simulate } from "./simulate.ts";
import type { Wait, WaitOptions } from "./simulate.ts";

/** The name of a size. */
export type ShapeName = keyof typeof shapes;

/** The means and quantiles of many waits, in requests and milliseconds. */
export interface Figures {
  readonly requests: number;
  readonly polls: number;
  readonly latenessInMs: number;
  /** `lateness + 1 s × polls`, for the end of the deployment alone. */
  readonly costOfEndInMs: number;
  readonly medianPartLatenessInMs: number;
  readonly p95PartLatenessInMs: number;
  readonly unseenParts: number;
  /** The mean distance between the percentage and the share of time, in points. */
  readonly percentageError: number;
  readonly waits: readonly Wait[];
}

/** The figures of each way to wait. */
export interface Comparison {
  /** Nobody follows the progress. */
  readonly unobserved: Figures;
  readonly observed: Figures;
  /** Both with what 20 runs of the same kind have left behind. */
  readonly unobservedWithPast: Figures;
  readonly observedWithPast: Figures;
  readonly azd: number;
  readonly powerShell: number;
}

const pastRuns = 20;

/** Waits for so many deployments of one size, in each way. */
export async function measure(name: ShapeName, count: number): Promise<Comparison> {
  const seeds = Array.from({ length: count }, (_, index) => index + 1);
  const kinds = seeds.map((seed) => {
    const kind = randomDeployment({ ...shapes[name], seed });
    return { seed, run: anotherRun(kind, seed * 1000 + 999), past: pastOf(kind, pastRuns, seed) };
  });
  const waits = async (isObserved: boolean, hasPast: boolean): Promise<Figures> => {
    const all: Wait[] = [];
    for (const { run, past, seed } of kinds) {
      const { pastDurationsInMs, pastDurationsOfTypes } = past;
      const options: WaitOptions = { isObserved, seed };
      const informed = { poll: { pastDurationsInMs }, deployment: { pastDurationsOfTypes } };
      all.push(await simulate(run, hasPast ? { ...options, ...informed } : options));
    }
    return figuresOf(all);
  };
  const runs = kinds.map(({ run }) => run);
  return {
    unobserved: await waits(false, false),
    observed: await waits(true, false),
    unobservedWithPast: await waits(false, true),
    observedWithPast: await waits(true, true),
    azd: mean(runs.map(requestsOfAzd)),
    powerShell: mean(runs.map(requestsOfPowerShell)),
  };
}

function figuresOf(waits: readonly Wait[]): Figures {
  const lateness = waits.flatMap((wait) => wait.partLatenessInMs).toSorted((one, other) => one - other);
  const at = (share: number): number => lateness[Math.floor(lateness.length * share)] ?? Infinity;
  return {
    requests: mean(waits.map(({ requests }) => requests)),
    polls: mean(waits.map(({ polls }) => polls)),
    latenessInMs: mean(waits.map(({ latenessInMs }) => latenessInMs)),
    costOfEndInMs: mean(waits.map(({ latenessInMs, polls }) => latenessInMs + 1000 * polls)),
    medianPartLatenessInMs: at(0.5),
    p95PartLatenessInMs: at(0.95),
    unseenParts: lateness.filter((late) => late === Infinity).length,
    percentageError: mean(waits.map(({ percentageError }) => percentageError ?? 0)),
    waits,
  };
}

/** Returns how many deployments were known to be over later than in another way to wait. */
export function countLater(one: Figures, other: Figures): number {
  return one.waits.filter(({ latenessInMs }, index) => latenessInMs > (other.waits[index]?.latenessInMs ?? 0))
    .length;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
