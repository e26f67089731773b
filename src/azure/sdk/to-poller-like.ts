import type { OperationState as CoreLroState } from "@azure/core-lro";
import { onAbort } from "../../abort.ts";
import { OperationCanceledError, OperationFailedError } from "../../operation/errors.ts";
import { OperationPoller } from "../../poller/poller.ts";
import type { CallOptions, Poller } from "../../poller/poller.ts";
import { describeValue } from "../../redaction.ts";
import type { Progress } from "../../state/progress.ts";
import type { AzurePoller } from "./sdk-poller.ts";

/** Options of {@link (toPollerLike:1)}. */
export interface ToPollerLikeOptions {
  /**
   * The shape of the result: that of `@azure/core-lro` 3, which the modular SDKs have, or of version 2, which older SDKs
   * and REST-level clients have. Default `core-lro-3`.
   */
  readonly shape?: "core-lro-2" | "core-lro-3" | undefined;
}

/** The state of a {@link LegacyPollerLike}, in both forms that core-lro 2 has. */
export interface LegacyPollerState<TResult> {
  /** The state, in lower case. */
  status: "notStarted" | "running" | "succeeded" | "canceled" | "failed";
  /** Whether the operation has started. */
  isStarted?: boolean;
  /** The operation is over, with any outcome. */
  isCompleted?: boolean;
  /** The operation was canceled. */
  isCancelled?: boolean;
  /** The error of an operation that failed. */
  error?: Error;
  /** The result of an operation that succeeded. */
  result?: TResult;
}

/** A poller in the shapes of core-lro 2: its `PollerLike`, and its `SimplePollerLike`. */
export interface LegacyPollerLike<TResult> {
  /** Polls once. */
  poll(options?: AzureCallOptions): Promise<void>;
  /** Resolves with the result, or rejects like that of the poller that it was made of. */
  pollUntilDone(options?: AzureCallOptions): Promise<TResult>;
  /** Calls back with the state after every response. Returns a function that unsubscribes. */
  onProgress(callback: (state: LegacyPollerState<TResult>) => void): () => void;
  /** Returns whether the operation is over. */
  isDone(): boolean;
  /** Stops polling: pending calls reject. Another call polls again. */
  stopPolling(): void;
  /** Returns whether nobody waits for the end. */
  isStopped(): boolean;
  /**
   * Asks the service to cancel the operation, like {@link Poller.cancelOperation}, and waits for what comes of it. Rejects
   * with the service's error if it refuses.
   */
  cancelOperation(options?: AzureCallOptions): Promise<void>;
  /** Returns the latest state. */
  getOperationState(): LegacyPollerState<TResult>;
  /** Returns the result; `undefined` before the operation has succeeded. */
  getResult(): TResult | undefined;
  /** Returns the token that `client.resume` takes. */
  toString(): string;
}

/**
 * Converts one of this library's pollers into an Azure SDK's, in the shape of core-lro 3. The states are core-lro's, in
 * lower case. `serialize()` returns the token that `client.resume` takes.
 *
 * Beware: the result is a thenable, like every `PollerLike`. An async function that returns it waits for the operation.
 *
 * @throws RangeError if `shape` is neither `core-lro-2` nor `core-lro-3`
 */
export function toPollerLike<TResult>(
  poller: Poller<TResult>,
  options?: ToPollerLikeOptions & { readonly shape?: "core-lro-3" | undefined },
): AzurePoller<TResult>;
/**
 * Converts one of this library's pollers into an Azure SDK's, in the shape of core-lro 2. `toString()` returns the token
 * that `client.resume` takes.
 */
export function toPollerLike<TResult>(
  poller: Poller<TResult>,
  options: ToPollerLikeOptions & { readonly shape: "core-lro-2" },
): LegacyPollerLike<TResult>;
export function toPollerLike<TResult>(
  poller: Poller<TResult>,
  { shape = "core-lro-3" }: ToPollerLikeOptions = {},
): AzurePoller<TResult> | LegacyPollerLike<TResult> {
  switch (shape) {
    case "core-lro-3":
      return modularPoller(poller);
    case "core-lro-2":
      return legacyPoller(poller);
    default: {
      const other: unknown = shape;
      throw new RangeError(`shape: expected core-lro-2 or core-lro-3, got ${describeValue(other)}`);
    }
  }
}

function modularPoller<TResult>(poller: Poller<TResult>): AzurePoller<TResult> {
  const wait = (options?: AzureCallOptions): Promise<TResult> =>
    withSignals([options?.abortSignal], (call) => poller.pollUntilDone(call));
  let state = latestStateOf(poller);
  const follow = (progress: Progress<TResult>): CoreLroState<TResult> => (state = coreLroStateOf(progress));
  const submitted = async (): Promise<void> => {
    if ("started" in poller) await poller.started;
    state ??= { status: "running" };
  };
  poller.onProgress(follow);
  return {
    get operationState() {
      return state;
    },
    get result() {
      return state?.result;
    },
    get isDone() {
      return poller.isDone;
    },
    async poll(options) {
      const progress = await withSignals([options?.abortSignal], (call) => poller.poll(call));
      const latest = follow(progress);
      if (latest.error) throw latest.error;
      return latest;
    },
    pollUntilDone: wait,
    onProgress: (callback) => poller.onProgress((progress) => callback(follow(progress))),
    async serialize() {
      await submitted();
      return JSON.stringify(poller);
    },
    submitted,
    // oxlint-disable-next-line unicorn/no-thenable
    then: (onFulfilled, onRejected) => wait().then(onFulfilled, onRejected),
    catch: (onRejected) => wait().catch(onRejected),
    finally: (onFinally) => wait().finally(onFinally),
    [Symbol.toStringTag]: "Poller",
  };
}

function legacyPoller<TResult>(poller: Poller<TResult>): LegacyPollerLike<TResult> {
  let state = legacyStateOf(latestStateOf(poller) ?? { status: "running" });
  let waits = 0;
  let stop = new AbortController();
  const follow = (progress: Progress<TResult>): LegacyPollerState<TResult> =>
    (state = legacyStateOf(coreLroStateOf(progress)));
  const untilStopped = async <T>(
    options: AzureCallOptions | undefined,
    call: (options: CallOptions) => Promise<T>,
  ): Promise<T> => {
    waits++;
    try {
      return await withSignals([stop.signal, options?.abortSignal], call);
    } finally {
      waits--;
    }
  };
  poller.onProgress(follow);
  return {
    async poll(options) {
      const { error } = follow(await untilStopped(options, (call) => poller.poll(call)));
      if (error) throw error;
    },
    pollUntilDone: (options) => untilStopped(options, (call) => poller.pollUntilDone(call)),
    onProgress: (callback) => poller.onProgress((progress) => callback(follow(progress))),
    isDone: () => poller.isDone,
    stopPolling() {
      // As core-lro 2 calls it.
      stop.abort(Object.assign(new Error("stopPolling() was called"), { name: "PollerStoppedError" }));
      stop = new AbortController();
    },
    isStopped: () => waits === 0,
    async cancelOperation(options) {
      const { outcome, error } = await untilStopped(options, (call) => poller.cancelOperation(call));
      if (outcome === "refused") throw error;
    },
    getOperationState: () => state,
    getResult: () => state.result,
    toString: () => JSON.stringify(poller),
  };
}

/** The state of a poller that has polled before; its listeners would hear of it only later. */
function latestStateOf<TResult>(poller: Poller<TResult>): CoreLroState<TResult> | undefined {
  const latest = poller instanceof OperationPoller ? poller.latestProgress() : undefined;
  return latest && coreLroStateOf(latest);
}

function legacyStateOf<TResult>({
  status,
  result,
  error,
}: CoreLroState<TResult>): LegacyPollerState<TResult> {
  const isCompleted = status === "succeeded" || status === "failed" || status === "canceled";
  return {
    status,
    isStarted: status !== "notStarted",
    isCompleted,
    ...(status === "canceled" && { isCancelled: true }),
    ...(error && { error }),
    ...(result !== undefined && { result }),
  };
}

/** The options of a call of an Azure SDK's poller. */
export type AzureCallOptions = NonNullable<Parameters<AzurePoller<unknown>["poll"]>[0]>;

function coreLroStateOf<TResult>(progress: Progress<TResult>): CoreLroState<TResult> {
  const { status, operation, pollCount, nextPollInMs } = progress;
  switch (status) {
    case "NotStarted":
      return { status: "notStarted" };
    case "Succeeded":
      // core-lro's states have succeeded only with their result, which may still have to be requested.
      if (nextPollInMs !== undefined) return { status: "running" };
      return operation.properties === undefined
        ? { status: "succeeded" }
        : { status: "succeeded", result: operation.properties };
    case "Failed":
      return { status: "failed", error: new OperationFailedError({ operation, pollCount }) };
    case "Canceled":
      return { status: "canceled", error: new OperationCanceledError({ operation, pollCount }) };
    case "Running":
    default:
      return { status: "running" };
  }
}

/** Converts Azure's own signals, which are like the platform's but have no reason. */
async function withSignals<T>(
  signals: readonly (AzureCallOptions["abortSignal"] | undefined)[],
  call: (options: CallOptions) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const unsubscribe = signals.map((each) => onAbort(each, (reason) => controller.abort(reason)));
  try {
    return await call({ abortSignal: controller.signal });
  } finally {
    for (const leave of unsubscribe) leave();
  }
}
