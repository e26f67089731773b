import { parseArray, parseJson, parseObject, parseString } from "../operation/json-fields.ts";
import { ContractError } from "../operation/errors.ts";
import { maxPastDurationInMs, minPastDurationInMs } from "../schedule/adaptive.ts";

/** Past durations in milliseconds by kind. The newest duration and the kind that was recorded last come last. */
export type Durations = ReadonlyMap<string, readonly number[]>;

/** How many durations and kinds are kept. */
export interface Bounds {
  readonly maxDurationsPerKind: number;
  readonly maxKinds: number;
}

const version = 1;

/** Returns whether a text could not be parsed because it is damaged, not because a later release has written it. */
export function isDamage(error: unknown): error is ContractError {
  if (!(error instanceof ContractError)) return false;
  return error.path !== "durations.version" || !(Number(error.received) > version);
}

/**
 * Parses the text of {@link textOf}.
 *
 * @throws {@link ContractError} that names the field
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

/** Describes what {@link isPlausible} accepts. */
export const plausibleDuration: string = `a number from ${minPastDurationInMs} to ${maxPastDurationInMs}`;

/** Returns whether an operation can have taken so many milliseconds: beyond 31 years a clock was wrong. */
export function isPlausible(value: unknown): value is number {
  return typeof value === "number" && value >= minPastDurationInMs && value <= maxPastDurationInMs;
}

/** Returns JSON with a line for each kind, which a person can read and version control can compare. */
export function textOf(durations: Durations): string {
  // An array: an object would reorder kinds that look like numbers, and lose __proto__.
  const kinds = Array.from(durations, ([kind, durationsInMs]) => JSON.stringify({ kind, durationsInMs }));
  return `{\n  "version": ${version},\n  "kinds": [\n    ${kinds.join(",\n    ")}\n  ]\n}\n`;
}

/** Adds a duration. The oldest durations, and the kinds that were recorded longest ago, are dropped. */
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
