import { describe, expect, test } from "vitest";
import { LroClient, OperationStatusesClient, PollingError } from "lro-poller";
import type { Clock, Operation } from "lro-poller";
import { createStepper, firstState, operationKey, resultOf } from "lro-poller/durable";
import type {
  Pace,
  StepCallOptions,
  StepResult,
  StepState,
  Stepper,
  StepperOptions,
} from "lro-poller/durable";
import { createVirtualClock, scriptedOperation, startOperationServer } from "lro-poller/testing";
import type { ScriptedOperation, ScriptedReply, VirtualClock } from "lro-poller/testing";
import { silent } from "../bullmq/loggers.ts";
import { down } from "../support/scripted-poller.ts";
import { rejection } from "../support/rejections.ts";
import { stored } from "./outcome-of.ts";

const hour = 3_600_000;

interface Setup {
  readonly clock: VirtualClock;
  readonly operation: ScriptedOperation;
  readonly stepper: Stepper;
  readonly state: StepState;
}

function setup(replies: readonly ScriptedReply[], options: Partial<StepperOptions> = {}): Setup {
  const clock = createVirtualClock();
  const operation = scriptedOperation(replies);
  const stepper = createStepper({ resolveOperation: () => operation, clock, ...options });
  return { clock, operation, stepper, state: firstState(operation, { clock }) };
}

/** Makes a step that the wait survives. */
async function again(stepper: Stepper, state: unknown): Promise<Extract<StepResult, { type: "again" }>> {
  const result = await stepper.step(stored(state));
  if (result.type === "ended")
    throw new Error(`expected another step, got ${JSON.stringify(result.outcome)}`);
  return result;
}

/** Makes a step that ends the wait. Returns the result, or throws the error. */
async function ended(stepper: Stepper, state: unknown): Promise<unknown> {
  const result = await stepper.step(stored(state));
  if (result.type === "again") throw new Error(`expected the end, got a delay of ${result.delayInMs} ms`);
  return resultOf(stored(result.outcome));
}

describe("an early step", () => {
  test.each<[string, ScriptedReply]>([
    ["a response without a Retry-After", "Running"],
    ["a Retry-After", { status: "Running", retryAfterInMs: 30_000 }],
    ["a failed poll", down()],
    ["a failed poll with a Retry-After", down({ retryAfterInMs: 30_000 })],
  ])("after %s sends no request, however often it is made", async (_, reply) => {
    const { clock, operation, stepper, state } = setup([reply, { status: "Succeeded", properties: 7 }]);
    const first = await again(stepper, state);
    expect(first.delayInMs).toBeGreaterThan(0);
    let early = first;
    for (let call = 0; call < 20; call++) early = await again(stepper, early.state);
    expect(early).toMatchObject({
      state: stored(first.state),
      delayInMs: first.delayInMs,
      dueAt: first.dueAt,
    });
    expect(operation.polls).toHaveLength(1);
    await clock.advance(first.delayInMs - 1);
    expect((await again(stepper, first.state)).delayInMs).toBeLessThanOrEqual(2);
    expect(operation.polls).toHaveLength(1);
    await clock.advance(2);
    expect(await ended(stepper, first.state)).toBe(7);
  });

  test("of a token waits for its Retry-After", async () => {
    const { clock, operation, stepper, state } = setup(["Succeeded"]);
    const token = { ...state.token, notBefore: clock.timestamp() + 60_000 };
    const early = await again(stepper, firstState(JSON.stringify(token), { clock }));
    expect(early.delayInMs).toBe(60_000);
    expect(operation.polls).toEqual([]);
  });
});

test("the same state given to two processes leads to equal states", async () => {
  const running = { status: "Running", percentComplete: 10 };
  const { stepper, state } = setup([running, running]);
  const [one, other] = await Promise.all([again(stepper, state), again(stepper, state)]);
  expect(one.state.token).toMatchObject({ status: "Running", percentComplete: 10, pollCount: 1 });
  expect(other.state.token).toEqual(one.state.token);
});

test("a step keeps the outage, the counts and the options", async () => {
  const clock = createVirtualClock();
  const operation = scriptedOperation(Array.from({ length: 50 }, () => down()));
  let state: unknown = firstState(operation, { clock, outageToleranceInMs: 10_000 });
  for (let steps = 1; ; steps++) {
    const result = await createStepper({ resolveOperation: () => operation, clock }).step(stored(state));
    if (result.type === "ended") {
      const error = await rejection(
        Promise.resolve().then(() => resultOf(result.outcome)),
        PollingError,
      );
      expect(error.responseCounts).toEqual({ "503": steps });
      expect(clock.now()).toBeLessThan(20_000);
      return;
    }
    ({ state } = result);
    await clock.advance(result.delayInMs);
  }
});

describe("clocks that differ", () => {
  const running = { status: "Running", retryAfterInMs: 30_000 };

  test("a clock that is behind delays a wait once, and ends it right", async () => {
    const ahead = setup([running, "Succeeded"]);
    const behind = createVirtualClock();
    const { state } = await again(ahead.stepper, { ...firstState(ahead.operation, { clock: ahead.clock }) });
    const shifted = stored({
      ...state,
      dueAt: state.dueAt + hour,
      token: {
        ...state.token,
        startedAt: state.token.startedAt + hour,
        savedAt: state.token.savedAt + hour,
        notBefore: (state.token.notBefore ?? 0) + hour,
      },
    });
    const stepper = createStepper({ resolveOperation: () => ahead.operation, clock: behind });
    const handed = await again(stepper, shifted);
    expect(handed.delayInMs).toBe(state.delayInMs);
    expect(ahead.operation.polls).toHaveLength(1);
    await behind.advance(handed.delayInMs);
    expect(await ended(stepper, handed.state)).toBeUndefined();
  });

  test("a clock that was set back lets no timeout pass early when it is right again", async () => {
    const { clock, operation, stepper } = setup([running, running, "Succeeded"]);
    const first = await again(stepper, firstState(operation, { clock, timeoutInMs: hour }));
    const offset: Clock = {
      now: () => clock.now(),
      timestamp: () => clock.timestamp() - hour,
      setTimer: (callback, delayInMs) => clock.setTimer(callback, delayInMs),
    };
    const late = createStepper({ resolveOperation: () => operation, clock: offset });
    const handed = await again(late, first.state);
    await clock.advance(handed.delayInMs);
    const second = await again(late, handed.state);
    expect(operation.polls).toHaveLength(2);
    expect(second.state.token.deadline).toBeGreaterThanOrEqual(first.state.token.deadline ?? Infinity);
    await clock.advance(second.delayInMs);
    expect(await ended(stepper, second.state)).toBeUndefined();
  });
});

describe("a state of a newer version", () => {
  test("is left to newer processes, and sends nothing", async () => {
    const { operation, stepper, state } = setup(["Running"]);
    for (const newer of [
      { ...state, version: 2 },
      { ...state, token: { ...state.token, version: 3, operation: "of another form" } },
    ])
      expect(await rejection(stepper.step(stored(newer)), PollingError)).toMatchObject({
        code: "NewerState",
      });
    expect(operation.polls).toEqual([]);
  });

  test("keeps the fields that this version does not know, wherever they are", async () => {
    const clock = createVirtualClock();
    const server = await startOperationServer({ clock });
    const { operationId } = server.addOperation({
      timeline: [{ status: "Running", polls: 1 }, { status: "Succeeded" }],
    });
    const client = new OperationStatusesClient(server.endpoint);
    const stepper = createStepper({ clients: [client], clock });
    const state = firstState(client.operation("myProject", operationId), { clock });
    const added = {
      ...state,
      region: "west",
      options: { ...state.options, retryBudget: 3 },
      token: { ...state.token, tenant: { id: 1 }, operation: { ...state.token.operation, shard: 7 } },
    };
    const result = await clock.runUntilSettled(again(stepper, added));
    expect(stored(result.state)).toMatchObject({
      region: "west",
      options: { retryBudget: 3 },
      token: { tenant: { id: 1 }, operation: { shard: 7, operationId }, pollCount: 1 },
    });
    await server.close();
  });
});

test.each<[string, object, string]>([
  ["no version", { version: undefined }, "state.version"],
  ["no due time", { dueAt: "soon" }, "state.dueAt"],
  ["an option that is wrong", { options: { minDelayInMs: -1 } }, "minDelayInMs"],
  ["a token of another form", { token: { version: 1 } }, "token.startedAt"],
  ["counts that are no numbers", { responseCounts: { "200": "many" } }, "state.responseCounts"],
])("a state with %s rejects, and sends nothing", async (_, change, named) => {
  const { operation, stepper, state } = setup(["Running"]);
  await expect(stepper.step(stored({ ...state, ...change }))).rejects.toThrow(named);
  expect(operation.polls).toEqual([]);
});

describe("an operation that no client of the process polls", () => {
  const other = new LroClient("https://elsewhere.example");
  const url = "https://management.azure.com/subscriptions/s/operations/1";

  test("is handed on, and goes on where a client is", async () => {
    const clock = createVirtualClock();
    const stranger = createStepper({ clients: [other], clock, logger: silent });
    let state: unknown = firstState(url, { clock });
    for (const delayInMs of [500, 1000, 2000, 4000, 5000, 5000]) {
      const result = await again(stranger, state);
      expect(result.delayInMs).toBe(delayInMs);
      ({ state } = result);
      await clock.advance(delayInMs);
    }
    const operation = scriptedOperation([{ status: "Succeeded", properties: 7 }]);
    const stepper = createStepper({ resolveOperation: () => operation, clock });
    expect(await ended(stepper, state)).toBe(7);
  });

  test("ends at the timeout of its wait", async () => {
    const clock = createVirtualClock();
    const stranger = createStepper({ clients: [other], clock, logger: silent });
    let result = await stranger.step(firstState(url, { clock, timeoutInMs: 5000 }));
    while (result.type === "again") {
      await clock.advance(result.delayInMs);
      result = await stranger.step(stored(result.state));
    }
    const { outcome } = result;
    expect(clock.now()).toBeLessThan(5100);
    await expect(Promise.resolve().then(() => resultOf(outcome))).rejects.toMatchObject({
      code: "PollingTimeout",
      message: expect.stringContaining("no process had a client for it"),
    });
  });

  test("was last Running, and its error says so", async () => {
    const { clock, operation, stepper } = setup([{ status: "Running", percentComplete: 40 }]);
    const polled = await again(stepper, firstState(operation, { clock }));
    await clock.advance(polled.delayInMs);
    const options = { resolveOperation: () => undefined, unclaimedTimeoutInMs: 0, clock, logger: silent };
    await expect(ended(createStepper(options), polled.state)).rejects.toMatchObject({
      code: "NoClient",
      message: expect.stringContaining("Running at 40 %"),
      operation: { status: "Running", percentComplete: 40 },
    });
  });

  test("ends after the stated time, with a token and the reason", async () => {
    const clock = createVirtualClock();
    const stranger = createStepper({ clients: [other], clock, logger: silent, unclaimedTimeoutInMs: 5000 });
    let result = await stranger.step(firstState(url, { clock }));
    while (result.type === "again") {
      await clock.advance(result.delayInMs);
      result = await stranger.step(stored(result.state));
    }
    const { outcome } = result;
    expect(
      await rejection(
        Promise.resolve().then(() => resultOf(outcome)),
        PollingError,
      ),
    ).toMatchObject({
      code: "NoClient",
      message: expect.stringContaining("elsewhere.example"),
      resumeToken: expect.stringContaining(url),
    });
  });
});

describe("a pace", () => {
  /** A pace whose turns are these delays, one after the other. */
  function paceOf(turns: readonly number[]): Pace & { readonly calls: unknown[] } {
    const calls: unknown[] = [];
    const left = [...turns];
    return {
      calls,
      turn(request) {
        calls.push(request);
        return Promise.resolve(left.shift() ?? 0);
      },
      learn: (origin, { isThrottled, retryAfterInMs }) => {
        calls.push({ origin, isThrottled, retryAfterInMs });
      },
    };
  }

  test("delays a step until its turn, which is then asked for as reserved", async () => {
    const pace = paceOf([5000, 0]);
    const { clock, operation, stepper, state } = setup(["Succeeded"], { pace });
    const turn = await again(stepper, state);
    expect(turn.delayInMs).toBe(5000);
    expect(operation.polls).toEqual([]);
    await clock.advance(5000);
    await ended(stepper, turn.state);
    expect(pace.calls).toEqual([
      { origin: "", isReserved: false },
      { origin: "", isReserved: true },
      { origin: "", isThrottled: false, retryAfterInMs: undefined },
    ]);
  });

  test("whose turn comes after the timeout leaves the error the last status", async () => {
    const { clock, operation, stepper } = setup([{ status: "Running", percentComplete: 40 }], {
      pace: paceOf([0, hour, hour]),
    });
    const polled = await again(stepper, firstState(operation, { clock, timeoutInMs: 60_000 }));
    await clock.advance(polled.delayInMs);
    const turn = await again(stepper, polled.state);
    await clock.advance(60_000);
    await expect(ended(stepper, turn.state)).rejects.toMatchObject({
      code: "PollingTimeout",
      operation: { status: "Running", percentComplete: 40 },
    });
  });

  test("whose turn was long ago gives another", async () => {
    const pace = paceOf([5000, 1000]);
    const { clock, operation, stepper, state } = setup(["Succeeded"], { pace });
    const turn = await again(stepper, state);
    await clock.advance(5000 + 61_000);
    expect((await again(stepper, turn.state)).delayInMs).toBe(1000);
    expect(pace.calls.at(-1)).toEqual({ origin: "", isReserved: false });
    expect(operation.polls).toEqual([]);
  });

  test("learns of a 429", async () => {
    const pace = paceOf([]);
    const reply = down({ isThrottled: true, retryAfterInMs: 9000 });
    const { stepper, state } = setup([reply], { pace });
    await again(stepper, state);
    expect(pace.calls.at(-1)).toEqual({ origin: "", isThrottled: true, retryAfterInMs: 9000 });
  });

  test("whose turn comes after the timeout ends the wait at the timeout", async () => {
    const { clock, operation, stepper } = setup([], { pace: paceOf([hour, hour, hour]) });
    const turn = await again(stepper, firstState(operation, { clock, timeoutInMs: 60_000 }));
    expect(turn.delayInMs).toBe(60_000);
    await clock.advance(60_000);
    await expect(ended(stepper, turn.state)).rejects.toMatchObject({ code: "PollingTimeout" });
    expect(operation.polls).toEqual([]);
  });

  test("that fails costs no poll", async () => {
    const fail = (): never => {
      throw new Error("the database is away");
    };
    const { stepper, state } = setup(["Succeeded"], { pace: { turn: fail, learn: fail }, logger: silent });
    expect(await ended(stepper, state)).toBeUndefined();
  });
});

test("without a pace the steps of a process share a Retry-After of their origin", async () => {
  const clock = createVirtualClock();
  const polled: string[] = [];
  const at = (origin: string): Operation => ({
    id: origin,
    toJSON: () => ({ pollingLocation: { kind: "auto", monitorUrl: `${origin}/1` } }),
    getStatus() {
      polled.push(origin);
      if (origin === "https://a.example") throw down({ isThrottled: true, retryAfterInMs: 60_000 });
      return Promise.resolve({ status: { id: "1", name: "1", status: "Succeeded" } });
    },
  });
  const stepper = createStepper({
    resolveOperation: ({ operation }) =>
      at(JSON.stringify(operation).includes("a.example") ? "https://a.example" : "https://b.example"),
    clock,
  });
  await again(stepper, firstState(at("https://a.example"), { clock }));
  const held = await again(stepper, firstState(at("https://a.example"), { clock }));
  expect(held.delayInMs).toBe(60_000);
  await ended(stepper, firstState(at("https://b.example"), { clock }));
  expect(polled).toEqual(["https://a.example", "https://b.example"]);
});

test("a step that is aborted rejects with the reason, and can be made again", async () => {
  const clock = createVirtualClock();
  const controller = new AbortController();
  let isHanging = true;
  const operation: Operation = {
    id: "1",
    toJSON: () => ({}),
    getStatus: () =>
      isHanging
        ? new Promise(() => {})
        : Promise.resolve({ status: { id: "1", name: "1", status: "Succeeded" } }),
  };
  const stepper = createStepper({ resolveOperation: () => operation, clock });
  const state = firstState(operation, { clock });
  const step = stepper.step(state, { abortSignal: controller.signal });
  controller.abort("enough");
  await expect(step).rejects.toBe("enough");
  isHanging = false;
  expect(await ended(stepper, state)).toBeUndefined();
});

test("a step whose beforePoll rejects sends nothing, and can be made again", async () => {
  const { operation, stepper, state } = setup(["Succeeded"]);
  const calls: number[] = [];
  const beforePoll = (): void => {
    calls.push(operation.polls.length);
    if (calls.length === 1) throw new Error("another process has it");
  };
  await expect(stepper.step(state, { beforePoll })).rejects.toThrow("another process has it");
  expect(await stepper.step(state, { beforePoll })).toMatchObject({ type: "ended" });
  expect(calls).toEqual([0, 0]);
  expect(operation.polls).toHaveLength(1);
});

test("an abort ends a step whose beforePoll hangs", async () => {
  const { operation, stepper, state } = setup(["Succeeded"]);
  const abortSignal = AbortSignal.abort("enough");
  const beforePoll = (): Promise<void> => new Promise(() => {});
  await expect(stepper.step(state, { beforePoll, abortSignal })).rejects.toBe("enough");
  const controller = new AbortController();
  const step = stepper.step(state, { beforePoll, abortSignal: controller.signal });
  controller.abort("later");
  await expect(step).rejects.toBe("later");
  expect(operation.polls).toHaveLength(0);
});

test("a beforePoll that is no function is an error", async () => {
  const { stepper, state } = setup(["Succeeded"]);
  const options: StepCallOptions = {};
  Object.assign(options, { beforePoll: "yes" });
  await expect(stepper.step(state, options)).rejects.toThrow("beforePoll: expected a function, got string");
});

test("an operation has the same key by its URL, its client and its token", () => {
  const client = new LroClient("https://management.azure.com");
  const url = "https://management.azure.com/subscriptions/s/operations/1";
  const key = operationKey(url);
  expect(key).toMatch(/^[0-9a-f]{32}$/);
  expect(operationKey(client.operationAt(url))).toBe(key);
  expect(operationKey(firstState(url).token)).toBe(key);
});

test("an option that is Infinity is the same for an engine that stores no JSON", async () => {
  const { clock, operation, stepper } = setup(["Running"]);
  const state = firstState(operation, { clock, outageToleranceInMs: Infinity });
  expect(await stepper.step(structuredClone(state))).toMatchObject({ type: "again" });
});

test.each([Number.NaN, -1, "5"])("a turn of %o is an error of the pace, and costs no poll", async (turn) => {
  const pace: Pace = { turn: () => 0, learn: () => {} };
  Object.assign(pace, { turn: () => turn });
  const { stepper, state } = setup(["Succeeded"], { pace, logger: silent });
  expect(await ended(stepper, state)).toBeUndefined();
});

test.each([Number.NaN, Infinity, 0, -1])("a stretch of %o leaves the delay as it is", async (stretch) => {
  const pace: Pace = { turn: () => 0, learn: () => {}, stretch: () => stretch };
  const { stepper, state } = setup(["Running"], { pace });
  const { delayInMs } = await again(stepper, state);
  expect(delayInMs).toBeGreaterThanOrEqual(1000);
  expect(delayInMs).toBeLessThan(10_000);
});

test("a timeout that passes before the Retry-After of a token ends the wait on time", async () => {
  const { clock, stepper, state } = setup([]);
  const token = { ...state.token, notBefore: clock.timestamp() + 60_000 };
  const first = firstState(token, { clock, timeoutInMs: 5000 });
  expect(first.delayInMs).toBe(5000);
  await clock.advance(5000);
  await expect(ended(stepper, first)).rejects.toMatchObject({ code: "PollingTimeout" });
});
