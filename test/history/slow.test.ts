import { expect, it, vi } from "vitest";
import { MemoryStore, historyWithWarnings } from "./support.ts";
import { virtualClock } from "./virtual-clock.ts";

vi.mock("../../src/clock.ts", async (importActual) => {
  const actual = await importActual<typeof import("../../src/clock.ts")>();
  const { virtualClock: systemClock } = await import("./virtual-clock.ts");
  return { ...actual, systemClock };
});

it("a queue of recordings delays a wait by 10 s in all, and is no failure of the store", async () => {
  const store = new MemoryStore();
  const write = store.write.bind(store);
  store.write = async (text) => {
    await new Promise<void>((resolve) => void virtualClock.setTimer(resolve, 4000));
    await write(text);
  };
  const { history, warnings } = historyWithWarnings(store);
  const recordings = Promise.all(Array.from({ length: 5 }, (_, i) => history.record("any", i + 1)));
  const options = await virtualClock.runUntilSettled(history.options("any"));
  expect(virtualClock.now()).toBe(10_000);
  expect(options.pastDurationsInMs).toEqual([]);
  expect(warnings).toEqual(["The past durations cannot be read: the store did not settle within 10 s"]);
  await virtualClock.runUntilSettled(recordings);
  expect(virtualClock.now()).toBe(20_000);
  expect((await history.options("any")).pastDurationsInMs).toEqual([1, 2, 3, 4, 5]);
});
