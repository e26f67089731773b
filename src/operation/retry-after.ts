/** Reads one header of a response, by its lower-case name. */
export type GetHeader = (name: string) => string | undefined;

/** DevCenter forgets an operation after about a day: a poll after that finds nothing. */
const maxRetryAfterInMs = 86_400_000;

/**
 * The one rule for every wait that a service asks for, in milliseconds: at most a day. `undefined` where it asks for
 * none: garbage, NaN, zero and negative values. A transport may be the user's own, so this is checked wherever a value
 * comes in.
 */
export function validRetryAfter(requestedInMs: number | undefined): number | undefined {
  return requestedInMs !== undefined && requestedInMs > 0
    ? Math.min(requestedInMs, maxRetryAfterInMs)
    : undefined;
}

/**
 * Returns the least wait that a response asks for, in milliseconds; `undefined` where it asks for none.
 *
 * The headers are `retry-after-ms`, then `x-ms-retry-after-ms` (Azure), then `Retry-After` (RFC 9110 §10.2.3) in seconds
 * or as a date. A date is compared with the response's own `Date`, because clocks differ. `receivedAt` (milliseconds
 * since 1970) stands in where that is missing. Zero, negative values and garbage are ignored; more than a day is a day.
 */
export function parseRetryAfter(getHeader: GetHeader, receivedAt: number): number | undefined {
  return (
    validRetryAfter(parseDecimal(getHeader("retry-after-ms"))) ??
    validRetryAfter(parseDecimal(getHeader("x-ms-retry-after-ms"))) ??
    validRetryAfter(parseStandard(getHeader, receivedAt))
  );
}

function parseStandard(getHeader: GetHeader, receivedAt: number): number {
  const retryAfter = getHeader("retry-after")?.trim();
  if (retryAfter === undefined) return NaN;
  const seconds = parseDecimal(retryAfter);
  if (!Number.isNaN(seconds)) return seconds * 1000;
  return parseHttpDate(retryAfter) - (parseHttpDate(getHeader("date")?.trim() ?? "") || receivedAt);
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
