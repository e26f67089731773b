import { expect, test } from "vitest";
import {
  OperationCanceledError,
  PollingError,
  PollingTimeoutError,
  RequestError,
  createPoller,
  fixed,
} from "lro-poller";
import type { Operation, Poller } from "lro-poller";
import { createVirtualClock, scriptedOperation } from "lro-poller/testing";
import type { ScriptedReply, VirtualClock } from "lro-poller/testing";

interface World {
  readonly clock: VirtualClock;
  readonly poller: Poller;
  readonly cancels: readonly number[];
  readonly operation: Operation & { readonly polls: readonly unknown[] };
}

/** A poller that polls each 10 seconds, of an operation whose own `cancel` does this. */
function worldOf(
  replies: readonly ScriptedReply[],
  cancel: () => Promise<unknown> = () => Promise.resolve(),
  timeoutInMs = Infinity,
): World {
  const clock = createVirtualClock();
  const cancels: number[] = [];
  const operation = {
    ...scriptedOperation(replies),
    cancel: () => {
      cancels.push(clock.now());
      return cancel();
    },
  };
  const schedule = fixed(10_000);
  return { clock, cancels, operation, poller: createPoller(operation, { clock, schedule, timeoutInMs }) };
}

const refusal = new RequestError("no", { kind: "permanent", statusCode: 409, code: "NotNow" });
const endless = Array.from({ length: 20 }, () => "Running");

test("a cancel that the service carries out is canceled, also for those who wait", async () => {
  const { clock, poller, cancels, operation } = worldOf(["Running", "Canceling", "Canceled"]);
  const waiting = poller.pollUntilDone().catch((error: unknown) => error);
  await clock.advance(4000);
  const result = await clock.runUntilSettled(poller.cancelOperation());
  expect(result).toEqual({ outcome: "canceled", status: "Canceled" });
  expect(await waiting).toBeInstanceOf(OperationCanceledError);
  expect(cancels).toEqual([4000]);
  // One poll at once, and the next as planned.
  expect([clock.now(), operation.polls.length]).toEqual([14_000, 3]);
});

test.each(["Succeeded", "Failed"])("an operation that has %s first was canceled too late", async (status) => {
  const { clock, poller } = worldOf(["Running", status]);
  const result = await clock.runUntilSettled(poller.cancelOperation());
  expect(result).toEqual({ outcome: "tooLate", status });
});

test("it polls by itself where no caller waits, and stops then", async () => {
  const { clock, poller, operation } = worldOf(["Running", "Running", "Canceled"]);
  await clock.runUntilSettled(poller.cancelOperation());
  expect(operation.polls).toHaveLength(3);
  expect(clock.pendingTimers).toBe(0);
  expect(poller.isDone).toBe(true);
});

test("callers share one request, and a later one sends no other", async () => {
  const { clock, poller, cancels } = worldOf(["Running", "Running", "Running", "Canceled"]);
  const calls = [poller.cancelOperation(), poller.cancelOperation()];
  await clock.advance(1000);
  const results = await clock.runUntilSettled(Promise.all([...calls, poller.cancelOperation()]));
  expect(results.map(({ outcome }) => outcome)).toEqual(["canceled", "canceled", "canceled"]);
  expect(await poller.cancelOperation()).toEqual({ outcome: "canceled", status: "Canceled" });
  expect(cancels).toEqual([0]);
});

test("a refused cancel tells the state after it and why, and the next call sends another", async () => {
  const { clock, poller, cancels } = worldOf(endless, () => Promise.reject(refusal));
  const waiting = poller.pollUntilDone().catch((error: unknown) => error);
  await clock.advance(1000);
  const calls = Promise.all([poller.cancelOperation(), poller.cancelOperation()]);
  const [one, other] = await clock.runUntilSettled(calls);
  expect(one).toEqual({ outcome: "refused", status: "Running", error: refusal });
  expect(other).toEqual(one);
  expect(one?.error).toBe(refusal);
  // Not with the next poll that was planned.
  expect(clock.now()).toBe(1000);
  await clock.runUntilSettled(poller.cancelOperation());
  expect(cancels).toEqual([1000, 1000]);
  await poller[Symbol.asyncDispose]();
  expect(await waiting).toBeInstanceOf(PollingError);
});

test("the state before a refusal is not the one after it", async () => {
  const { clock, poller } = worldOf(
    [
      async () => {
        await new Promise<void>((resolve) => clock.setTimer(resolve, 2000));
        return "Running";
      },
      "Succeeded",
    ],
    () => Promise.reject(refusal),
  );
  const result = await clock.runUntilSettled(poller.cancelOperation());
  expect(result).toEqual({ outcome: "tooLate", status: "Succeeded", error: refusal });
});

test.each([
  new RequestError("lost", { kind: "transient", code: "ECONNRESET" }),
  new RequestError("down", { kind: "transient", statusCode: 503 }),
])("after $message the polls show the outcome, and nothing is sent again", async (error) => {
  const { clock, poller, cancels } = worldOf([...endless.slice(0, 3), "Canceled"], async () => {
    throw error;
  });
  const result = await clock.runUntilSettled(poller.cancelOperation());
  expect(result).toEqual({ outcome: "canceled", status: "Canceled", error });
  await poller.cancelOperation();
  expect(cancels).toHaveLength(1);
});

test("a cancel that could not be sent rejects, and the next call sends it", async () => {
  const error = new RequestError("no token", { kind: "permanent", code: "CredentialError" });
  const failures = [error];
  const { clock, poller, cancels } = worldOf(["Running", "Running", "Running", "Canceled"], async () => {
    const failure = failures.pop();
    if (failure) throw failure;
  });
  await expect(clock.runUntilSettled(poller.cancelOperation())).rejects.toBe(error);
  const result = await clock.runUntilSettled(poller.cancelOperation());
  expect(result).toEqual({ outcome: "canceled", status: "Canceled" });
  expect(cancels).toHaveLength(2);
});

test("an abort ends the wait for the outcome, and not the cancel", async () => {
  const { clock, poller, cancels } = worldOf(endless);
  const controller = new AbortController();
  const call = poller.cancelOperation({ abortSignal: controller.signal }).catch((error: unknown) => error);
  await clock.advance(1000);
  controller.abort("left");
  expect(await call).toBe("left");
  expect(clock.pendingTimers).toBe(0);
  const again = poller.cancelOperation({ abortSignal: AbortSignal.timeout(1e8) }).catch(() => {});
  await clock.advance(1000);
  expect(cancels).toEqual([0]);
  await poller[Symbol.asyncDispose]();
  await again;
});

test("a signal that has fired sends nothing", async () => {
  const { poller, cancels } = worldOf(endless);
  await expect(poller.cancelOperation({ abortSignal: AbortSignal.abort("no") })).rejects.toBe("no");
  expect(cancels).toEqual([]);
});

test("an operation that is over gets no cancel", async () => {
  const { clock, poller, cancels } = worldOf(["Succeeded"]);
  await clock.runUntilSettled(poller.pollUntilDone());
  expect(await poller.cancelOperation()).toEqual({ outcome: "tooLate", status: "Succeeded" });
  expect(cancels).toEqual([]);
});

test("the timeout of the poller ends the wait for the outcome too", async () => {
  const { clock, poller } = worldOf(endless, undefined, 15_000);
  await expect(clock.runUntilSettled(poller.cancelOperation())).rejects.toBeInstanceOf(PollingTimeoutError);
});

test("without a request to cancel the method says so, and sends nothing", async () => {
  const operation = scriptedOperation([]);
  const error: unknown = await createPoller(operation)
    .cancelOperation()
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(RequestError);
  expect(error).toMatchObject({
    code: "CancelNotSupported",
    message: `Operation ${operation.id} cannot be canceled: its service has no request for that, or none is known. If it has one, pass it as cancel to startOperation or operationAt.`,
  });
  operation.assertFinished();
});

test("the cancel waits for the initial request", async () => {
  const started = Promise.withResolvers<unknown>();
  const { clock, operation, cancels } = worldOf(["Running", "Canceled"]);
  const poller = createPoller({ ...operation, initialRequest: started.promise }, { clock });
  const call = poller.cancelOperation();
  await clock.advance(5000);
  expect(cancels).toEqual([]);
  started.resolve(undefined);
  expect(await clock.runUntilSettled(call)).toEqual({ outcome: "canceled", status: "Canceled" });
  expect(cancels).toEqual([5000]);
});
