import { parseArray, parseJson, parseObject, parseString } from "../operation/json-fields.ts";
import { ContractError } from "../operation/errors.ts";

/** Milliseconds, the newest last, by kind; the kind that was recorded last is the last. */
export type Durations = ReadonlyMap<string, readonly number[]>;

/** How much is kept. */
export interface Bounds {
  readonly maxDurationsPerKind: number;
  readonly maxKinds: number;
}

const version = 1;

/** Whether a later release of this library wrote what could not be parsed: it is not damaged, but not for us. */
export function isOfLaterVersion(error: unknown): boolean {
  return (
    error instanceof ContractError && error.path === "durations.version" && Number(error.received) > version
  );
}

/**
 * Parses what {@link textOf} wrote.
 *
 * @throws {@link ContractError} that says where, what was expected and what came
 */
export function parseDurations(text: string): Durations {
  const fields = parseObject(parseJson(text, "durations"), "durations");
  if (fields["version"] !== version) {
    throw new ContractError("durations.version", String(version), fields["version"]);
  }
  return new Map(parseArray(fields["kinds"], "durations.kinds", parseEntry));
}

function parseEntry(value: unknown, path: string): [kind: string, durationsInMs: readonly number[]] {
  const { kind, durationsInMs } = parseObject(value, path);
  return [
    parseString(kind, `${path}.kind`),
    parseArray(durationsInMs, `${path}.durationsInMs`, parseDuration),
  ];
}

function parseDuration(value: unknown, path: string): number {
  if (isPlausible(value)) return value;
  throw new ContractError(path, plausibleDuration, value);
}

const longestInMs = 1e12;

/** What {@link isPlausible} accepts, in words. */
export const plausibleDuration: string = `a number from 1 to ${longestInMs}`;

/** Whether an operation can have taken so many milliseconds: beyond 31 years a clock was wrong. */
export function isPlausible(value: unknown): value is number {
  return typeof value === "number" && value >= 1 && value <= longestInMs;
}

/** A line for each kind, so that a person can read it and version control can compare it. */
export function textOf(durations: Durations): string {
  // An array, because an object would order kinds that look like numbers, and stumble over __proto__.
  const kinds = Array.from(durations, ([kind, durationsInMs]) => JSON.stringify({ kind, durationsInMs }));
  return `{\n  "version": ${version},\n  "kinds": [\n    ${kinds.join(",\n    ")}\n  ]\n}\n`;
}

/** With one more; the oldest, and the kinds that were recorded longest ago, make room. */
export function withDuration(
  durations: Durations,
  kind: string,
  durationInMs: number,
  { maxDurationsPerKind, maxKinds }: Bounds,
): Durations {
  // Fractions of a millisecond are noise.
  const ofKind = [...(durations.get(kind) ?? []), Math.round(durationInMs)].slice(-maxDurationsPerKind);
  const others = [...durations].filter(([other]) => other !== kind);
  return new Map([...others, [kind, ofKind] as const].slice(-maxKinds));
}
