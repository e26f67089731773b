import { getEventListeners } from "node:events";
import { expect, test, vi } from "vitest";
import { createPoller, createPollerGroup } from "lro-poller";
import type { Poller, PollOptions } from "lro-poller";
import { createVirtualClock, scriptedOperation } from "lro-poller/testing";
import { settled } from "../support/rejections.ts";
import { down, forever } from "../support/scripted-poller.ts";

/** Quadratic, so many callers would take minutes. */
const many = 100_000;

/** The ways to call a poller. Each settles when the call has ended. */
const calls: readonly [string, (poller: Poller, abortSignal: AbortSignal) => Promise<unknown>][] = [
  ["pollUntilDone", (poller, abortSignal) => poller.pollUntilDone({ abortSignal })],
  ["poll", (poller, abortSignal) => poller.poll({ abortSignal })],
  ["an iteration", (poller) => poller[Symbol.asyncIterator]().next()],
];

function pollerThatHangs(abortSignal: AbortSignal): Poller {
  const options: PollOptions = { clock: createVirtualClock(), requestTimeoutInMs: Infinity, abortSignal };
  return createPoller(scriptedOperation([forever]), options);
}

test.each(calls)("a signal has one listener for all callers of %s, and none afterwards", async (_, call) => {
  const [everybody, own] = [new AbortController(), new AbortController()];
  const added = vi.spyOn(everybody.signal, "addEventListener");
  const poller = pollerThatHangs(everybody.signal);
  const pending = Array.from({ length: many }, () => settled(call(poller, own.signal)));
  expect(added).toHaveBeenCalledTimes(1);
  expect(getEventListeners(own.signal, "abort").length).toBeLessThanOrEqual(1);
  everybody.abort("over");
  expect(new Set(await Promise.all(pending))).toEqual(new Set(["over"]));
  expect([everybody, own].map(({ signal }) => getEventListeners(signal, "abort"))).toEqual([[], []]);
});

test("callers with a signal of their own leave one by one", async () => {
  const poller = pollerThatHangs(new AbortController().signal);
  const controllers = Array.from({ length: many }, () => new AbortController());
  const pending = controllers.map(({ signal }) => settled(poller.pollUntilDone({ abortSignal: signal })));
  for (const [index, controller] of controllers.entries()) controller.abort(index);
  expect(await Promise.all(pending)).toEqual(Array.from(controllers.keys()));
});

test("many pollers, and many callers of a group, share one listener of their signal", async () => {
  const { signal } = new AbortController();
  const added = vi.spyOn(signal, "addEventListener");
  const group = createPollerGroup({ clock: createVirtualClock(), abortSignal: signal });
  group.add(scriptedOperation([forever]));
  const waits = [pollerThatHangs(signal), pollerThatHangs(signal), group, group];
  for (const wait of waits) void settled(wait.pollUntilDone());
  expect(added).toHaveBeenCalledTimes(1);
});

test("a caller that an abort lets start another call does not miss it", async () => {
  const { clock, controller } = { clock: createVirtualClock(), controller: new AbortController() };
  const poller = createPoller(scriptedOperation([forever, "Succeeded"]), { clock });
  const again = settled(poller.pollUntilDone({ abortSignal: controller.signal })).then((reason) =>
    settled(poller.pollUntilDone({ abortSignal: controller.signal })).then((second) => [reason, second]),
  );
  controller.abort("over");
  expect(await again).toEqual(["over", "over"]);
  await expect(clock.runUntilSettled(poller.pollUntilDone())).resolves.toBeUndefined();
});

test("callers of poll() before the end of a Retry-After share one error for each failed poll", async () => {
  const clock = createVirtualClock();
  const tooMany = down({ statusCode: 429, retryAfterInMs: 60_000 });
  const poller = createPoller(scriptedOperation([tooMany, tooMany]), { clock });
  const turnedAway: unknown[] = [];
  for (const pollCount of [1, 2]) {
    await settled(clock.runUntilSettled(poller.poll()));
    const errors = new Set(await Promise.all(Array.from({ length: 100 }, () => settled(poller.poll()))));
    expect([...errors]).toMatchObject([{ code: "RequestFailed", pollCount }]);
    turnedAway.push(...errors);
    await clock.advance(70_000);
  }
  expect(new Set(turnedAway).size).toBe(2);
});
