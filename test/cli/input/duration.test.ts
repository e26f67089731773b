import { InvalidArgumentError } from "commander";
import fc from "fast-check";
import { expect, test } from "vitest";
import { clockText, durationText, parseDuration, secondsText } from "../../../src/cli/input/duration.ts";

test.each([
  ["90", 90_000],
  ["1.5", 1500],
  ["250ms", 250],
  ["90s", 90_000],
  ["30m", 1_800_000],
  ["2h", 7_200_000],
  ["1h30m", 5_400_000],
  ["1d", 86_400_000],
  [" 5M ", 300_000],
])("%j is %d ms", (text, durationInMs) => {
  expect(parseDuration(text)).toBe(durationInMs);
});

test.each(["", "0", "0s", "-5", "5 parsecs", "1e3", "s", "Infinity", "1h 30m", "9".repeat(400)])(
  "%j is rejected",
  (text) => {
    expect(() => parseDuration(text)).toThrow(InvalidArgumentError);
  },
);

test("any text is a positive duration or rejected", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\d.]{0,6}[a-z]{0,3}$/)), (text) => {
      try {
        expect(parseDuration(text)).toBeGreaterThan(0);
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidArgumentError);
      }
    }),
  );
});

test("a duration's text is short, and parses as the duration", () => {
  const texts = [90_000, 1_800_000, 5_400_000, 86_400_000, 1500, 0.5].map(durationText);
  expect(texts).toEqual(["90s", "30m", "90m", "1d", "1500ms", "0.5ms"]);
  fc.assert(fc.property(fc.integer({ min: 1 }), (ms) => parseDuration(durationText(ms)) === ms));
});

test("clocks show minutes, and hours where there are any", () => {
  expect([0, 12_999, 61_000, 3_599_000, 3_723_000, -5].map(clockText)).toEqual([
    "0:00",
    "0:12",
    "1:01",
    "59:59",
    "1:02:03",
    "0:00",
  ]);
});

test("a remaining duration is rounded up", () => {
  expect([0, 1, 1000, 1001, -1].map(secondsText)).toEqual(["0 s", "1 s", "1 s", "2 s", "0 s"]);
});
