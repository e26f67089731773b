import { maxPoints } from "../schedule/progress-history.ts";
import type { ProgressHistory, ProgressPoint } from "../schedule/progress-history.ts";
import { invalidField, parseCount, parseFields, parseNumber } from "../operation/json-fields.ts";

/**
 * A progress history in a resume token: rounded, so that it stays small. Times are seconds since the wait started.
 */
export interface ProgressToken {
  /** The time at which the percentage was last reported. */
  readonly latest: number;
  /** The number that every percentage so far is a multiple of; 0 before the first above 0. */
  readonly quantum: number;
  /** The mean of the square roots, and their count. */
  readonly roughness: readonly [meanRoot: number, count: number];
  /** Four numbers for each point, oldest first: when it was seen, how long after the poll before, percent, levels. */
  readonly points: readonly number[];
}

/** Makes the token's form of a progress history. */
export function progressTokenOf({ points, latestInMs, quantum, roughness }: ProgressHistory): ProgressToken {
  return {
    latest: rounded(latestInMs / 1000, timeDigits),
    quantum: rounded(quantum, percentDigits),
    roughness: [rounded(roughness.meanRoot, percentDigits), roughness.count],
    points: points.flatMap(({ atInMs, afterInMs, percent, levels }) => [
      rounded(atInMs / 1000, timeDigits),
      rounded((atInMs - afterInMs) / 1000, gapDigits),
      rounded(percent, percentDigits),
      levels,
    ]),
  };
}

/** A hundred-thousandth of the wait, or a millisecond; how wide a step is need not be known as exactly. */
const [timeDigits, gapDigits] = [5, 2];
/** Thousandths of a percent. */
const percentDigits = 5;
const maxDecimals = 3;

/** Rounds to so many significant digits, and to three decimals at most. */
function rounded(value: number, digits: number): number {
  return Number(Number(value.toPrecision(digits)).toFixed(maxDecimals));
}

const numbersInPoint = 4;

/** The fields of a progress history in a token. */
export const progressTokenNames: readonly string[] = ["latest", "quantum", "roughness", "points"];

/**
 * Parses a token's progress history.
 *
 * @throws {@link ContractError} that says which field is wrong
 */
export function parseProgressToken(value: unknown, path: string): ProgressToken {
  const fields = parseFields(value, path, progressTokenNames);
  const [meanRoot, count] = parseNumbers(fields["roughness"], `${path}.roughness`);
  const points = parseNumbers(fields["points"], `${path}.points`);
  checkPoints(points, `${path}.points`);
  return {
    latest: parseNumber(fields["latest"], `${path}.latest`),
    quantum: parseNumber(fields["quantum"], `${path}.quantum`, 100),
    roughness: [
      parseNumber(meanRoot, `${path}.roughness[0]`, 100),
      parseCount(count, `${path}.roughness[1]`),
    ],
    // Another version may keep more of them: the newest are enough.
    points: points.slice(-maxPoints * numbersInPoint),
  };
}

function parseNumbers(value: unknown, path: string): readonly number[] {
  if (!Array.isArray(value)) throw invalidField(path, "an array of numbers", value);
  return value.map((item, index) => parseNumber(item, `${path}[${index}]`));
}

/** A schedule divides by points: one that no wait could have seen must not get that far. */
function checkPoints(points: readonly number[], path: string): void {
  if (points.length % numbersInPoint !== 0) throw invalidField(path, "four numbers for each point", points);
  let before = 0;
  for (const [index, number] of points.entries()) {
    const at = `${path}[${index}]`;
    if (index % numbersInPoint === 0 && number < before) throw invalidField(at, `at least ${before}`, number);
    if (index % numbersInPoint === 0) before = number;
    if (index % numbersInPoint === 2) parseNumber(number, at, 100);
    if (index % numbersInPoint === 3 && parseCount(number, at) === 0)
      throw invalidField(at, "1 or more", number);
  }
}

/** Makes the progress history of a token. */
export function progressOf({ points, latest, quantum, roughness }: ProgressToken): ProgressHistory {
  const [meanRoot, count] = roughness;
  const starts = points.filter((_, index) => index % numbersInPoint === 0);
  return {
    points: starts.map((at, index) => pointOf(at, points.slice(index * numbersInPoint))),
    latestInMs: latest * 1000,
    quantum,
    roughness: { meanRoot, count },
  };
}

function pointOf(at: number, [, gap = 0, percent = 0, levels = 1]: readonly number[]): ProgressPoint {
  // Rounded, a gap may begin before the wait: cut off there, the next token would have another one.
  return { atInMs: at * 1000, afterInMs: (at - gap) * 1000, percent, levels };
}
