import { redirectPolicyName } from "@azure/core-rest-pipeline";
import type { HttpClient, Pipeline, PipelineResponse } from "@azure/core-rest-pipeline";
import pRetry from "p-retry";
import type { RetryContext } from "p-retry";
import { sleep } from "../../clock.ts";
import type { Clock } from "../../clock.ts";
import { OperationStartError, ReadError } from "../../operation/errors.ts";
import { Listeners } from "../../poller/listeners.ts";
import { resolveOptions } from "../../poller/options.ts";
import type { PollOptions, PollSettings } from "../../poller/options.ts";
import { createPoller } from "../../poller/create-poller.ts";
import type { Poller } from "../../poller/poller.ts";
import { timeoutError } from "../../poller/status-request.ts";
import { spread } from "../../schedule/schedule.ts";
import { backoffAfterFailure } from "../../schedule/backoff.ts";
import { errorOfAnswer, errorOfRequest } from "../http/response.ts";
import { parseAllowedOrigins, withApiVersion } from "../validation.ts";
import { bounded } from "../http/body-limit.ts";
import type { FinalStateVia } from "./protocol.ts";
import { hideSecretsFromLog } from "../http/log-redaction.ts";
import { logger } from "../telemetry/logger.ts";
import { LroOperation, startedOf } from "./lro-operation.ts";
import type { LroPlan, StartedOperation } from "./lro-operation.ts";
import type { OperationStatusesClient } from "../operation-statuses-client.ts";
import { Transport } from "../http/origin-bound-pipeline.ts";

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
  readonly onStarted?: (started: StartedOperation) => unknown;
}

/** What sends the requests: a client, or a pipeline that signs them. */
export type OperationSender =
  | { readonly client: OperationStatusesClient }
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
  readonly started: Promise<StartedOperation>;
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
  hideSecretsFromLog(ownPipeline);
  const transport = new Transport(ownPipeline, [new URL(request.url).origin], bounded(httpClient));
  return followBeginning(transport, request, rest, { apiVersion });
}

/** Begins an operation through a transport and follows it. */
export function followBeginning<TResult>(
  transport: Transport,
  request: InitialRequest,
  options: StartOperationOptions<TResult>,
  service: Pick<LroPlan<TResult>, "apiVersion" | "resourceProvider">,
): StartedPoller<TResult> {
  const { finalStateVia, allowedOrigins = [], parseResult, onStarted, ...pollOptions } = options;
  const { method, headers } = request;
  const url = withApiVersion(request.url, service.apiVersion);
  // Before anything is sent: an operation that is begun and then not waited for would be lost.
  const settings = resolveOptions(pollOptions);
  const body = request.body === undefined ? undefined : JSON.stringify(request.body);
  const allowed = transport.allowing(parseAllowedOrigins(allowedOrigins));
  const repetition = new AbortController();
  const send = (abortSignal: AbortSignal): Promise<PipelineResponse> =>
    allowed.send({ method, url, headers, body, abortSignal, tracingOptions: pollOptions.tracingOptions });
  const answer = begin(request, send, settings, pollOptions.abortSignal, repetition);
  const operation = new LroOperation<TResult>(
    { ...service, transport: allowed, parseResult, headers: headersOfPolls(headers), logger },
    { beginning: { method, url, finalStateVia }, answer, abandon: () => repetition.abort() },
  );
  const started = answer.then(startedOf);
  const listeners = new Listeners<StartedOperation>(logger, onStarted);
  // Whoever waits is told of a failure; that nobody does must not end the process.
  started.then((value) => listeners.notify(value)).catch(() => {});
  const poller = Object.assign(createPoller(operation, pollOptions), { started });
  // Hidden from console.log and, by the getter, from `showHidden`: its headers have signed URLs among them.
  Object.defineProperty(poller, "started", { enumerable: false, get: () => started });
  return poller;
}

/** What speaks of the initial request alone: a poll that carried it would be refused. */
function headersOfPolls(headers: InitialRequest["headers"] = {}): Readonly<Record<string, string>> {
  const entries = Object.entries(headers);
  return Object.fromEntries(
    entries.filter(([name]) => !/^(content-|if-|repeatability-|prefer$)/i.test(name)),
  );
}

const mostRepetitions = 3;

async function begin(
  request: InitialRequest,
  send: (abortSignal: AbortSignal) => Promise<PipelineResponse>,
  { clock, random, requestTimeoutInMs, rules }: PollSettings,
  abortSignal: AbortSignal | undefined,
  repetition: AbortController,
): Promise<PipelineResponse> {
  const shouldRetry = async ({ error, attemptNumber }: RetryContext): Promise<boolean> => {
    const isOver = repetition.signal.aborted;
    if (!(error instanceof ReadError) || isOver || !isRepeatable(request, error)) return false;
    const backoffInMs = backoffAfterFailure(attemptNumber, rules.maxRetryDelayInMs, random);
    const delayInMs = Math.max(backoffInMs, spread(error.retryAfterInMs ?? 0, random));
    await sleep(clock, delayInMs, repetition.signal);
    return true;
  };
  const attempt = (): Promise<PipelineResponse> =>
    attemptWithin(send, clock, requestTimeoutInMs, abortSignal);
  const removeListener = onAbort(abortSignal, (reason) => repetition.abort(reason));
  try {
    return await pRetry(attempt, { retries: mostRepetitions, minTimeout: 0, shouldRetry });
  } catch (error) {
    if (abortSignal?.aborted) throw abortSignal.reason;
    const cause = errorOfRequest(error);
    throw new OperationStartError(`${request.method} did not begin an operation: ${cause.message}`, cause);
  } finally {
    removeListener();
  }
}

async function attemptWithin(
  send: (abortSignal: AbortSignal) => Promise<PipelineResponse>,
  clock: Clock,
  limitInMs: number,
  abortSignal: AbortSignal | undefined,
): Promise<PipelineResponse> {
  const controller = new AbortController();
  const stopped = Promise.withResolvers<never>();
  const removeListener = onAbort(abortSignal, stopped.reject);
  const isLimited = limitInMs !== Infinity;
  const cancel = isLimited
    ? clock.setTimer(() => stopped.reject(timeoutError(limitInMs)), limitInMs)
    : undefined;
  try {
    // A transport need not settle when its signal fires: a stalled decoder never does.
    const response = await Promise.race([stopped.promise, send(controller.signal)]);
    if (response.status >= 300) throw errorOfAnswer(response);
    return response;
  } catch (error) {
    // Also an answer of which the rest is not wanted any more.
    controller.abort(error);
    throw error;
  } finally {
    cancel?.();
    removeListener();
  }
}

/** Not AbortSignal.any: what it makes lives as long as the signal of the user's, which may outlive many operations. */
function onAbort(abortSignal: AbortSignal | undefined, callback: (reason: unknown) => void): () => void {
  const listener = (): void => callback(abortSignal?.reason);
  if (abortSignal?.aborted) listener();
  else abortSignal?.addEventListener("abort", listener, { once: true });
  return () => abortSignal?.removeEventListener("abort", listener);
}

const neverSent = new Set(["EAI_AGAIN", "ECONNREFUSED", "ENOTFOUND"]);

function isRepeatable(
  { method, headers = {} }: InitialRequest,
  { kind, statusCode, code }: ReadError,
): boolean {
  if (kind !== "transient") return false;
  // Heard and then repeated, a request with a condition would be refused on account of itself.
  const isConditional = Object.keys(headers).some((name) => /^if-/i.test(name));
  const isIdempotent = method === "PUT" || method === "DELETE" || method === "GET";
  return (isIdempotent && !isConditional) || statusCode === 429 || statusCode === 503 || neverSent.has(code);
}
