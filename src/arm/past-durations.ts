import { logger } from "../azure/telemetry/logger.ts";
import { keyOfWord } from "../operation/status.ts";
import { isolate } from "../poller/isolate.ts";
import { describeValue } from "../redaction.ts";
import { isPlausible, plausibleRange } from "../schedule/past-durations.ts";
import type { PastDuration } from "../schedule/past-durations.ts";
import type { PastOfTypes } from "./deployment-operation.ts";

/** Past durations of the parts, from which the percentage estimates a share of time. */
export interface PastDurationsOptions {
  /**
   * The durations of the parts of earlier deployments of this kind, in milliseconds, by resource type. Default: none.
   */
  readonly pastDurationsOfTypes?: Readonly<Record<string, readonly number[]>>;
  /** Called once, when the deployment has ended, with the durations of its parts by resource type. Default: no call. */
  readonly onDurationsOfTypes?: (durations: Readonly<Record<string, readonly number[]>>) => unknown;
}

/** Makes the past durations of the options. */
export function pastOfTypes(options: PastDurationsOptions): PastOfTypes {
  const entries = Object.entries(options.pastDurationsOfTypes ?? {});
  for (const [type, durations] of entries) checkDurations(type, durations);
  return {
    durations: new Map(
      entries.filter(([, { length }]) => length > 0).map(([type, list]) => [keyOfWord(type), list]),
    ),
    record: (durations) =>
      void isolate(
        () => options.onDurationsOfTypes?.(Object.fromEntries(durations)),
        (error) => logger.error("onDurationsOfTypes failed; the wait continues.", error),
      ),
  };
}

function checkDurations(type: string, durations: unknown): void {
  if (Array.isArray(durations) && durations.every(isPlausible)) return;
  const expected = `a list of milliseconds ${plausibleRange}`;
  throw new TypeError(
    `pastDurationsOfTypes: expected for ${type} ${expected}, got ${describeValue(durations)}`,
  );
}

/** The part of a `DurationHistory` that keeps the durations of parts. */
export interface PartDurationHistory {
  /** Returns the durations of the kind in milliseconds. Only those of parts that succeeded count. */
  pastDurations(kind: string): Promise<readonly PastDuration[]>;
  /** Adds a duration in milliseconds to those of the kind. */
  record(kind: string, durationInMs: number): Promise<void>;
}

/** The most types for which durations are kept. */
const maxTypes = 100;

/**
 * Returns options with the past durations of the parts, and with a callback that records those of this deployment.
 *
 * @param kind - the name of deployments that are alike; each type is kept as `kind/type`
 * @param types - the resource types of the template
 */
export async function withDurationHistory<T extends PastDurationsOptions>(
  history: PartDurationHistory,
  kind: string,
  types: readonly string[],
  options: T,
): Promise<T & Required<PastDurationsOptions>> {
  const known = await Promise.all(
    types
      .slice(0, maxTypes)
      .map(async (type) => [type, await successesOf(history, kindOf(kind, type))] as const),
  );
  return {
    ...options,
    pastDurationsOfTypes: { ...Object.fromEntries(known), ...options.pastDurationsOfTypes },
    onDurationsOfTypes(durations) {
      for (const [type, list] of Object.entries(durations))
        for (const duration of list) void history.record(kindOf(kind, type), duration).catch(() => {});
      return options.onDurationsOfTypes?.(durations);
    },
  };
}

async function successesOf(history: PartDurationHistory, kind: string): Promise<readonly number[]> {
  const past = await history.pastDurations(kind).catch(() => []);
  return past.flatMap((one) => (typeof one === "number" ? one : []));
}

function kindOf(kind: string, type: string): string {
  return `${kind}/${keyOfWord(type)}`;
}
