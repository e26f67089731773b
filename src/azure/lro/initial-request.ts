import type { PipelineResponse } from "@azure/core-rest-pipeline";
import pRetry from "p-retry";
import type { RetryContext } from "p-retry";
import { onAbort, unlessAborted } from "../../abort.ts";
import { sleep } from "../../clock.ts";
import { ContractError, OperationStartError, RequestError } from "../../operation/errors.ts";
import { validRetryAfter } from "../../operation/retry-after.ts";
import type { PollSettings } from "../../poller/options.ts";
import { timeoutError } from "../../poller/status-request.ts";
import { backoffAfterFailure } from "../../schedule/backoff.ts";
import { withJitter } from "../../schedule/schedule.ts";
import { seconds } from "../../state/outcome.ts";
import type { Attempt } from "../http/origin-bound-pipeline.ts";
import { errorOfRequest, errorOfResponse, isNotSent, locationHeaders, metadataOf } from "../http/response.ts";
import { isNothingThere, lroResponseOf } from "./lro-response.ts";
import { nameOf } from "./protocol.ts";

/** An initial request: it starts an operation. */
export interface InitialRequest {
  /** The HTTP method. It decides what the result is, and whether the request may be repeated. */
  readonly method: "DELETE" | "GET" | "PATCH" | "POST" | "PUT";
  /** The URL, absolute or relative to the client's endpoint. */
  readonly url: string;
  /** The headers. Polls carry them too, except `content-*`, `if-*`, `repeatability-*` and `prefer`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The body, sent as JSON. */
  readonly body?: unknown;
}

/** The settings of the wait, and those of its start. */
interface StartSettings extends Pick<PollSettings, "clock" | "random" | "rules" | "abortSignal"> {
  /** The maximum time of one attempt, its response's body included. */
  readonly startTimeoutInMs: number;
}

type Send = (attempt: Attempt, abortSignal: AbortSignal) => Promise<PipelineResponse>;

const maxRetries = 3;

const requestIdHeader = "repeatability-request-id";
const firstSentHeader = "repeatability-first-sent";

/**
 * Sends an initial request, and repeats it where that is safe. No caller's wait stops it, and no time limit of one: only
 * the settings' `abortSignal` does, and `retries`.
 *
 * @throws {@link OperationStartError}, or the reason of the settings' `abortSignal`
 */
export async function sendInitialRequest(
  request: InitialRequest,
  send: Send,
  settings: StartSettings,
  retries: AbortController,
): Promise<PipelineResponse> {
  const { abortSignal } = settings;
  const unsubscribe = onAbort(abortSignal, () => retries.abort());
  try {
    return await sendUntilAccepted(request, send, settings, retries.signal);
  } catch (error) {
    throw abortSignal?.aborted ? abortSignal.reason : error;
  } finally {
    unsubscribe();
  }
}

async function sendUntilAccepted(
  request: InitialRequest,
  send: Send,
  settings: StartSettings,
  stopRetries: AbortSignal,
): Promise<PipelineResponse> {
  const { clock } = settings;
  const startedAt = clock.now();
  let attempts = 0;
  let latest: Attempt = { wasSent: false };
  let mayHaveStartedBefore = false;
  const attempt = async (attemptNumber: number): Promise<PipelineResponse> => {
    attempts = attemptNumber;
    latest = { wasSent: false };
    const response = await sendOnce((abortSignal) => send(latest, abortSignal), settings);
    return responseOf(response, mayHaveStartedBefore && request.method === "DELETE");
  };
  const shouldRetry = async ({ error, attemptNumber }: RetryContext): Promise<boolean> => {
    const failure = errorOfRequest(error);
    const isUnknown = mayHaveStarted(failure, latest);
    if (failure.kind !== "transient" || (isUnknown && !isSafeTwice(request))) return false;
    await backOff(failure, attemptNumber, settings, stopRetries);
    if (stopRetries.aborted) return false;
    mayHaveStartedBefore ||= isUnknown;
    return true;
  };
  try {
    return await pRetry(attempt, { retries: maxRetries, minTimeout: 0, shouldRetry });
  } catch (error) {
    const elapsedInMs = clock.now() - startedAt;
    const failure = errorOfRequest(error);
    const isUnknown = mayHaveStarted(failure, latest);
    throw startError(request, failure, { attempts, elapsedInMs, mayHaveStartedBefore, isUnknown });
  }
}

/**
 * Returns the response of a service that has accepted the request. It has if an earlier attempt may have deleted what
 * this one no longer finds.
 *
 * @throws {@link RequestError} for any other response
 */
function responseOf(response: PipelineResponse, mayBeDeleted: boolean): PipelineResponse {
  if (response.status < 300) return usable(response);
  if (mayBeDeleted && isNothingThere(response)) return { ...response, status: 204, bodyAsText: "" };
  throw errorOfResponse(response);
}

/**
 * Returns the response if it may be the service's. A page without a URL to poll is that of a proxy or a sign-in: another
 * attempt may reach the service.
 *
 * @throws {@link RequestError} if its body is a page of HTML or broken JSON
 */
function usable(response: PipelineResponse): PipelineResponse {
  const { status, headers } = response;
  if (locationHeaders.some((name) => headers.has(name))) return response;
  try {
    void lroResponseOf(response).body;
    return response;
  } catch (cause) {
    if (!(cause instanceof ContractError)) throw cause;
    const metadata = metadataOf(response);
    const { requestId = "none" } = metadata;
    const type = headers.get("content-type") ?? "none";
    const message = `HTTP ${status} is not the service's (content type ${type}, request id ${requestId}): ${cause.message}`;
    throw new RequestError(message, { ...metadata, kind: "transient", code: cause.code, cause });
  }
}

/** Waits before the next attempt, unless there will be none. */
async function backOff(
  { retryAfterInMs }: RequestError,
  attempts: number,
  { clock, random, rules }: StartSettings,
  stopRetries: AbortSignal,
): Promise<void> {
  const backoffInMs = backoffAfterFailure(attempts, rules.maxRetryDelayInMs, random);
  const requestedInMs = withJitter(validRetryAfter(retryAfterInMs) ?? 0, random);
  await sleep(clock, Math.max(backoffInMs, requestedInMs), stopRetries).catch(() => {});
}

/** The attempts of an initial request that failed. */
interface Attempts {
  readonly attempts: number;
  readonly elapsedInMs: number;
  /** Whether the service may have acted on one before the last. */
  readonly mayHaveStartedBefore: boolean;
  /** Whether it may have acted on the last. */
  readonly isUnknown: boolean;
}

function startError(
  { method, url }: InitialRequest,
  failure: RequestError,
  { attempts, elapsedInMs, mayHaveStartedBefore, isUnknown }: Attempts,
): OperationStartError {
  const mayBeUnderWay = mayHaveStartedBefore || isUnknown;
  const start = mayHaveStartedBefore
    ? "An earlier attempt may have been received"
    : "The operation may have started";
  const advice = mayBeUnderWay ? ` ${start}: look for the resource before you start it again.` : "";
  const reason = withDetails(
    failure,
    `(${attempts} attempt${attempts === 1 ? "" : "s"} in ${seconds(elapsedInMs)})`,
  );
  return new OperationStartError(
    `${method} ${nameOf(url)} was not accepted: ${reason}${advice}`,
    failure,
    mayBeUnderWay,
  );
}

/** Adds the Retry-After and the span to a message, which may have a full stop of its own, or several lines. */
function withDetails({ message, retryAfterInMs }: RequestError, span: string): string {
  const requestedInMs = validRetryAfter(retryAfterInMs);
  const details = requestedInMs === undefined ? span : `retry after ${seconds(requestedInMs)} ${span}`;
  const hasEnded = /\.$|\n/.test(message);
  if (!hasEnded) return `${message}${details === span ? "" : ","} ${details}.`;
  return `${message}${message.includes("\n") ? "\n" : " "}${details.replace(/^r/, "R")}.`;
}

/** Sends one attempt, and stops waiting for its response after a time, or when the signal fires. */
export async function sendOnce(
  send: (abortSignal: AbortSignal) => Promise<PipelineResponse>,
  {
    clock,
    startTimeoutInMs: limitInMs,
    abortSignal,
  }: Pick<StartSettings, "clock" | "startTimeoutInMs" | "abortSignal">,
): Promise<PipelineResponse> {
  abortSignal?.throwIfAborted();
  const controller = new AbortController();
  const timeout = Promise.withResolvers<never>();
  const cancel =
    limitInMs === Infinity
      ? undefined
      : clock.setTimer(() => timeout.reject(timeoutError(limitInMs)), limitInMs);
  try {
    // An HTTP client of the user's own may never settle after its signal has fired.
    const sent = Promise.race([timeout.promise, send(controller.signal)]);
    return await unlessAborted(sent, abortSignal);
  } catch (error) {
    // Also aborts the rest of a response that is no longer wanted.
    controller.abort(error);
    throw error;
  } finally {
    cancel?.();
  }
}

/** Returns whether the service may have acted on an attempt that failed with this error. */
export function mayHaveStarted({ kind, statusCode, code }: RequestError, { wasSent }: Attempt): boolean {
  if (!wasSent) return false;
  return statusCode === undefined ? !isNotSent(code) : kind === "transient" && statusCode !== 429;
}

/** Returns whether the service may receive the request twice. */
function isSafeTwice({ method, headers = {} }: InitialRequest): boolean {
  const names = Object.keys(headers).map((name) => name.toLowerCase());
  if (names.includes(requestIdHeader) && names.includes(firstSentHeader)) return true;
  // A conditional request that was received once would fail the second time because of itself.
  const isConditional = names.some((name) => name.startsWith("if-"));
  return !isConditional && (method === "PUT" || method === "DELETE" || method === "GET");
}

/** Returns the headers by which a service recognizes a request that it has received before (OASIS Repeatable Requests). */
export function repeatabilityHeaders(firstSentAt: number): Readonly<Record<string, string>> {
  return {
    [requestIdHeader]: crypto.randomUUID(),
    [firstSentHeader]: new Date(firstSentAt).toUTCString(),
  };
}
