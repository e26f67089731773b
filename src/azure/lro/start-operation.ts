import { redirectPolicyName } from "@azure/core-rest-pipeline";
import type { HttpClient, Pipeline, PipelineResponse } from "@azure/core-rest-pipeline";
import pRetry from "p-retry";
import type { RetryContext } from "p-retry";
import { onAbort, unlessAborted } from "../../abort.ts";
import { sleep } from "../../clock.ts";
import type { Clock } from "../../clock.ts";
import { OperationStartError, RequestError } from "../../operation/errors.ts";
import { Listeners } from "../../poller/listeners.ts";
import { resolveOptions } from "../../poller/options.ts";
import type { PollOptions, PollSettings } from "../../poller/options.ts";
import { createPoller } from "../../poller/poller.ts";
import type { Poller } from "../../poller/poller.ts";
import { timeoutError } from "../../poller/status-request.ts";
import { spread } from "../../schedule/schedule.ts";
import { backoffAfterFailure } from "../../schedule/backoff.ts";
import { errorOfRequest, errorOfResponse } from "../http/response.ts";
import { parseAllowedOrigins, withApiVersion } from "../http/validation.ts";
import { withBodyLimit } from "../http/body-limit.ts";
import type { FinalStateVia } from "./protocol.ts";
import { redactLog } from "../http/log-redaction.ts";
import { logger } from "../telemetry/logger.ts";
import { LroOperation, initialResponseOf } from "./lro-operation.ts";
import type { InitialResponse, LroOperationOptions } from "./lro-operation.ts";
import { OriginBoundPipeline } from "../http/origin-bound-pipeline.ts";

/** The request that begins an operation. */
export interface InitialRequest {
  /** Decides what the result is and whether the request may be repeated. */
  readonly method: "DELETE" | "GET" | "PATCH" | "POST" | "PUT";
  /** Absolute, or relative to the client's endpoint. */
  readonly url: string;
  /** Sent with the polls and with the request for the result too. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
}

/** How to begin an operation and wait for it. */
export interface StartOperationOptions<TResult = unknown> extends PollOptions<TResult> {
  /** As the API's description says. Default: by the request's verb and the answer's headers. */
  readonly finalStateVia?: FinalStateVia;
  /** Origins, besides that of the request, which the service's answers may lead to, such as a gateway's. */
  readonly allowedOrigins?: readonly string[];
  /** Makes the result of the body that holds it. Default: the body as it is. What it throws ends the wait. */
  readonly parseResult?: (body: unknown) => TResult;
  /** Called with the answer to the initial request, before the first poll. What it throws is logged. */
  readonly onStarted?: (started: InitialResponse) => unknown;
}

/** A client that starts operations; an `OperationStatusesClient` is one. */
export interface OperationStarter {
  /** Starts an operation at once, and returns its poller. */
  startOperation<TResult = unknown>(
    request: InitialRequest,
    options?: StartOperationOptions<TResult>,
  ): StartedPoller<TResult>;
}

/** The sender of the requests: a client, or a pipeline that signs them. */
export type OperationSender =
  | { readonly client: OperationStarter }
  | {
      /** A copy is used, without its policies for retries and redirects: both are this library's to decide. */
      readonly pipeline: Pipeline;
      /** Default: that of core-rest-pipeline for the runtime. */
      readonly httpClient?: HttpClient;
      /** Added to every URL that carries none. */
      readonly apiVersion?: string;
    };

/**
 * A poller of an operation that was begun by a request of its own. Disposing of it leaves that request to its answer,
 * for nobody could tell otherwise whether the operation has begun; it is not repeated.
 */
export interface StartedPoller<TResult = unknown> extends Poller<TResult> {
  /**
   * The answer to the initial request.
   *
   * @throws {@link OperationStartError}
   */
  readonly started: Promise<InitialResponse>;
}

/**
 * Begins an operation, at once, and gives the poller that waits for it.
 *
 * The operation is followed whichever way the service tells of it: `Operation-Location`, `Azure-AsyncOperation`,
 * `Location`, `provisioningState`. `pollUntilDone` resolves with its result, or rejects as that of any poller does,
 * or with an {@link OperationStartError} when the service refused to begin.
 *
 * The initial request is repeated, three times at most, where that is safe: an idempotent one after any passing
 * fault, another one when it was turned away unread (429, 503, no connection).
 *
 * @throws TypeError or RangeError that names the option or the URL that is wrong, before anything is sent
 */
export function startOperation<TResult = unknown>(
  request: InitialRequest,
  options: StartOperationOptions<TResult> & OperationSender,
): StartedPoller<TResult> {
  if ("client" in options) return options.client.startOperation(request, options);
  const { pipeline, httpClient, apiVersion, ...rest } = options;
  if (!URL.canParse(request.url))
    throw new TypeError("request.url: expected an absolute URL, got another string");
  const ownPipeline = pipeline.clone();
  // A redirect is the transport's to follow: the pipeline's own loses the token, and may lead anywhere.
  ownPipeline.removePolicy({ name: redirectPolicyName });
  // One layer retries: a pipeline's own would send a POST again that may have been heard.
  ownPipeline.removePolicy({ phase: "Retry" });
  redactLog(ownPipeline);
  const { origin } = new URL(request.url);
  const bound = new OriginBoundPipeline(ownPipeline, [origin], withBodyLimit(httpClient));
  return startAndFollow(bound, request, rest, { apiVersion });
}

/** Starts an operation through a pipeline and returns its poller. */
export function startAndFollow<TResult>(
  pipeline: OriginBoundPipeline,
  request: InitialRequest,
  options: StartOperationOptions<TResult>,
  service: Pick<LroOperationOptions<TResult>, "apiVersion" | "resourceProvider">,
): StartedPoller<TResult> {
  const { finalStateVia, allowedOrigins = [], parseResult, onStarted, ...pollOptions } = options;
  const { method, headers } = request;
  const url = withApiVersion(request.url, service.apiVersion);
  // Before anything is sent: an operation that is started and then not polled would be lost.
  const settings = resolveOptions(pollOptions);
  const body = request.body === undefined ? undefined : JSON.stringify(request.body);
  const allowed = pipeline.allowing(parseAllowedOrigins(allowedOrigins));
  const retries = new AbortController();
  const send = (abortSignal: AbortSignal): Promise<PipelineResponse> =>
    allowed.send({ method, url, headers, body, abortSignal, tracingOptions: pollOptions.tracingOptions });
  const response = sendInitialRequest(request, send, settings, retries);
  const operation = new LroOperation<TResult>(
    { ...service, pipeline: allowed, parseResult, headers: headersOfPolls(headers), logger },
    { request: { method, url, finalStateVia }, response },
  );
  const started = response.then(initialResponseOf);
  const listeners = new Listeners<InitialResponse>(logger, onStarted);
  // Callers that wait get the error; without any, it must not end the process.
  started.then((value) => listeners.notify(value)).catch(() => {});
  return startedPoller(createPoller(operation, pollOptions), started, retries);
}

function startedPoller<TResult>(
  poller: Poller<TResult>,
  started: Promise<InitialResponse>,
  retries: AbortController,
): StartedPoller<TResult> {
  const dispose = poller[Symbol.asyncDispose].bind(poller);
  const withStarted = Object.assign(poller, { started });
  // Hidden from console.log and, by the getter, from `showHidden`: its headers have signed URLs among them.
  Object.defineProperty(withStarted, "started", { enumerable: false, get: () => started });
  Object.defineProperty(withStarted, Symbol.asyncDispose, {
    value: () => {
      retries.abort();
      return dispose();
    },
  });
  return withStarted;
}

/** Headers of the initial request alone are left out: the service would refuse a poll that carries them. */
function headersOfPolls(headers: InitialRequest["headers"] = {}): Readonly<Record<string, string>> {
  const entries = Object.entries(headers);
  return Object.fromEntries(
    entries.filter(([name]) => !/^(content-|if-|repeatability-|prefer$)/i.test(name)),
  );
}

const maxRetries = 3;

async function sendInitialRequest(
  request: InitialRequest,
  send: (abortSignal: AbortSignal) => Promise<PipelineResponse>,
  { clock, random, requestTimeoutInMs, timeoutInMs, rules, abortSignal }: PollSettings,
  retries: AbortController,
): Promise<PipelineResponse> {
  const shouldRetry = async ({ error, attemptNumber }: RetryContext): Promise<boolean> => {
    if (!(error instanceof RequestError) || !isRepeatable(request, error)) return false;
    const backoffInMs = backoffAfterFailure(attemptNumber, rules.maxRetryDelayInMs, random);
    const delayInMs = Math.max(backoffInMs, spread(error.retryAfterInMs ?? 0, random));
    await sleep(clock, delayInMs, retries.signal).catch(() => {});
    return !retries.signal.aborted;
  };
  const attempt = (): Promise<PipelineResponse> =>
    attemptWithin(send, clock, requestTimeoutInMs, abortSignal);
  const stopRetries = (): void => retries.abort();
  const unsubscribe = onAbort(abortSignal, stopRetries);
  const cancel = timeoutInMs === Infinity ? undefined : clock.setTimer(stopRetries, timeoutInMs);
  try {
    return await pRetry(attempt, { retries: maxRetries, minTimeout: 0, shouldRetry });
  } catch (error) {
    if (abortSignal?.aborted) throw abortSignal.reason;
    const cause = errorOfRequest(error);
    throw new OperationStartError(`${request.method} did not start an operation: ${cause.message}`, cause);
  } finally {
    cancel?.();
    unsubscribe();
  }
}

async function attemptWithin(
  send: (abortSignal: AbortSignal) => Promise<PipelineResponse>,
  clock: Clock,
  limitInMs: number,
  abortSignal: AbortSignal | undefined,
): Promise<PipelineResponse> {
  const controller = new AbortController();
  const timeout = Promise.withResolvers<never>();
  const cancel =
    limitInMs === Infinity
      ? undefined
      : clock.setTimer(() => timeout.reject(timeoutError(limitInMs)), limitInMs);
  try {
    // A transport need not settle when its signal fires: one of the user's own may never do so.
    const sent = Promise.race([timeout.promise, send(controller.signal)]);
    const response = await unlessAborted(sent, abortSignal);
    if (response.status >= 300) throw errorOfResponse(response);
    return response;
  } catch (error) {
    // Also a response of which the rest is no longer wanted.
    controller.abort(error);
    throw error;
  } finally {
    cancel?.();
  }
}

const neverSent = new Set(["EAI_AGAIN", "ECONNREFUSED", "ENOTFOUND"]);

function isRepeatable(
  { method, headers = {} }: InitialRequest,
  { kind, statusCode, code }: RequestError,
): boolean {
  if (kind !== "transient") return false;
  // A conditional request that was received once would be refused the second time because of itself.
  const isConditional = Object.keys(headers).some((name) => /^if-/i.test(name));
  const isIdempotent = method === "PUT" || method === "DELETE" || method === "GET";
  return (isIdempotent && !isConditional) || statusCode === 429 || statusCode === 503 || neverSent.has(code);
}
