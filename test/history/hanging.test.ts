import { expect, it, vi } from "vitest";
import { pollUntilDone } from "lro-poller";
import { createVirtualClock, scriptedOperation } from "lro-poller/testing";
import { StoreInTime } from "../../src/history/store-in-time.ts";
import { MemoryStore, historyWithWarnings } from "./support.ts";

vi.mock("../../src/clock.ts", async (importActual) => {
  const actual = await importActual<typeof import("../../src/clock.ts")>();
  const { fastClock } = await import("../support/clock.ts");
  return { ...actual, systemClock: fastClock(actual.systemClock) };
});

const never = (): Promise<never> => new Promise(() => {});
const [startTime, endTime] = ["2025-01-01T10:00:00Z", "2025-01-01T10:01:00Z"];

function minute(): ReturnType<typeof scriptedOperation> {
  return scriptedOperation(["Running", { status: "Succeeded", properties: 42, startTime, endTime }]);
}

it("a store that never settles delays a wait by 10 s, not more", async () => {
  const clock = createVirtualClock();
  const store = Object.assign(new MemoryStore(), { read: never });
  const { history, warnings } = historyWithWarnings(store);
  const options = await history.options("any", { clock });
  expect(await clock.runUntilSettled(pollUntilDone(minute(), options))).toBe(42);
  await history.settled();
  expect(warnings).toEqual([
    "The past durations cannot be read: the store did not settle within 10 s",
    'The duration of operation kind "any" was not recorded: the store\'s read() did not settle within 10 s',
  ]);
});

it.each(["read", "write", "exclusively"])(
  "a %s() that hangs is called once for many waits, none of which it delays any more",
  async (method) => {
    const clock = createVirtualClock();
    const hanging = vi.fn<() => Promise<never>>(never);
    const store = Object.assign(new MemoryStore(), { [method]: hanging });
    const { history } = historyWithWarnings(store);
    const many = Array.from({ length: 20 }, () => history.options("any", { clock }));
    for (const options of await Promise.all(many))
      expect(await clock.runUntilSettled(pollUntilDone(minute(), options))).toBe(42);
    await history.settled();
    // Another history with the same store knows it too.
    await historyWithWarnings(store).history.options("any");
    expect(hanging).toHaveBeenCalledOnce();
  },
);

it("waits that start together share one read()", async () => {
  const store = new MemoryStore();
  const read = vi.spyOn(store, "read");
  const { history } = historyWithWarnings(store);
  await Promise.all(Array.from({ length: 30 }, () => history.options("any")));
  expect(read).toHaveBeenCalledOnce();
  await history.options("any");
  expect(read).toHaveBeenCalledTimes(2);
});

it("a wait has what was recorded before it, also beside an earlier read()", async () => {
  const { history } = historyWithWarnings();
  const before = history.options("any");
  const recorded = history.record("any", 1000);
  const after = history.options("any");
  expect((await before).pastDurationsInMs).toEqual([]);
  await recorded;
  expect((await after).pastDurationsInMs).toEqual([1000]);
});

it("a store that has failed is called again by waits after five minutes", async () => {
  const clock = createVirtualClock();
  const memory = new MemoryStore();
  const store = new StoreInTime(memory, clock);
  store.checkHealth();
  memory.error = new Error("the disk is on fire");
  await expect(store.read()).rejects.toThrow("on fire");
  await clock.advance(299_999);
  expect(() => store.checkHealth()).toThrow("on fire");
  await clock.advance(1);
  store.checkHealth();
});

it.each(["write", "setAside", "exclusively"])("a %s() that hangs times out", async (method) => {
  const store = Object.assign(new MemoryStore("damaged"), { [method]: never });
  const { history } = historyWithWarnings(store);
  await expect(history.record("any", 1)).rejects.toThrow(`the store's ${method}() did not settle`);
});

it("a lock that is not released times out", async () => {
  const exclusively = async (action: () => Promise<unknown>): Promise<never> => {
    await action();
    return never();
  };
  const store = Object.assign(new MemoryStore(), { exclusively });
  const { history } = historyWithWarnings(store);
  await expect(history.record("any", 1)).rejects.toThrow("the store's exclusively() did not settle");
  expect(await history.pastDurations("any")).toEqual([1]);
});

it("an action that has timed out does not happen later", async () => {
  const { promise: lock, resolve: acquire } = Promise.withResolvers<void>();
  const late: Promise<unknown>[] = [];
  const exclusively = <T>(action: () => Promise<T>): Promise<T> => {
    const result = lock.then(action);
    late.push(result);
    return result;
  };
  const store = Object.assign(new MemoryStore(), { exclusively });
  const { history } = historyWithWarnings(store);
  await expect(history.record("any", 1)).rejects.toThrow("did not settle");
  acquire();
  await Promise.allSettled(late);
  expect(store.text).toBeUndefined();
});
