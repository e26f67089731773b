// Only the types of core-lro are used: every Azure SDK's poller has them, and ours must fit where theirs are expected.
// Its loop is not: it polls every 2 s whatever happens, and takes a failed poll for a failed operation. It drops the
// service's error and percentage, and never recovers from an abort (all measured with 3.4.2).
import type { OperationState as CoreLroState, PollerLike } from "@azure/core-lro";
import { isRestError } from "@azure/core-rest-pipeline";
import { onAbort } from "../abort.ts";
import { OperationCanceledError, OperationFailedError, OperationStartError } from "../operation/errors.ts";
import type { RequestError } from "../operation/errors.ts";
import type { Operation, StatusResponse } from "../operation/operation.ts";
import type { OperationState, OperationStatus } from "../operation/status.ts";
import type { CallOptions, Poller } from "../poller/poller.ts";
import type { Progress } from "../state/progress.ts";
import { errorOfRequest, errorOfStatus } from "./http/response.ts";
import { nameOf } from "./lro/protocol.ts";
import { logger } from "./telemetry/logger.ts";
import { observePoller, pollerSpanName } from "./telemetry/observers.ts";
import { withinSpan } from "./telemetry/span.ts";

/** A poller of core-lro 3, which Azure's modular SDKs return. */
export type AzurePoller<TResult> = PollerLike<CoreLroState<TResult>, TResult>;

/** A poller of core-lro 2, which Azure's older SDKs return. */
export interface LegacyAzurePoller<TResult> {
  /** Polls once. */
  poll(options?: { readonly abortSignal?: AbortSignal }): Promise<unknown>;
  /** Returns the latest state that the poller knows. */
  getOperationState(): LegacyAzureState<TResult>;
}

/** The state of a {@link LegacyAzurePoller}: the poller's own object, which changes with each poll. */
export interface LegacyAzureState<TResult> {
  /** The operation was canceled. */
  isCancelled?: boolean;
  /** The operation is over, with any outcome. */
  isCompleted?: boolean;
  /** The error of an operation that failed. */
  error?: Error;
  /** The result of an operation that succeeded. */
  result?: TResult;
}

/**
 * Returns an operation that polls by the poller of an Azure SDK. It gets this library's schedule, retries, progress and
 * deadlines.
 *
 * core-lro marks an operation as failed when one request fails. That mark is removed, so that the poll can be retried.
 * A `PollerLike` has no percentComplete and no Retry-After, and only the text of the service's error.
 *
 * @example
 * ```ts
 * const result = await pollUntilDone(fromPollerLike(azurePoller), { timeoutInMs: 600_000 });
 * ```
 */
export function fromPollerLike<TResult>(
  poller: AzurePoller<TResult> | LegacyAzurePoller<TResult>,
): Operation<TResult> {
  const state = (): AzureState<TResult> | undefined =>
    "getOperationState" in poller ? poller.getOperationState() : poller.operationState;
  // core-lro sends the initial request before any caller waits; its failure must not end the process.
  if ("submitted" in poller) poller.submitted().catch(() => {});
  const toJSON = (): object => ({ state: { status: "running", config: configOf(state()) } });
  return {
    get id() {
      return nameOfOperation(configOf(state()));
    },
    logger,
    toJSON,
    observe(snapshot, tracingOptions) {
      const subject = { spanName: pollerSpanName, resourceProvider: "", url: () => undefined };
      return observePoller(subject, snapshot, tracingOptions);
    },
    async getStatus({ abortSignal, tracingOptions }): Promise<StatusResponse<TResult>> {
      const polled = withinSpan(tracingOptions, () => poller.poll({ abortSignal }));
      const reason: unknown = await polled.then(() => undefined).catch((error: unknown) => error);
      const latest = state();
      if (latest === undefined) throw startError(reason);
      const failedPoll = failedPollIn(latest, reason);
      if (failedPoll) throw failedPoll;
      return { status: statusOf(latest, nameOfOperation(configOf(latest))) };
    },
  };
}

/** The state of pollers of both kinds: the poller's own object, which changes with each poll. */
interface AzureState<TResult> extends LegacyAzureState<TResult> {
  status?: CoreLroState<TResult>["status"];
  config?: unknown;
}

function startError(reason: unknown): Error {
  const cause = errorOfRequest(reason ?? new Error("the poller has no state"));
  return new OperationStartError(`The operation did not start: ${cause.message}`, cause);
}

/** Returns the error if the poll failed, not the operation. Removes core-lro's mark on the operation then. */
function failedPollIn(state: AzureState<unknown>, reason: unknown): RequestError | undefined {
  const isOver = isTerminalState(state) && !isRestError(reason);
  const cause = isOver ? errorAsResult(state.result) : reason;
  if (cause === undefined) return undefined;
  if (state.status !== undefined) state.status = "running";
  state.isCompleted = false;
  delete state.error;
  delete state.result;
  return errorOfRequest(cause);
}

function isTerminalState({ status, isCompleted, isCancelled, error }: AzureState<unknown>): boolean {
  return (
    ["succeeded", "failed", "canceled"].includes(status ?? "") || Boolean(isCompleted || isCancelled || error)
  );
}

/** Azure's REST-level clients resolve with a response such as a 503 as if it were the operation's result. */
function errorAsResult(result: unknown): RequestError | undefined {
  const status: unknown =
    typeof result === "object" && result !== null && "status" in result ? result.status : "";
  if (typeof status !== "string" || !/^[3-5]\d\d$/.test(status)) return undefined;
  return errorOfStatus(Number(status));
}

const states: ReadonlyMap<string | undefined, OperationState> = new Map([
  ["notStarted", "NotStarted"],
  ["running", "Running"],
  ["succeeded", "Succeeded"],
  ["failed", "Failed"],
  ["canceled", "Canceled"],
]);

function statusOf<TResult>(state: AzureState<TResult>, name: string): OperationStatus<TResult> {
  const status = states.get(state.status) ?? legacyStatus(state);
  const error = state.error && { code: "", message: state.error.message };
  return { id: name, name, status, properties: state.result, error };
}

function legacyStatus({ isCancelled, error, isCompleted }: LegacyAzureState<unknown>): OperationState {
  if (isCancelled) return "Canceled";
  if (error) return "Failed";
  return isCompleted ? "Succeeded" : "Running";
}

function configOf(state: { readonly config?: unknown } | undefined): object {
  const config = state?.config;
  return typeof config === "object" && config !== null ? config : {};
}

function nameOfOperation(config: { readonly operationLocation?: unknown }): string {
  const { operationLocation } = config;
  return typeof operationLocation === "string" && URL.canParse(operationLocation)
    ? nameOf(operationLocation)
    : "of an Azure SDK";
}

/**
 * Converts one of this library's pollers into an Azure SDK's. The states are core-lro's, in lower case. `serialize()`
 * returns the token that `client.resume` takes.
 *
 * Beware: the result is a thenable, like every `PollerLike`. An async function that returns it waits for the operation.
 */
export function toPollerLike<TResult>(poller: Poller<TResult>): AzurePoller<TResult> {
  const wait = (options?: AzureCallOptions): Promise<TResult> =>
    withAbortSignal(options, (call) => poller.pollUntilDone(call));
  const submitted = async (): Promise<void> => {
    if ("started" in poller) await poller.started;
  };
  let state: CoreLroState<TResult> | undefined;
  const follow = (progress: Progress<TResult>): CoreLroState<TResult> => (state = coreLroStateOf(progress));
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
      const progress = await withAbortSignal(options, (call) => poller.poll(call));
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

type AzureCallOptions = NonNullable<Parameters<AzurePoller<unknown>["poll"]>[0]>;

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
async function withAbortSignal<T>(
  { abortSignal }: AzureCallOptions = {},
  call: (options: CallOptions) => Promise<T>,
): Promise<T> {
  if (abortSignal === undefined || abortSignal instanceof AbortSignal)
    return call(abortSignal ? { abortSignal } : {});
  const controller = new AbortController();
  const unsubscribe = onAbort(abortSignal, () => controller.abort());
  try {
    return await call({ abortSignal: controller.signal });
  } finally {
    unsubscribe();
  }
}
