import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseRetryAfter } from "lro-poller";

const receivedAt = Date.UTC(2026, 0, 1, 12, 0, 0);

function parse(headers: Record<string, string>): number | undefined {
  return parseRetryAfter((name) => headers[name], receivedAt);
}

describe("Retry-After", () => {
  test.each<[Record<string, string>, number]>([
    [{ "retry-after": "5" }, 5000],
    [{ "retry-after": " 5 " }, 5000],
    [{ "retry-after": "1.9" }, 1900],
    [{ "retry-after": "1.25" }, 1250],
    [{ "retry-after-ms": "  250  " }, 250],
    [{ "retry-after": "2147484" }, 86_400_000],
    [{ "retry-after-ms": "250" }, 250],
    [{ "x-ms-retry-after-ms": "251" }, 251],
    [{ "retry-after-ms": "250", "retry-after": "5" }, 250],
    [{ "retry-after-ms": "garbage", "retry-after": "5" }, 5000],
    [{ "retry-after": "Thu, 01 Jan 2026 12:00:07 GMT" }, 7000],
    [{ "retry-after": "  Thu, 01 Jan 2026 12:00:07 GMT " }, 7000],
    [{ "retry-after": "Thu, 01 Jan 2026 12:00:07 GMT", date: "garbage" }, 7000],
    [{ "retry-after": "Thu, 01 Jan 2026 12:00:07 GMT", date: " Thu, 01 Jan 2026 12:00:02 GMT " }, 5000],
    [{ "retry-after": "Thu, 01 Jan 2026 12:00:07 GMT", date: "2026" }, 7000],
    [{ "retry-after": "Thursday, 01-Jan-26 12:00:07 GMT" }, 7000],
    [{ "retry-after": "Thu Jan  1 12:00:07 2026" }, 7000],
  ])("%j is a wait of %i ms", (headers, delayInMs) => {
    expect(parse(headers)).toBe(delayInMs);
  });

  test("a date is compared with the response's own Date, not the local clock", () => {
    const headers = { "retry-after": "Thu, 01 Jan 2026 03:00:07 GMT", date: "Thu, 01 Jan 2026 03:00:00 GMT" };
    expect(parse(headers)).toBe(7000);
  });

  test.each<Record<string, string>>([
    {},
    { "retry-after": "0" },
    { "retry-after": "-5" },
    { "retry-after": "" },
    { "retry-after": "soon" },
    { "retry-after": "5abc" },
    { "retry-after": "not before Thu, 01 Jan 2026 12:00:07 GMT" },
    { "retry-after": "Thu, 01 Jan 2026 12:00:07 GMT+1" },
    { "retry-after": "5.5.5" },
    { "retry-after": "5 abc" },
    { "retry-after": "0x10" },
    { "retry-after": "1e3" },
    { "retry-after": "Infinity" },
    { "retry-after": "9".repeat(400) },
    { "retry-after": "2026-01-01T12:00:07Z" },
    { "retry-after": "Thu, 01 Jan 2026 11:59:59 GMT" },
    { "retry-after": "Thu, 99 Jan 2026 12:00:07 GMT" },
    { "retry-after-ms": "-1", "x-ms-retry-after-ms": "NaN" },
  ])("%j is no wait", (headers) => {
    expect(parse(headers)).toBeUndefined();
  });

  test("for any headers the wait is positive and finite, or there is none", () => {
    const name = fc.constantFrom("retry-after", "retry-after-ms", "x-ms-retry-after-ms", "date");
    const value = fc.oneof(fc.string(), fc.double().map(String), fc.date().map(String));
    fc.assert(
      fc.property(fc.dictionary(name, value), (headers) => {
        const delayInMs = parse(headers) ?? 1;
        expect(delayInMs).toBeGreaterThan(0);
        expect(delayInMs).toBeLessThan(Infinity);
      }),
    );
  });
});
