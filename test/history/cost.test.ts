import { expect, it, vi } from "vitest";
import { createPoller } from "lro-poller";
import { createVirtualClock, scriptedOperation } from "lro-poller/testing";
import { textOf } from "../../src/history/durations.ts";
import { MemoryStore, historyWithWarnings } from "./support.ts";

const clock = createVirtualClock();

it("the table of past durations is computed once for a kind, and again after each change", async () => {
  const { history } = historyWithWarnings();
  const createPollers = async (count: number): Promise<number> => {
    const exp = vi.spyOn(Math, "exp");
    for (let poller = 0; poller < count; poller++)
      createPoller(scriptedOperation([]), await history.options("any", { clock }));
    const { length } = exp.mock.calls;
    exp.mockRestore();
    return length;
  };
  await history.record("any", 60_000);
  const first = await createPollers(1);
  expect(first).toBeGreaterThan(100);
  expect(await createPollers(10)).toBe(0);
  await history.record("any", 70_000);
  expect(await createPollers(10)).toBeGreaterThan(first);
});

it("a text is parsed once, until it changes", async () => {
  const store = new MemoryStore(textOf(new Map([["any", [1, 2, 3]]])));
  const { history } = historyWithWarnings(store);
  const parse = vi.spyOn(JSON, "parse");
  for (let wait = 0; wait < 10; wait++) expect(await history.pastDurations("any")).toEqual([1, 2, 3]);
  expect(parse).toHaveBeenCalledOnce();
  store.text = textOf(new Map([["any", [4]]]));
  expect(await history.pastDurations("any")).toEqual([4]);
  expect(parse).toHaveBeenCalledTimes(2);
  parse.mockRestore();
});
