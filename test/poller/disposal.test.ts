import { describe, expect, test, vi } from "vitest";
import { OperationStatusesClient, PollingError, createPoller, createPollerGroup, fixed } from "lro-poller";
import type { Poller } from "lro-poller";
import { createVirtualClock, scriptedOperation, startOperationServer } from "lro-poller/testing";
import type { ScriptedReply } from "lro-poller/testing";
import { settled, microtasks, rejection } from "../support/rejections.ts";
import { down, forever, scriptedPoller } from "../support/scripted-poller.ts";

const succeeded: ScriptedReply = { status: "Succeeded", properties: 1 };

/** Returns every unhandled rejection while a function runs. */
async function unhandledDuring(run: () => Promise<unknown>): Promise<unknown[]> {
  const unhandled: unknown[] = [];
  const listener = (reason: unknown): unknown => unhandled.push(reason);
  process.on("unhandledRejection", listener);
  try {
    await run();
    // Node reports them after the microtasks.
    await createVirtualClock().advance(0);
    return unhandled;
  } finally {
    process.off("unhandledRejection", listener);
  }
}

async function dispose({
  poller,
  clock,
}: Pick<ReturnType<typeof scriptedPoller>, "poller" | "clock">): Promise<void> {
  await clock.runUntilSettled(poller[Symbol.asyncDispose]());
}

describe("a poller that is disposed of", () => {
  test("rejects pending calls, with a resume token, and sends nothing more", async () => {
    const setup = scriptedPoller(["Running", async () => forever()]);
    const { clock, operation, poller } = setup;
    const iterator = poller[Symbol.asyncIterator]();
    const first = iterator.next();
    await clock.advance(0);
    await first;
    await clock.advance(1000);
    const waits = [poller.pollUntilDone(), poller.poll(), iterator.next()].map(settled);
    const token = JSON.stringify(poller);
    await dispose(setup);
    for (const error of await Promise.all(waits)) {
      expect(error).toBeInstanceOf(PollingError);
      expect(error).toMatchObject({ code: "Disposed", pollCount: 1, resumeToken: token });
    }
    expect(poller.isDone).toBe(false);
    await clock.advance(60_000);
    expect(operation.polls).toHaveLength(2);
    expect(clock.pendingTimers).toBe(0);
  });

  test("rejects later calls, with the last state", async () => {
    const setup = scriptedPoller([{ status: "Running", percentComplete: 40 }]);
    const { clock, operation, poller } = setup;
    await clock.runUntilSettled(poller.poll());
    await dispose(setup);
    const message = `The poller of operation ${operation.id} was disposed of. It was Running at 40 % at the last successful poll.`;
    expect(await rejection(poller.pollUntilDone(), PollingError)).toMatchObject({
      code: "Disposed",
      message,
    });
    expect(await rejection(poller.poll(), PollingError)).toMatchObject({ code: "Disposed" });
    const iterator = poller[Symbol.asyncIterator]();
    expect(await iterator.next()).toMatchObject({ value: { percentComplete: 40 } });
    expect(await rejection(iterator.next(), PollingError)).toMatchObject({ code: "Disposed" });
    expect(operation.polls).toHaveLength(1);
  });

  test("keeps its result, or its error, when the operation is over", async () => {
    const setup = scriptedPoller([succeeded]);
    await setup.poller.pollUntilDone();
    await dispose(setup);
    expect(await setup.poller.pollUntilDone()).toBe(1);
    expect(await setup.poller.poll()).toMatchObject({ status: "Succeeded" });
    expect(setup.poller.isDone).toBe(true);
  });

  test("waits until the transport has settled the aborted request", async () => {
    const order: string[] = [];
    const hanging: ScriptedReply = ({ abortSignal }) =>
      new Promise((_, reject) => {
        abortSignal.addEventListener("abort", () => {
          order.push("aborted");
          void microtasks(30).then(() => {
            order.push("settled");
            return reject(new Error("aborted"));
          });
        });
      });
    const { clock, poller } = scriptedPoller([hanging]);
    const wait = settled(poller.pollUntilDone());
    await clock.advance(0);
    await poller[Symbol.asyncDispose]();
    order.push("disposed of");
    await wait;
    expect(order).toEqual(["aborted", "settled", "disposed of"]);
    expect(clock.pendingTimers).toBe(0);
  });

  test("also waits for a request that was aborted before", async () => {
    let hasSettled = false;
    const hanging: ScriptedReply = ({ abortSignal }) =>
      new Promise((_, reject) => {
        abortSignal.addEventListener("abort", () => {
          void microtasks(30).then(() => {
            hasSettled = true;
            return reject(new Error("aborted"));
          });
        });
      });
    const { clock, poller } = scriptedPoller([hanging]);
    const controller = new AbortController();
    const wait = settled(poller.pollUntilDone({ abortSignal: controller.signal }));
    await clock.advance(0);
    controller.abort("enough");
    await poller[Symbol.asyncDispose]();
    expect(hasSettled).toBe(true);
    expect(await wait).toBe("enough");
  });

  test("waits at most a second for a transport that never settles", async () => {
    const setup = scriptedPoller([async () => forever()]);
    const wait = settled(setup.poller.pollUntilDone());
    await setup.clock.advance(0);
    await dispose(setup);
    expect(setup.clock.now()).toBe(1000);
    expect(await wait).toMatchObject({ code: "Disposed" });
  });

  test("may be disposed of twice, and before a caller waits", async () => {
    const setup = scriptedPoller([]);
    await Promise.all([dispose(setup), dispose(setup)]);
    await dispose(setup);
    expect(setup.operation.polls).toEqual([]);
    expect(setup.clock.pendingTimers).toBe(0);
  });

  test.each<[string, ScriptedReply]>([
    ["fails", async () => Promise.reject(down({ retryAfterInMs: 60_000 }))],
    ["has a state", "Running"],
    ["hangs", async () => forever()],
    ["has the result", succeeded],
  ])("at any microtask of a poll that %s leaves no timer and no unhandled rejection", async (_, reply) => {
    for (let count = 0; count < 30; count++) {
      const unhandled = await unhandledDuring(async () => {
        const setup = scriptedPoller([reply, "Running"]);
        void setup.poller.pollUntilDone();
        void setup.poller[Symbol.asyncIterator]().next();
        await microtasks(count);
        await dispose(setup);
        expect(setup.clock.pendingTimers).toBe(0);
      });
      expect(unhandled, `after ${count}`).toEqual([]);
    }
  });

  test("during a poll() that nothing awaits leaves no unhandled rejection", async () => {
    const unhandled = await unhandledDuring(async () => {
      const setup = scriptedPoller([async () => forever()]);
      void setup.poller.poll();
      await setup.clock.advance(10);
      await dispose(setup);
    });
    expect(unhandled).toEqual([]);
  });
});

test("a block that throws rejects with that error only", async () => {
  const { clock, operation, poller } = scriptedPoller(["Running", "Running"]);
  const unhandled = await unhandledDuring(async () => {
    async function block(): Promise<void> {
      await using own: Poller = poller;
      void own.pollUntilDone();
      await clock.advance(500);
      throw new Error("the block's own");
    }
    expect(await rejection(block())).toMatchObject({ message: "the block's own" });
  });
  expect(unhandled).toEqual([]);
  expect(operation.polls).toHaveLength(1);
  expect(clock.pendingTimers).toBe(0);
});

test("over a real connection, the request under way is closed when the disposal is over", async () => {
  await using server = await startOperationServer();
  const { operationLocation } = server.addOperation({ faults: { 1: { kind: "hang" } } });
  const client = new OperationStatusesClient(server.endpoint);
  const sockets = (): number =>
    process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;
  const before = sockets();
  const poller = createPoller(client.operationAt(operationLocation));
  const wait = settled(poller.pollUntilDone());
  await vi.waitUntil(() => server.requests.length === 1);
  await poller[Symbol.asyncDispose]();
  expect(await wait).toMatchObject({ code: "Disposed" });
  await vi.waitUntil(() => sockets() === before);
});

describe("a group that is disposed of", () => {
  const settings = { schedule: fixed(1000), random: () => 0 };

  test("resolves with its results, rejects operations that were not over, and leaves nothing behind", async () => {
    const clock = createVirtualClock();
    const group = createPollerGroup({ ...settings, clock });
    const slow = scriptedOperation(["Running", async () => forever()]);
    const operations = [
      scriptedOperation([succeeded]),
      slow,
      scriptedOperation([down({ retryAfterInMs: 1e9 })]),
    ];
    for (const operation of operations) group.add(operation);
    const wait = group.pollUntilDone();
    const finished: unknown[] = [];
    const iteration = (async () => {
      for await (const { result } of group) finished.push(result.status);
    })();
    await clock.advance(1500);
    await clock.runUntilSettled(group[Symbol.asyncDispose]());
    expect(await wait).toMatchObject([
      { status: "fulfilled", value: 1 },
      { status: "rejected", reason: { name: "PollingError", code: "Disposed" } },
      { status: "rejected", reason: { name: "PollingError", code: "Disposed" } },
    ]);
    await iteration;
    expect(finished).toEqual(["fulfilled", "rejected", "rejected"]);
    await clock.advance(1e10);
    expect(slow.polls).toHaveLength(2);
    expect(clock.pendingTimers).toBe(0);
  });

  test("before a caller waits sends nothing, also for operations that are added later", async () => {
    const clock = createVirtualClock();
    const group = createPollerGroup({ ...settings, clock });
    const operations = [scriptedOperation(["Running"]), scriptedOperation(["Running"])] as const;
    group.add(operations[0]);
    await group[Symbol.asyncDispose]();
    const late = group.add(operations[1]);
    const disposed = { status: "rejected", reason: { code: "Disposed" } };
    expect(await group.pollUntilDone()).toMatchObject([disposed, disposed]);
    expect(await rejection(late.pollUntilDone())).toMatchObject({ code: "Disposed" });
    expect(operations.flatMap(({ polls }) => polls)).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  test("while it starts thousands stops all of them", async () => {
    const clock = createVirtualClock();
    const group = createPollerGroup({ ...settings, clock });
    const operations = Array.from({ length: 1200 }, () => scriptedOperation(["Running", "Running"]));
    for (const operation of operations) group.add(operation);
    const wait = group.pollUntilDone();
    await group[Symbol.asyncDispose]();
    expect(clock.pendingTimers).toBe(0);
    expect((await wait).map(({ status }) => status)).toEqual(operations.map(() => "rejected"));
    await clock.advance(600_000);
    expect(operations.flatMap(({ polls }) => polls).length).toBeLessThanOrEqual(500);
    expect(clock.pendingTimers).toBe(0);
  });
});
