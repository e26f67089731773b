import * as fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { durationHistory } from "lro-poller";
import type { PastDuration } from "lro-poller";
import { parseDurations, textOf } from "../../src/history/durations.ts";
import { MemoryStore, historyWithWarnings } from "./support.ts";

describe("a duration history", () => {
  it("returns the recorded durations of each kind, the newest last", async () => {
    const { history } = historyWithWarnings();
    await history.record("createDevBox/small", 61_000.4);
    await history.record("createDevBox/large", 2_700_000);
    await history.record("createDevBox/small", 58_000);
    expect(await history.pastDurations("createDevBox/small")).toEqual([61_000, 58_000]);
    expect(await history.pastDurations("createDevBox/large")).toEqual([2_700_000]);
    expect(await history.pastDurations("createDevBox")).toEqual([]);
  });

  it("is kept for the next process", async () => {
    const store = new MemoryStore();
    await durationHistory(store).record("stopDevBox", 30_000);
    expect(await durationHistory(store).pastDurations("stopDevBox")).toEqual([30_000]);
  });

  it.each(["__proto__", "constructor", "17", 'a\n"b" \u2028'])(
    "accepts any text as a kind: %j",
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

  it("keeps 100 durations of a kind by default", async () => {
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

  it("loses nothing that is recorded at the same time", async () => {
    const { history } = historyWithWarnings();
    void history.record("any", 1);
    void history.record("any", 2);
    expect(await history.pastDurations("any")).toEqual([1, 2]);
  });

  it("treats an empty text as no durations", async () => {
    const { history, warnings } = historyWithWarnings(new MemoryStore("\n"));
    expect(await history.pastDurations("any")).toEqual([]);
    expect(warnings).toEqual([]);
  });

  it("parses a text that starts with a byte order mark", async () => {
    const text = `\uFEFF${textOf(new Map([["any", [1]]]))}`;
    const { history, warnings } = historyWithWarnings(new MemoryStore(text));
    expect(await history.pastDurations("any")).toEqual([1]);
    expect(warnings).toEqual([]);
  });

  it("rejects with the error of its store", async () => {
    const store = new MemoryStore();
    store.error = new Error("the disk is on fire");
    const { history } = historyWithWarnings(store);
    await expect(history.pastDurations("any")).rejects.toThrow("the disk is on fire");
    await expect(history.record("any", 1)).rejects.toThrow("the disk is on fire");
    store.error = undefined;
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
  const message = /^duration: expected milliseconds from 1 to 1000000000000, got /;
  await expect(history.record("any", duration)).rejects.toThrow(message);
  await expect(history.record("any", duration)).rejects.toThrow(RangeError);
});

test.each([{}, { atLeastInMs: 5, failedAfterInMs: 5 }])(
  "a duration needs one of its fields, unlike %o",
  async (value) => {
    const { history } = historyWithWarnings();
    // @ts-expect-error: no past duration
    const wrong: PastDuration = value;
    await expect(history.record("any", wrong)).rejects.toThrow(
      new RangeError("duration: expected either atLeastInMs or failedAfterInMs, got an object"),
    );
  },
);

test("an option out of range is rejected with its name", () => {
  expect(() => durationHistory("")).toThrow(/^pathOrStore: /);
  expect(() => durationHistory(new MemoryStore(), { maxKinds: 0 })).toThrow(/^maxKinds: .* got 0$/);
  expect(() => durationHistory(new MemoryStore(), { maxDurationsPerKind: 1.5 })).toThrow(
    /^maxDurationsPerKind: /,
  );
});

test.each([undefined, null, 7, {}, { read: () => {} }])("%j is no store", (value) => {
  const create = (): unknown => Reflect.apply(durationHistory, undefined, [value]);
  expect(create).toThrow(/^pathOrStore: expected a path, or a store with read\(\) and write\(\), got /);
  expect(create).toThrow(TypeError);
});

test("all durations can be written and parsed", () => {
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

describe("the text of failures and of waits that ended early", () => {
  const past = [1000, { failedAfterInMs: 2000 }, { atLeastInMs: 3000 }, 4000];
  const text = '{"kind":"any","durationsInMs":[1000,2000,4000],"atLeastInMs":[3000],"order":"SFRS"}';

  it("keeps their order, and what an earlier release reads", async () => {
    const store = new MemoryStore();
    const { history } = historyWithWarnings(store);
    for (const one of past) await history.record("any", one);
    expect(store.text).toContain(text);
    expect(await durationHistory(store).pastDurations("any")).toEqual(past);
  });

  it("drops the oldest of them all", async () => {
    const { history } = historyWithWarnings(undefined, { maxDurationsPerKind: 2 });
    for (const one of past) await history.record("any", one);
    expect(await history.pastDurations("any")).toEqual([{ atLeastInMs: 3000 }, 4000]);
  });

  it.each(["SF", "SFSR", "SFRSS", "SFRX", 7])("is damaged if its order is %j", async (order) => {
    const kinds = [{ kind: "any", durationsInMs: [1, 2], atLeastInMs: [3], order }];
    const { history, warnings } = historyWithWarnings(new MemoryStore(JSON.stringify({ version: 1, kinds })));
    expect(await history.pastDurations("any")).toEqual([]);
    expect(warnings).toEqual([expect.stringContaining("durations.kinds[0].order: expected ")]);
  });
});

describe("a text that cannot be parsed", () => {
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
  ])("%s causes a warning and is replaced", async (text, message) => {
    const { history, warnings } = historyWithWarnings(new MemoryStore(text));
    await history.record("any", 5);
    expect(await history.pastDurations("any")).toEqual([5]);
    expect(warnings).toEqual([expect.stringContaining(message)]);
  });

  it("of a later release is left alone", async () => {
    const text = '{"version":2,"durations":"in another format"}';
    const store = new MemoryStore(text);
    const { history } = historyWithWarnings(store);
    await expect(history.pastDurations("any")).rejects.toThrow("durations.version: expected 1, got 2");
    await expect(history.record("any", 1)).rejects.toThrow("durations.version: expected 1, got 2");
    expect(store.text).toBe(text);
  });
});
