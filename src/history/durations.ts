import { parseArray, parseJson, parseObject, parseString } from "../operation/json-fields.ts";
import { ContractError } from "../operation/errors.ts";
import { hasEnded, hasFailed, isPlausible, leastOf, plausibleRange } from "../schedule/past-durations.ts";
import type { PastDuration } from "../schedule/past-durations.ts";

/** Past durations in milliseconds by kind. The newest duration and the kind that was recorded last come last. */
export type Durations = ReadonlyMap<string, readonly PastDuration[]>;

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

/** The letters of `order`: an operation that succeeded, that failed, and that still ran when its wait ended. */
type Letter = "S" | "F" | "R";

/**
 * Parses the durations of a kind. `durationsInMs` has those of operations that ended, all that an earlier release knows.
 * `order` says which succeeded and which failed, and where the durations in `atLeastInMs` come between them.
 */
function parseEntry(value: unknown, path: string): [kind: string, past: readonly PastDuration[]] {
  const { kind, durationsInMs, atLeastInMs = [], order } = parseObject(value, path);
  const name = parseString(kind, `${path}.kind`);
  const ended = parseArray(durationsInMs, `${path}.durationsInMs`, parseDuration);
  const running = parseArray(atLeastInMs, `${path}.atLeastInMs`, parseDuration);
  const letters = order === undefined ? "S".repeat(ended.length) : parseString(order, `${path}.order`);
  const [endedLeft, runningLeft] = [ended.values(), running.values()];
  const past = letters.split("").map((letter) => {
    const next = letter === "R" ? runningLeft.next() : endedLeft.next();
    if (!isLetter(letter) || next.done === true) throw new ContractError(`${path}.order`, orderOf, order);
    return pastOf(letter, next.value);
  });
  if (past.length < ended.length + running.length) throw new ContractError(`${path}.order`, orderOf, order);
  return [name, past];
}

const orderOf = "S or F for each of durationsInMs, and R for each of atLeastInMs";

function isLetter(text: string): text is Letter {
  return text === "S" || text === "F" || text === "R";
}

function pastOf(letter: Letter, inMs: number): PastDuration {
  if (letter === "S") return inMs;
  return letter === "F" ? { failedAfterInMs: inMs } : { atLeastInMs: inMs };
}

function letterOf(past: PastDuration): Letter {
  if (!hasEnded(past)) return "R";
  return hasFailed(past) ? "F" : "S";
}

function parseDuration(value: unknown, path: string): number {
  if (isPlausible(value)) return value;
  throw new ContractError(path, `a number ${plausibleRange}`, value);
}

/** Returns JSON with a line for each kind, which a person can read and version control can compare. */
export function textOf(durations: Durations): string {
  // An array: an object would reorder kinds that look like numbers, and lose __proto__.
  const kinds = Array.from(durations, ([kind, past]) => JSON.stringify({ kind, ...fieldsOf(past) }));
  return `{\n  "version": ${version},\n  "kinds": [\n    ${kinds.join(",\n    ")}\n  ]\n}\n`;
}

/** Only what an earlier release knows, if there is no more. */
function fieldsOf(past: readonly PastDuration[]): object {
  const durationsInMs = past.filter(hasEnded).map(leastOf);
  const order = past.map(letterOf).join("");
  if (/^S*$/.test(order)) return { durationsInMs };
  const atLeastInMs = past.filter((one) => !hasEnded(one)).map(leastOf);
  return { durationsInMs, ...(atLeastInMs.length > 0 && { atLeastInMs }), order };
}

/** Adds a duration. The oldest durations, and the kinds that were recorded longest ago, are dropped. */
export function withDuration(
  durations: Durations,
  kind: string,
  past: PastDuration,
  { maxDurationsPerKind, maxKinds }: Bounds,
): Durations {
  // Fractions of a millisecond are noise.
  const rounded = pastOf(letterOf(past), Math.round(leastOf(past)));
  const ofKind = [...(durations.get(kind) ?? []), rounded].slice(-maxDurationsPerKind);
  const others = [...durations].filter(([other]) => other !== kind);
  return new Map([...others, [kind, ofKind] as const].slice(-maxKinds));
}
