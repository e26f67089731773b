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
  return (
    positive(parseDecimal(getHeader("retry-after-ms"))) ??
    positive(parseDecimal(getHeader("x-ms-retry-after-ms"))) ??
    positive(parseStandard(getHeader, receivedAt))
  );
}

function positive(delayInMs: number): number | undefined {
  return delayInMs > 0 && delayInMs < Infinity ? delayInMs : undefined;
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
