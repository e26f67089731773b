/** What a schedule may know of a wait: a plain value that survives `JSON.stringify`. */
export interface PollHistory {
  /** Milliseconds since the wait began. */
  readonly elapsedInMs: number;
  /** Reads that came to an end, failed ones included. */
  readonly pollCount: number;
  /** The latest state, as the service named it. */
  readonly status?: string | undefined;
  /** The highest percentage that the service has reported, 0 to 100. */
  readonly percentComplete?: number | undefined;
}

/**
 * When to read next: milliseconds from now. A pure function: the same history and the same random numbers give
 * the same wait. The engine never reads before a Retry-After, whatever a schedule says.
 */
export type Schedule = (history: PollHistory, random: () => number) => number;

/** What a wait costs, in words of one number. */
export interface PricedScheduleOptions {
  /** How much lateness one status request is worth, in milliseconds. Default 1000. */
  readonly pollCostInMs?: number;
  /** The shortest wait between reads, in milliseconds. Default 1000. */
  readonly minDelayInMs?: number;
  /** The longest wait between reads, in milliseconds. Default 30 000. `Infinity` is allowed. */
  readonly maxDelayInMs?: number;
}

/** Spreads waiters that would read at the same moment over a tenth of their wait (pollers.md: small, upward only). */
const jitterShare = 0.1;

/**
 * The default: spends reads so that lateness plus reads times their price is least.
 *
 * Nothing being known of how long the operation takes, the chance that it ends in the next moment is taken as one
 * in its age (h = 1/t), for which the n-th read belongs at `pollCost·n²/2` (Barlow, Hunter and Proschan 1963;
 * Keller 1974). That costs at most twice what the best schedule for the true duration would.
 *
 * @throws RangeError when a bound is negative, not a number, or the wrong way round
 */
export function pricedSchedule(options: PricedScheduleOptions = {}): Schedule {
  const { pollCostInMs = 1000, minDelayInMs = 1000, maxDelayInMs = 30_000 } = options;
  checkDuration("pollCostInMs", pollCostInMs, { positive: true });
  checkDuration("minDelayInMs", minDelayInMs);
  checkDuration("maxDelayInMs", maxDelayInMs, { allowInfinity: true });
  if (minDelayInMs > maxDelayInMs) {
    throw new RangeError(`minDelayInMs (${minDelayInMs}) must not be above maxDelayInMs (${maxDelayInMs})`);
  }
  return ({ elapsedInMs }, random) => {
    // From c·n²/2 to c·(n+1)²/2.
    const gap = Math.sqrt(2 * pollCostInMs * elapsedInMs) + pollCostInMs / 2;
    return spreadUpTo(maxDelayInMs, Math.max(gap, minDelayInMs), minDelayInMs, random);
  };
}

/** Grows by `factor` with each read, from `initialDelayInMs` (default 1000) up to `maxDelayInMs` (default 30 000). */
export function exponential(
  options: { initialDelayInMs?: number; factor?: number; maxDelayInMs?: number } = {},
): Schedule {
  const { initialDelayInMs = 1000, factor = 2, maxDelayInMs = 30_000 } = options;
  checkDuration("initialDelayInMs", initialDelayInMs);
  checkDuration("maxDelayInMs", maxDelayInMs, { allowInfinity: true });
  if (!(factor >= 1)) throw new RangeError(`factor: expected a number of at least 1, got ${factor}`);
  return ({ pollCount }, random) => {
    return spreadUpTo(maxDelayInMs, initialDelayInMs * factor ** Math.max(0, pollCount - 1), 0, random);
  };
}

/** How long the operation will still take, in milliseconds; `undefined` where it would be a guess. */
export function estimateRemaining({ elapsedInMs, percentComplete = 0 }: PollHistory): number | undefined {
  return percentComplete > 0 ? (elapsedInMs * (100 - percentComplete)) / percentComplete : undefined;
}

/** The same wait every time, `delayInMs` milliseconds, to the millisecond. */
export function fixed(delayInMs: number): Schedule {
  checkDuration("delayInMs", delayInMs);
  return () => delayInMs;
}

/** How long to wait after a failed read: doubles from a second, up to `maxDelayInMs`, and spreads upward. */
export function backoffAfterFailure(
  consecutiveFailures: number,
  maxDelayInMs: number,
  random: () => number,
): number {
  return spreadUpTo(maxDelayInMs, 1000 * 2 ** Math.max(0, consecutiveFailures - 1), 0, random);
}

/** Makes a wait up to a tenth longer: a Retry-After is a minimum, so never shorter. */
export function spread(delayInMs: number, random: () => number): number {
  return delayInMs * (1 + jitterShare * random());
}

/** Spreads below the longest delay, not above it: waiters at the cap must not read in step either. */
function spreadUpTo(most: number, delayInMs: number, least: number, random: () => number): number {
  const start = Math.min(delayInMs, Math.max(least, most / (1 + jitterShare)));
  return Math.min(most, spread(start, random));
}

/**
 * Refuses what is no duration.
 *
 * @throws RangeError that names the option, what was expected and what came
 */
export function checkDuration(
  name: string,
  value: number,
  { positive = false, allowInfinity = false }: { positive?: boolean; allowInfinity?: boolean } = {},
): void {
  const isLargeEnough = positive ? value > 0 : value >= 0;
  if (typeof value === "number" && isLargeEnough && (allowInfinity || value !== Infinity)) return;
  const kind = `${positive ? "a positive" : "a non-negative"}${allowInfinity ? "" : " finite"} number`;
  throw new RangeError(`${name}: expected ${kind} of milliseconds, got ${String(value)}`);
}

/** Reads one header of an answer, by its lower-case name. */
export type GetHeader = (name: string) => string | undefined;

/**
 * The least wait that an answer asks for, in milliseconds; `undefined` where it asks for none, and for zero,
 * negative values and garbage.
 *
 * `retry-after-ms`, then `x-ms-retry-after-ms` (Azure), then `Retry-After` (RFC 9110 §10.2.3) in seconds or as a
 * date. A date is read against the answer's own `Date`, because clocks differ; `receivedAt` (milliseconds since
 * 1970) stands in where that is missing.
 */
export function parseRetryAfter(getHeader: GetHeader, receivedAt: number): number | undefined {
  const retryAfter = getHeader("retry-after")?.trim() ?? "";
  const candidates = [
    parseDecimal(getHeader("retry-after-ms")),
    parseDecimal(getHeader("x-ms-retry-after-ms")),
    parseDecimal(retryAfter) * 1000,
    parseHttpDate(retryAfter) - (parseHttpDate(getHeader("date")?.trim() ?? "") || receivedAt),
  ];
  return candidates.find((delay) => Number.isFinite(delay) && delay > 0);
}

function parseDecimal(text: string | undefined): number {
  return text !== undefined && /^\s*\d{1,300}(\.\d{1,20})?\s*$/.test(text) ? Number(text) : NaN;
}

// Date.parse alone would take "5 abc" for a day in May.
const httpDate = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? [\w\s:-]{14,24}?(?: GMT)?$/;

function parseHttpDate(text: string): number {
  if (!httpDate.test(text)) return NaN;
  // The asctime form of RFC 9110 carries no zone, and Date.parse would take it for local time.
  return Date.parse(text.endsWith(" GMT") ? text : `${text} GMT`);
}
