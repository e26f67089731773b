import type { Fields } from "./json-fields.ts";

// These parsers never throw: an odd field must not make a poll fail.

/** Returns a field by its name; without case, unless one has that very spelling. */
export function fieldOf(fields: Fields, name: string): unknown {
  if (Object.hasOwn(fields, name)) return fields[name];
  const spelling = Object.keys(fields).find((key) => key.toLowerCase() === name.toLowerCase());
  return spelling === undefined ? undefined : fields[spelling];
}

const maxPercentageLength = 50;

/** Returns the number of a percentage (`40`, `"40"`, `"40 %"`), at most 100; `undefined` if it is none. */
export function toPercentage(value: unknown): number | undefined {
  const isShort = typeof value === "string" && value.length <= maxPercentageLength;
  const text = isShort ? /^(\d{1,20}(?:\.\d{1,20})?)\s*%?$/.exec(value.trim())?.[1] : undefined;
  const number = text === undefined ? value : Number(text);
  return typeof number === "number" && number >= 0 ? Math.min(number, 100) : undefined;
}

/** The form that services send. A day after the 28th needs a check, which `Date.parse` does not make. */
const usualTime =
  /^\d{4}-\d\d-(?:[01]\d|2[0-8])T(?:[01]\d|2[0-3])(?::[0-5]\d){2}(?:\.\d{1,20})?(?:Z|\+00:00)$/;

const dateAndTime =
  /^(\d{4}-\d{2}-(\d{2}))(?:[T ](?:([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d|60)(\.\d{1,20})?)?))? ?(Z|UTC|GMT|[+-](?:[01]\d|2[0-3]):?[0-5]\d)?$/i;

const httpDate = /^[a-z]{3}, \d{1,2} [a-z]{3} \d{4} \d{2}:\d{2}:\d{2} GMT$/i;

/** .NET's and Unix' zero stand for "not set". */
const earliest = Date.UTC(2000, 0);

/**
 * Returns the date of a text in RFC 3339 or HTTP form; `undefined` for others, or before 2000. The time, the zone (then
 * UTC) and its colon may be missing.
 */
export function toDate(value: unknown): Date | undefined {
  if (typeof value !== "string") return undefined;
  const text = value.trim();
  const time = usualTime.test(text) || httpDate.test(text) ? Date.parse(text) : timeOf(text);
  return time >= earliest ? new Date(time) : undefined;
}

function timeOf(text: string): number {
  const [, date = "", day, hour = "00", minute = "00", second = "00", fraction = "", zone = "Z"] =
    dateAndTime.exec(text) ?? [];
  // Date.parse rolls 30 February over into March, and knows no leap second.
  if (new Date(`${date}T00:00:00Z`).getUTCDate() !== Number(day)) return NaN;
  const isLeapSecond = second === "60";
  const time = `${date}T${hour}:${minute}:${isLeapSecond ? "59" : second}${fraction}`;
  return Date.parse(`${time}${offsetOf(zone)}`) + (isLeapSecond ? 1000 : 0);
}

/** `+0200` as `+02:00`, a name as `Z` */
function offsetOf(zone: string): string {
  return /^[+-]/.test(zone) ? zone.replace(/(\d{2}):?(\d{2})$/, "$1:$2") : "Z";
}
