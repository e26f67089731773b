import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { systemClock } from "lro-poller";
import { TimerHeap } from "../src/timer-heap.ts";
import type { Timer } from "../src/timer-heap.ts";

describe("the system clock", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test("calls back in the order in which the timers are due, without cancelled ones", () => {
    const fired: string[] = [];
    systemClock.setTimer(() => fired.push("third"), 300);
    systemClock.setTimer(() => fired.push("first"), 100);
    const cancel = systemClock.setTimer(() => fired.push("never"), 150);
    systemClock.setTimer(() => fired.push("second"), 200);
    vi.advanceTimersByTime(120);
    expect(fired).toEqual(["first"]);
    cancel();
    cancel();
    vi.advanceTimersByTime(1000);
    expect(fired).toEqual(["first", "second", "third"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("has one timer of the platform for all, and none when all are canceled", () => {
    const cancels = Array.from({ length: 1000 }, (_, index) => systemClock.setTimer(() => {}, 1000 + index));
    expect(vi.getTimerCount()).toBe(1);
    for (const cancel of cancels) cancel();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("waits longer than a platform timer can", () => {
    const fired = vi.fn<() => void>();
    systemClock.setTimer(fired, 2 ** 40);
    vi.advanceTimersByTime(2 ** 32);
    expect(fired).not.toHaveBeenCalled();
    vi.advanceTimersByTime(2 ** 40 - 2 ** 32);
    expect(fired).toHaveBeenCalledOnce();
  });

  test("asks the platform for no negative delay when the event loop was blocked", () => {
    const delays: unknown[] = [];
    const setTimer = vi.spyOn(globalThis, "setTimeout");
    for (const delayInMs of [10, 20]) systemClock.setTimer(() => {}, delayInMs);
    // The next timer is overdue already while the first one is canceled: Node 24 warns of a negative delay.
    const now = vi.spyOn(performance, "now").mockReturnValue(performance.now() + 5000);
    systemClock.setTimer(() => {}, 30)();
    systemClock.setTimer(() => {}, -5000)();
    for (const [, delayInMs] of setTimer.mock.calls) delays.push(delayInMs);
    now.mockRestore();
    setTimer.mockRestore();
    expect(delays.length).toBeGreaterThan(0);
    expect(delays.filter((delayInMs) => Number(delayInMs) < 0)).toEqual([]);
    vi.runAllTimers();
  });

  test("continues after a callback that throws", () => {
    const fired = vi.fn<() => void>();
    systemClock.setTimer(() => {
      throw new Error("bad callback");
    }, 10);
    systemClock.setTimer(fired, 10);
    expect(() => vi.advanceTimersByTime(10)).toThrow("bad callback");
    vi.advanceTimersByTime(10);
    expect(fired).toHaveBeenCalledOnce();
  });

  test("continues after fake timers were removed", () => {
    systemClock.setTimer(() => {}, 100);
    vi.clearAllTimers();
    vi.advanceTimersByTime(200);
    const fired = vi.fn<() => void>();
    systemClock.setTimer(fired, 100);
    vi.advanceTimersByTime(200);
    expect(fired).toHaveBeenCalledOnce();
  });

  test("lets a callback set the next timer, even with no delay", () => {
    const fired: number[] = [];
    const again = (): void => {
      if (fired.push(fired.length) < 3) systemClock.setTimer(again, 0);
    };
    systemClock.setTimer(again, 0);
    vi.advanceTimersByTime(10);
    expect(fired).toEqual([0, 1, 2]);
  });
});

test("a timer heap ignores the removal of a timer that is not in it", () => {
  const heap = new TimerHeap();
  const task = { onTimer: (): void => {} };
  const timer = heap.add(10, task);
  heap.add(20, task);
  heap.remove({ dueAt: 10, task, order: 0, index: 0 });
  expect(heap.first).toBe(timer);
});

test("a timer heap returns timers by the time at which they are due, whatever was added and removed", () => {
  const steps = fc.array(fc.oneof(fc.integer({ min: 0, max: 20 }), fc.constant("remove" as const)));
  fc.assert(
    fc.property(steps, (script) => {
      const heap = new TimerHeap();
      const pending: Timer[] = [];
      for (const [index, step] of script.entries()) {
        const removed =
          step === "remove" ? pending.splice(index % Math.max(1, pending.length), 1)[0] : undefined;
        if (step !== "remove") pending.push(heap.add(step, { onTimer: () => {} }));
        else if (removed) heap.remove(removed);
      }
      const order: Timer[] = [];
      for (let { first } = heap; first; { first } = heap) {
        order.push(first);
        heap.remove(first);
      }
      // Of those that are due at the same time, the one that was added first.
      const expected = pending.toSorted((a, b) => a.dueAt - b.dueAt);
      expect(order.map((timer) => pending.indexOf(timer))).toEqual(
        expected.map((timer) => pending.indexOf(timer)),
      );
    }),
  );
});
