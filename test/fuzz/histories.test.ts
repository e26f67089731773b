import fc from "fast-check";
import { expect, test } from "vitest";
import { ContractError, durationHistory, adaptive } from "lro-poller";
import { parseDurations, textOf, withDuration } from "../../src/history/durations.ts";
import type { Durations } from "../../src/history/durations.ts";
import { MemoryStore, historyWithWarnings } from "../history/support.ts";
import { fuzz, json } from "./support.ts";

const kinds = fc.oneof(
  fc.string({ minLength: 1, maxLength: 20 }),
  fc.constantFrom("__proto__", "constructor", "7", "devboxes"),
);
const milliseconds = fc.double({ min: 1, max: 1e12, noNaN: true });
const histories: fc.Arbitrary<Durations> = fc
  .uniqueArray(fc.tuple(kinds, fc.array(milliseconds, { maxLength: 5 })), {
    selector: ([kind]) => kind,
    maxLength: 6,
  })
  .map((entries) => new Map(entries));

interface Cut {
  readonly at: number;
  readonly length: number;
  readonly put: string;
}

const cuts: fc.Arbitrary<Cut> = fc.record({
  at: fc.nat(400),
  length: fc.nat(6),
  put: fc.oneof(
    fc.constantFrom("", "0", "-", "1e999", '"', "]", "{", "null", ","),
    fc.string({ maxLength: 3 }),
  ),
});

/** Files of which a few bytes are damaged. */
const texts = fc.oneof(
  fc.tuple(histories.map(textOf), fc.array(cuts, { maxLength: 3 })).map(([text, all]) =>
    all.reduce((rest, { at, length, put }) => {
      const start = at % (rest.length + 1);
      return rest.slice(0, start) + put + rest.slice(start + length);
    }, text),
  ),
  fc.record({ version: fc.constantFrom(1, 2, "1"), kinds: json }).map((value) => JSON.stringify(value)),
  fc.string(),
);

test("a file has plausible durations of named kinds, or is rejected with the path and the expected value", () =>
  fuzz(
    fc.property(texts, (text) => {
      try {
        for (const [kind, durations] of parseDurations(text)) {
          expect(typeof kind).toBe("string");
          // Throws unless a schedule accepts them.
          adaptive({ pastDurationsInMs: durations });
        }
      } catch (error) {
        if (!(error instanceof ContractError)) throw error;
        expect(error.message).toMatch(/^durations\S*: expected .+, got .+/);
      }
    }),
    0.2,
  ));

test("a history that is written and read again is the same", () =>
  fuzz(
    fc.property(histories, (durations) => {
      expect(parseDurations(textOf(durations))).toEqual(durations);
    }),
  ));

test("a history is bounded, and has the duration that was recorded last", () =>
  fuzz(
    fc.property(
      histories,
      fc.array(fc.tuple(kinds, milliseconds), { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 1, max: 4 }),
      (before, records, max) => {
        const bounds = { maxDurationsPerKind: max, maxKinds: max };
        let durations = before;
        for (const [kind, durationInMs] of records) {
          durations = withDuration(durations, kind, durationInMs, bounds);
          expect(durations.size).toBeLessThanOrEqual(max);
          expect(durations.get(kind)?.length).toBeLessThanOrEqual(max);
          expect(durations.get(kind)?.at(-1)).toBe(Math.round(durationInMs));
        }
      },
    ),
  ));

test("a damaged file prevents no wait, and a duration recorded over it is found again", () =>
  fuzz(
    fc.asyncProperty(texts, kinds, milliseconds, async (text, kind, durationInMs) => {
      const store = new MemoryStore(text);
      const { history } = historyWithWarnings(store);
      expect(await history.options(kind)).toBeTypeOf("object");
      const isRecorded = await history.record(kind, durationInMs).then(
        () => true,
        () => false,
      );
      // The file of a later release is not changed.
      if (isRecorded)
        expect((await durationHistory(store).pastDurations(kind)).at(-1)).toBe(Math.round(durationInMs));
      else expect(store.text).toBe(text);
    }),
    0.2,
  ));
