import { describe, expect, test } from "vitest";
import { createVirtualClock } from "../../src/testing/index.ts";

describe("advance", () => {
  test("fires due timers in order, each at its own time", async () => {
    const clock = createVirtualClock();
    const fired: string[] = [];
    clock.setTimer(() => fired.push(`late at ${clock.now()}`), 2000);
    clock.setTimer(() => fired.push(`early at ${clock.now()}`), 500);
    clock.setTimer(() => fired.push(`second early at ${clock.now()}`), 500);
    clock.setTimer(() => fired.push("too late"), 2001);
    await clock.advance(2000);
    expect(fired).toEqual(["early at 500", "second early at 500", "late at 2000"]);
    expect([clock.now(), clock.pendingTimers]).toEqual([2000, 1]);
  });

  test("fires timers that are set meanwhile, at the end of promise chains too", async () => {
    const clock = createVirtualClock();
    const seen: number[] = [];
    const tick = async (): Promise<void> => {
      seen.push(clock.now());
      for (let hop = 0; hop < 100; hop++) await Promise.resolve();
      clock.setTimer(() => void tick(), 1000);
    };
    void tick();
    await clock.advance(3500);
    expect(seen).toEqual([0, 1000, 2000, 3000]);
  });

  test("advances the date too", async () => {
    const clock = createVirtualClock();
    const before = clock.timestamp();
    await clock.advance(86_400_000);
    expect(clock.timestamp() - before).toBe(86_400_000);
  });

  test.each([-1, NaN, Infinity])("rejects %s", async (durationInMs) => {
    await expect(createVirtualClock().advance(durationInMs)).rejects.toThrow(/^durationInMs: expected/);
  });
});

describe("setTimer", () => {
  test("returns a function that cancels that timer alone, and may be called again", async () => {
    const clock = createVirtualClock();
    const fired: string[] = [];
    const cancel = clock.setTimer(() => fired.push("canceled"), 10);
    clock.setTimer(() => fired.push("kept"), 10);
    cancel();
    cancel();
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(10);
    expect(fired).toEqual(["kept"]);
  });

  test("accepts longer delays than setTimeout does, and infinite ones", async () => {
    const clock = createVirtualClock();
    const fired: string[] = [];
    clock.setTimer(() => fired.push("a year"), 31_536_000_000);
    clock.setTimer(() => fired.push("never"), Infinity);
    await clock.advance(31_536_000_000);
    expect(fired).toEqual(["a year"]);
  });

  test("rejects a delay of NaN", () => {
    expect(() => createVirtualClock().setTimer(() => {}, NaN)).toThrow(RangeError);
  });
});

describe("runUntilSettled", () => {
  test("jumps over hours and resolves as the promise does", async () => {
    const clock = createVirtualClock();
    const hour = (): Promise<void> => new Promise((resolve) => void clock.setTimer(resolve, 3_600_000));
    const work = async (): Promise<string> => {
      for (let hours = 0; hours < 24; hours++) await hour();
      return "done";
    };
    await expect(clock.runUntilSettled(work())).resolves.toBe("done");
    expect(clock.now()).toBe(24 * 3_600_000);
  });

  test("rejects as the promise does", async () => {
    const reason = new Error("no");
    await expect(createVirtualClock().runUntilSettled(Promise.reject(reason))).rejects.toBe(reason);
  });

  test("fires no later timers", async () => {
    const clock = createVirtualClock();
    clock.setTimer(() => {}, 100);
    await clock.runUntilSettled(new Promise<void>((resolve) => void clock.setTimer(resolve, 10)));
    expect([clock.now(), clock.pendingTimers]).toEqual([10, 1]);
  });

  test("rejects when no timer is left that could settle the promise", async () => {
    const clock = createVirtualClock();
    clock.setTimer(() => {}, 10);
    clock.setTimer(() => {}, Infinity);
    await expect(clock.runUntilSettled(new Promise(() => {}))).rejects.toThrow(
      "The promise has not settled after 10 ms of virtual time, and no timer is left that could settle it. Does every poller have this clock in its options?",
    );
  });
});
