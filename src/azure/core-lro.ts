// From core-lro come its types, which every Azure SDK's poller has, so that ours fits where theirs are expected.
// Its loop is not used: it polls every 2 s whatever happens, takes a failed read for a failed operation, drops the
// service's error and percentage, and never recovers from an abort (all measured with 3.4.1).
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

/** A poller of core-lro 3, which Azure's modular SDKs give. */
export type AzurePoller<TResult> = PollerLike<CoreLroState<TResult>, TResult>;

/** A poller of core-lro 2, which Azure's older SDKs give. */
export interface LegacyAzurePoller<TResult> {
  /** Asks once. */
  poll(options?: CallOptions): Promise<unknown>;
  /** Where the operation stands, as that poller knows it. */
  getOperationState(): LegacyAzureState<TResult>;
}

/** The state of such a poller; it is the poller's own, and live. */
export interface LegacyAzureState<TResult> {
  /** The operation was canceled. */
  isCancelled?: boolean;
  /** The operation is over, however it ended. */
  isCompleted?: boolean;
  /** Why it failed. */
  error?: Error;
  /** What came of it. */
  result?: TResult;
}

/**
 * Lets this library's engine drive the poller of an Azure SDK: its schedule, its patience with failed reads, its
 * progress, its deadlines.
 *
 * core-lro marks an operation as failed when one request is; that mark is taken back, so that the read can be tried
 * again. What a `PollerLike` does not tell stays unknown: percentComplete, Retry-After, and of the service's error
 * all but its text.
 */
export function fromPollerLike<TResult>(
  poller: AzurePoller<TResult> | LegacyAzurePoller<TResult>,
): Operation<TResult> {
  const state = (): AzureState<TResult> | undefined =>
    "getOperationState" in poller ? poller.getOperationState() : poller.operationState;
  // core-lro sends the initial request before anybody waits; that it fails must not end the process.
  if ("submitted" in poller) poller.submitted().catch(() => {});
  const toJSON = (): object => ({ state: { status: "running", config: configOf(state()) } });
  return {
    get id() {
      return nameOfOperation(configOf(state()));
    },
    logger,
    toJSON,
    observe(facts, tracingOptions) {
      const subject = { spanName: pollerSpanName, resourceProvider: "", url: () => undefined };
      return observePoller(subject, facts, tracingOptions);
    },
    async getStatus({ abortSignal, tracingOptions }): Promise<StatusResponse<TResult>> {
      const failure = await failureOf(withinSpan(tracingOptions, () => poller.poll({ abortSignal })));
      const latest = state();
      if (latest === undefined) throw startError(failure);
      const failedRead = failedReadIn(latest, failure);
      if (failedRead) throw failedRead;
      return { status: statusOf(latest, nameOfOperation(configOf(latest))) };
    },
  };
}

/** The state that pollers of both kinds keep; live, and theirs. */
interface AzureState<TResult> extends LegacyAzureState<TResult> {
  status?: CoreLroState<TResult>["status"];
  config?: unknown;
}

interface Failure {
  readonly reason: unknown;
}

async function failureOf(promise: Promise<unknown>): Promise<Failure | undefined> {
  try {
    await promise;
    return undefined;
  } catch (reason) {
    return { reason };
  }
}

function startError(failure: Failure | undefined): Error {
  const cause = errorOfRequest(failure?.reason ?? new Error("the poller has no state"));
  return new OperationStartError(`The operation did not begin: ${cause.message}`, cause);
}

/** Whether a read failed, rather than the operation; then core-lro's mark on the operation is taken back. */
function failedReadIn<TResult>(
  state: AzureState<TResult>,
  failure: Failure | undefined,
): RequestError | undefined {
  const answered = isTerminalState(state) && !isRestError(failure?.reason);
  const cause = answered ? errorAsResult(state.result) : failure?.reason;
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

/** Azure's REST-level clients resolve with an answer such as a 503 as if it were the operation's result. */
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
 * Makes one of this library's pollers fit where an Azure SDK's is expected. The states are core-lro's, in lower case;
 * the result can be awaited; `serialize()` gives the token that `client.resume` takes.
 *
 * Beware: what it returns is a thenable, like every `PollerLike`. Returned from an async function, it is waited for.
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
      // core-lro's states have succeeded only with their result, which may still have to be read.
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

/** Azure's own signals are like those of the platform, but carry no reason. */
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
