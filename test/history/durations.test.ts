import * as fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { durationHistory } from "lro-poller";
import { parseDurations, textOf } from "../../src/history/durations.ts";
import { MemoryStore, historyWithWarnings } from "./support.ts";

describe("a history of durations", () => {
  it("knows of each kind what was recorded, the newest last", async () => {
    const { history } = historyWithWarnings();
    await history.record("createDevBox/small", 61_000.4);
    await history.record("createDevBox/large", 2_700_000);
    await history.record("createDevBox/small", 58_000);
    expect(await history.pastDurations("createDevBox/small")).toEqual([61_000, 58_000]);
    expect(await history.pastDurations("createDevBox/large")).toEqual([2_700_000]);
    expect(await history.pastDurations("createDevBox")).toEqual([]);
  });

  it("is found again by the next process", async () => {
    const store = new MemoryStore();
    await durationHistory(store).record("stopDevBox", 30_000);
    expect(await durationHistory(store).pastDurations("stopDevBox")).toEqual([30_000]);
  });

  it.each(["__proto__", "constructor", "17", 'a\n"b" \u2028'])(
    "takes any text for a kind: %j",
    async (kind) => {
      const store = new MemoryStore();
      await durationHistory(store).record("before", 1);
      await durationHistory(store).record(kind, 2);
      expect(await durationHistory(store).pastDurations(kind)).toEqual([2]);
      expect(await durationHistory(store).pastDurations("toString")).toEqual([]);
    },
  );

  it("keeps the newest durations of a kind", async () => {
    const { history } = historyWithWarnings(undefined, { maxDurationsPerKind: 3 });
    for (const duration of [1, 2, 3, 4, 5]) await history.record("any", duration);
    expect(await history.pastDurations("any")).toEqual([3, 4, 5]);
  });

  it("keeps 100 of a kind unless told otherwise", async () => {
    const { history } = historyWithWarnings();
    await Promise.all(Array.from({ length: 102 }, (_, i) => history.record("any", i + 1)));
    const durations = await history.pastDurations("any");
    expect([durations.length, durations[0], durations.at(-1)]).toEqual([100, 3, 102]);
  });

  it("keeps the kinds that were recorded last", async () => {
    const store = new MemoryStore();
    const { history } = historyWithWarnings(store, { maxKinds: 3 });
    for (const kind of ["a", "b", "a", "c", "d"]) await history.record(kind, 1);
    expect([...parseDurations(store.text ?? "").keys()]).toEqual(["a", "c", "d"]);
  });

  it("loses nothing that is recorded at once", async () => {
    const { history } = historyWithWarnings();
    void history.record("any", 1);
    void history.record("any", 2);
    expect(await history.pastDurations("any")).toEqual([1, 2]);
  });

  it("reads an empty text as none", async () => {
    const { history, warnings } = historyWithWarnings(new MemoryStore("\n"));
    expect(await history.pastDurations("any")).toEqual([]);
    expect(warnings).toEqual([]);
  });

  it("reads a text that begins with a byte order mark", async () => {
    const text = `\uFEFF${textOf(new Map([["any", [1]]]))}`;
    const { history, warnings } = historyWithWarnings(new MemoryStore(text));
    expect(await history.pastDurations("any")).toEqual([1]);
    expect(warnings).toEqual([]);
  });

  it("says what its store says", async () => {
    const store = new MemoryStore();
    store.trouble = new Error("the disk is on fire");
    const { history } = historyWithWarnings(store);
    await expect(history.pastDurations("any")).rejects.toThrow("the disk is on fire");
    await expect(history.record("any", 1)).rejects.toThrow("the disk is on fire");
    store.trouble = undefined;
    await history.record("any", 1);
    expect(await history.pastDurations("any")).toEqual([1]);
  });
});

test.each(["", "x".repeat(257)])("a kind has 1 to 256 characters", async (kind) => {
  const { history } = historyWithWarnings();
  await expect(history.record(kind, 1)).rejects.toThrow(/^kind: expected 1 to 256 characters, got /);
  await expect(history.pastDurations(kind)).rejects.toThrow(TypeError);
  await expect(history.options(kind)).rejects.toThrow(TypeError);
});

test.each([0, -1, 0.9, 1e12 + 1, NaN, Infinity])("a duration is 1 to 1e12: not %d", async (duration) => {
  const { history } = historyWithWarnings();
  const message = /^durationInMs: expected a number from 1 to 1000000000000 of milliseconds, got /;
  await expect(history.record("any", duration)).rejects.toThrow(message);
  await expect(history.record("any", duration)).rejects.toThrow(RangeError);
});

test("options out of range are named", () => {
  expect(() => durationHistory("")).toThrow(/^pathOrStore: /);
  expect(() => durationHistory(new MemoryStore(), { maxKinds: 0 })).toThrow(/^maxKinds: .* got 0$/);
  expect(() => durationHistory(new MemoryStore(), { maxDurationsPerKind: 1.5 })).toThrow(
    /^maxDurationsPerKind: /,
  );
});

test.each([undefined, null, 7, {}, { read: () => {} }])("%j is no place for durations", (place) => {
  const begin = (): unknown => Reflect.apply(durationHistory, undefined, [place]);
  expect(begin).toThrow(/^pathOrStore: expected a path, or a store with read\(\) and write\(\), got /);
  expect(begin).toThrow(TypeError);
});

test("what is written can be read, whatever it is", () => {
  const duration = fc.integer({ min: 1, max: 1e12 });
  const entry = fc.tuple(fc.string({ minLength: 1, unit: "binary" }), fc.array(duration));
  fc.assert(
    fc.property(fc.array(entry), (entries) => {
      const durations = new Map(entries);
      expect(parseDurations(textOf(durations))).toEqual(durations);
    }),
  );
});

const entry = { kind: "any", durationsInMs: [1] };

describe("a damaged text", () => {
  it.each([
    ['{"version":1,"kinds":[{"kind":"an', "durations: expected JSON"],
    ["[]", "durations: expected an object"],
    ["{}", "durations.version: expected 1, got nothing"],
    [JSON.stringify({ version: "2", kinds: [] }), 'durations.version: expected 1, got "2"'],
    [JSON.stringify({ version: 1 }), "durations.kinds: expected an array, got nothing"],
    [JSON.stringify({ version: 1, kinds: [entry, 7] }), "durations.kinds[1]: expected an object, got 7"],
    [
      JSON.stringify({ version: 1, kinds: [{ ...entry, kind: 7 }] }),
      "durations.kinds[0].kind: expected a string",
    ],
    [
      JSON.stringify({ version: 1, kinds: [{ kind: "any" }] }),
      "durations.kinds[0].durationsInMs: expected an array",
    ],
    [
      JSON.stringify({ version: 1, kinds: [{ ...entry, durationsInMs: [1, -1] }] }),
      "durations.kinds[0].durationsInMs[1]: expected a number from 1 to 1000000000000, got -1",
    ],
    [
      JSON.stringify({ version: 1, kinds: [{ ...entry, durationsInMs: [1e13] }] }),
      "durations.kinds[0].durationsInMs[0]: expected a number from 1 to 1000000000000, got 10000000000000",
    ],
  ])("%s is told of and replaced", async (text, what) => {
    const { history, warnings } = historyWithWarnings(new MemoryStore(text));
    await history.record("any", 5);
    expect(await history.pastDurations("any")).toEqual([5]);
    expect(warnings).toEqual([expect.stringContaining(what)]);
  });

  it("that a later release wrote is left alone", async () => {
    const text = '{"version":2,"durations":"in a way of its own"}';
    const store = new MemoryStore(text);
    const { history } = historyWithWarnings(store);
    await expect(history.pastDurations("any")).rejects.toThrow("durations.version: expected 1, got 2");
    await expect(history.record("any", 1)).rejects.toThrow("durations.version: expected 1, got 2");
    expect(store.text).toBe(text);
  });
});
