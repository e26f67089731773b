import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { createPoller, createPollerGroup } from "lro-poller";
import { createVirtualClock, scriptedOperation } from "lro-poller/testing";

describe("return() before next()", () => {
  const done = { done: true, value: undefined };

  test("ends the iteration of a poller before it starts", async () => {
    const { signal } = new AbortController();
    const clock = createVirtualClock();
    const operation = scriptedOperation(["Running"]);
    const iterator = createPoller(operation, { clock, abortSignal: signal })[Symbol.asyncIterator]();
    expect(await iterator.return?.()).toEqual(done);
    expect([await iterator.next(), await iterator.next()]).toEqual([done, done]);
    await clock.advance(60_000);
    expect(operation.polls).toEqual([]);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test("ends the iteration of a group before it starts", async () => {
    const clock = createVirtualClock();
    const operation = scriptedOperation(["Running"]);
    const group = createPollerGroup({ clock });
    group.add(operation);
    const iterator = group[Symbol.asyncIterator]();
    expect(await iterator.return?.()).toEqual(done);
    expect(await iterator.next()).toEqual(done);
    expect(operation.polls).toEqual([]);
  });

  test("leaves no value for a next() after it", async () => {
    const clock = createVirtualClock();
    const poller = createPoller(scriptedOperation(["Running", "Running", "Succeeded"]), { clock });
    await clock.runUntilSettled(poller.poll());
    const iterator = poller[Symbol.asyncIterator]();
    await iterator.next();
    await clock.advance(5000);
    expect(await iterator.return?.()).toEqual(done);
    expect(await iterator.next()).toEqual(done);
    expect(clock.pendingTimers).toBe(0);
  });
});
