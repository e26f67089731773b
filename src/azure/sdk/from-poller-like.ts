import { isRestError } from "@azure/core-rest-pipeline";
import type { Pipeline, PipelineResponse } from "@azure/core-rest-pipeline";
import type { Clock } from "../../clock.ts";
import { OperationStartError, RequestError, codeOf, isBug, messageOf } from "../../operation/errors.ts";
import { isObject } from "../../operation/json-object.ts";
import type { Fields } from "../../operation/json-object.ts";
import type { Limiter } from "../../operation/limiter.ts";
import type {
  GetStatusOptions,
  Operation,
  PollLogger,
  PollerObserver,
  PollerSnapshot,
  StatusResponse,
  TracingOptions,
} from "../../operation/operation.ts";
import { findError, parseOperationError } from "../../operation/parse-error.ts";
import { percentageFields, statusFieldsOf } from "../../operation/parse-status.ts";
import { operationStateOf } from "../../operation/state-words.ts";
import { isTerminal } from "../../operation/status.ts";
import type {
  OperationError,
  OperationState,
  TerminalState,
  TerminalStates,
} from "../../operation/status.ts";
import { describeValue } from "../../redaction.ts";
import {
  ageOf,
  errorOfRequest,
  errorOfResponse,
  isTransientStatus,
  metadataOf,
  parseResponse,
} from "../http/response.ts";
import type { ResponseParts } from "../http/response.ts";
import { limiterIn, limitersOf } from "../http/origin-bound-pipeline.ts";
import { mayHaveStarted } from "../lro/initial-request.ts";
import { lroResponseOf, parsePoll } from "../lro/lro-response.ts";
import { isSameResource, nameOf } from "../lro/protocol.ts";
import type { LroResponse, PollingLocation, StatusReport } from "../lro/protocol.ts";
import { logger } from "../telemetry/logger.ts";
import { observePoller, pollerSpanName } from "../telemetry/observers.ts";
import { withinSpan } from "../telemetry/span.ts";
import { ObservedPoll, abortedBySdk, observing, storage } from "./observed-poll.ts";
import {
  cancelMethodOf,
  endOf,
  hasNoUrl,
  isCoreLro3,
  pollingLocationIn,
  removeEnd,
  responseIn,
  serialized,
  stateOf,
  unknownUrl,
} from "./sdk-poller.ts";
import type { SdkPoller, SdkState } from "./sdk-poller.ts";

/** Options of {@link fromPollerLike}. */
export interface FromPollerLikeOptions {
  /**
   * The pipeline of the SDK's client, usually `client.pipeline`. With it the library sees the responses to the poller's
   * own polls: status codes, `Retry-After`, the percentage, and the service's whole error. Default: it sees the poller's
   * state alone.
   */
  readonly pipeline?: Pipeline | undefined;
}

/**
 * Returns an operation that polls by the poller of an Azure SDK. It gets this library's schedule, retries, progress and
 * deadlines.
 *
 * Pass the `pipeline` of the SDK's client. Without it the library sees no `Retry-After`, and in most SDKs no percentage and
 * only the text of the error. It then believes a failure when three polls in a row report it.
 *
 * @example
 * ```ts
 * // const azurePoller = computeClient.virtualMachines.start("my-group", "my-vm");
 * // const { pipeline } = computeClient;
 * const result = await pollUntilDone(fromPollerLike(azurePoller, { pipeline }), { timeoutInMs: 600_000 });
 * ```
 * @throws TypeError if `poller` is not the poller of an Azure SDK, or `pipeline` is not a pipeline; Error if there is a
 * pipeline in a runtime without `AsyncLocalStorage`, such as a browser
 */
export function fromPollerLike<TResult>(
  poller: SdkPoller<TResult>,
  { pipeline }: FromPollerLikeOptions = {},
): Operation<TResult> {
  checkMethods(
    "poller",
    poller,
    ["poll"],
    "the poller of an Azure SDK: await a promise of one, but not a poller of core-lro 3",
  );
  if (pipeline !== undefined) {
    checkMethods("pipeline", pipeline, ["addPolicy", "removePolicy"], "a pipeline, such as client.pipeline");
    storage();
  }
  return new SdkOperation(poller, pipeline);
}

function checkMethods(name: string, value: unknown, methods: readonly string[], expected: string): void {
  const fields: Readonly<Record<string, unknown>> = isObject(value) ? value : {};
  if (methods.every((method) => typeof fields[method] === "function")) return;
  throw new TypeError(`${name}: expected ${expected}, got ${describeValue(value)}`);
}

/** The polls in a row that must report a failure before it is believed, where no response is seen. */
const neededReports = 3;
const unconfirmed = "UnconfirmedFailure";

class SdkOperation<TResult> implements Operation<TResult> {
  readonly logger: PollLogger = logger;
  readonly #poller: SdkPoller<TResult>;
  readonly #pipeline: Pipeline | undefined;
  readonly initialRequest: Promise<unknown> | undefined;
  /** The polls in a row that have reported what needs to be confirmed. */
  #doubtfulPolls = 0;
  /** Whether a monitor has answered: after that it may be gone with the resource that its operation deletes. */
  #wasSeen = false;

  constructor(poller: SdkPoller<TResult>, pipeline: Pipeline | undefined) {
    this.#poller = poller;
    this.#pipeline = pipeline;
    // core-lro sends the initial request before any caller waits; its failure must not end the process.
    this.initialRequest = isCoreLro3(poller) ? poller.submitted().catch(() => {}) : undefined;
  }

  get id(): string {
    const location = pollingLocationIn(stateOf(this.#poller));
    return location ? nameOf(location.monitorUrl) : "of an Azure SDK";
  }

  limiterFor(clock: Clock): Limiter | undefined {
    const { origin } = new URL(pollingLocationIn(stateOf(this.#poller))?.monitorUrl ?? unknownUrl);
    return this.#pipeline && limiterIn(limitersOf(this.#pipeline), clock, origin);
  }

  toJSON(): object {
    const sdk = serialized(this.#poller);
    return sdk ? { sdk } : { initialRequest: this.id };
  }

  observe(snapshot: PollerSnapshot, tracingOptions?: TracingOptions): PollerObserver | undefined {
    const subject = { spanName: pollerSpanName, resourceProvider: "", url: () => undefined };
    return observePoller(subject, snapshot, tracingOptions);
  }

  async getStatus(options: GetStatusOptions): Promise<StatusResponse<TResult>> {
    const { abortSignal, tracingOptions } = options;
    const poller = this.#poller;
    const endBefore = endOf(stateOf(poller) ?? {});
    const poll: ObservedPoll = new ObservedPoll(abortSignal, {
      owns: (url) => this.#owns(url, poll),
      parse: (url, response, method) => this.#parse(options, url, response, method),
    });
    const thrown = await rejectionOf(() => withinSpan(tracingOptions, () => this.#poll(poll, abortSignal)));
    const state = stateOf(poller);
    if (state === undefined) throw startError(thrown);
    const failure = this.#failureOf(state, thrown, poll) ?? this.#notObserved(state, poll, endBefore);
    if (failure?.code !== unconfirmed) this.#doubtfulPolls = 0;
    if (failure === undefined) return this.#statusResponse(state, poll);
    // A later poll may have ended the operation meanwhile.
    if (!abortSignal.aborted || isAbortError(state.error)) removeEnd(state);
    throw failure;
  }

  get cancel(): (() => Promise<void>) | undefined {
    const cancel = cancelMethodOf(this.#poller);
    return cancel && (() => this.#cancel(cancel));
  }

  async #cancel(cancel: () => Promise<unknown>): Promise<void> {
    try {
      await cancel();
    } catch (error) {
      throw cancelFailure(error);
    } finally {
      // The SDK takes the request for the end, and would poll no more.
      const state = stateOf(this.#poller);
      if (state?.isCancelled) removeEnd(state);
    }
  }

  #poll(poll: ObservedPoll, abortSignal: AbortSignal): Promise<unknown> {
    const poller = this.#poller;
    if (this.#pipeline) return observing(this.#pipeline, poll, () => poller.poll());
    // Older pollers wait for ever without a signal.
    return isCoreLro3(poller) ? poller.poll() : poller.poll({ abortSignal });
  }

  /** Where core-lro polls is known; the URL of the result only after that of the status. */
  #owns(url: string, { report }: ObservedPoll): boolean {
    const location = pollingLocationIn(stateOf(this.#poller), url);
    return (
      location === undefined || isSameResource(location.monitorUrl, url) || isTerminal(report?.fields.status)
    );
  }

  /** @throws {@link RequestError} if the response says nothing of the operation */
  #parse(
    { terminalStates }: GetStatusOptions,
    url: string,
    response: PipelineResponse,
    method: string,
  ): StatusReport | undefined {
    if (isTransientStatus(response.status)) throw errorOfResponse(response);
    // The client's own policies follow redirects, and answer challenges.
    const isForPolicies = (response.status >= 300 && response.status < 400) || response.status === 401;
    if (isForPolicies || method === "HEAD") return undefined;
    const location = pollingLocationIn(stateOf(this.#poller), url);
    const isMonitor = location !== undefined && isSameResource(location.monitorUrl, url);
    const parse = (): StatusReport | undefined =>
      isMonitor
        ? this.#parseMonitor(location, response, terminalStates)
        : parseUnknown(lroResponseOf(response, terminalStates), location);
    return parseResponse(parse, metadataOf(response), "transient");
  }

  #parseMonitor(
    location: PollingLocation,
    response: PipelineResponse,
    terminalStates: TerminalStates | undefined,
  ): StatusReport {
    const deletion = location.deletion && this.#wasSeen ? "observed" : location.deletion;
    const report = parsePoll({ ...location, deletion }, response, terminalStates);
    this.#wasSeen = true;
    return report;
  }

  /** Returns the reason why a poll says nothing of the operation; `undefined` if it does. */
  #failureOf(state: SdkState<TResult>, thrown: unknown, poll: ObservedPoll): RequestError | undefined {
    const { failure, report, response } = poll;
    if (failure || isUnsuccessful(report) || isEndWithoutResult(report, response)) return failure;
    const end = endOf(state);
    const isRejected = thrown !== undefined || end === "Failed";
    if (response && response.status >= 300 && isRejected) return errorOfResponse(response, thrown);
    const aborted: unknown = [thrown, state.error].find(isAbortError);
    if (aborted !== undefined) return this.#abortFailure(aborted);
    // With its result not read, the end of a poller is none.
    if (thrown !== undefined && (end === undefined || end === "Succeeded" || isRestError(thrown)))
      return requestFailure(state, thrown);
    if (end === undefined) return hasNoUrl(state) ? nothingToPoll() : unknownEnd(report);
    const shown = responseIn(state.result);
    if (shown) return failureOfResult(shown);
    return response ? undefined : this.#doubt(state, end);
  }

  /** The pipeline of another client sees nothing, and protects from nothing. */
  #notObserved(
    state: SdkState<TResult>,
    poll: ObservedPoll,
    endBefore: TerminalState | undefined,
  ): RequestError | undefined {
    const isExpected = this.#pipeline && endBefore === undefined && pollingLocationIn(state) !== undefined;
    if (!isExpected || poll.hasSent) return undefined;
    const message = "pipeline: expected that of the poller's client, but the poll did not pass through it";
    return new RequestError(message, { kind: "permanent", code: "WrongPipeline" });
  }

  /** The service's own word counts, where it is known: core-lro takes `FailoverInProgress` for a failure. */
  #endOf(state: SdkState<TResult>, { report, response }: ObservedPoll): OperationState | undefined {
    const end = endOf(state);
    if (report === undefined) return end;
    const { status } = report.fields;
    if (isUnsuccessful(report) || isEndWithoutResult(report, response)) return status;
    // core-lro ends at any word with "succeeded" in it, and its poller polls no more.
    const isOver = end === "Succeeded" && (status === "Succeeded" || /succeeded/i.test(status));
    if (isOver) return end;
    removeEnd(state);
    return undefined;
  }

  /** A poller of core-lro 3 got no signal from here. */
  #abortFailure(error: unknown): RequestError {
    if (this.#pipeline || !isCoreLro3(this.#poller)) return errorOfRequest(error);
    return this.#unconfirmed("was aborted", error) ?? abortedBySdk(error);
  }

  /** A poller may take a failed request for a failed operation, and does not show the response. */
  #doubt(state: SdkState<TResult>, end: TerminalState): RequestError | undefined {
    if (end === "Succeeded" || hasNoUrl(state)) return undefined;
    return this.#unconfirmed(
      `reports that the operation ${end === "Failed" ? "has failed" : "was canceled"}`,
      state.error,
    );
  }

  /** Returns the failure of a poll that needs to be confirmed by the next ones; `undefined` if they have done so. */
  #unconfirmed(what: string, cause: unknown): RequestError | undefined {
    if (++this.#doubtfulPolls >= neededReports) return undefined;
    const text = cause === undefined ? "" : `: ${messageOf(cause)}`;
    const message = `the SDK's poller ${what}, to be confirmed by the next polls${text}`;
    return new RequestError(message, { kind: "transient", code: unconfirmed, cause });
  }

  #statusResponse(state: SdkState<TResult>, poll: ObservedPoll): StatusResponse<TResult> {
    const { report, responses, response } = poll;
    const end = this.#endOf(state, poll);
    const bodies = responses.map((each) => bodyOf(each));
    const fields =
      report?.fields ?? statusFieldsOf(bodies.find(isObject) ?? percentageIn(state), "", "Running");
    const { startTime, endTime, percentComplete, resourceId } = fields;
    const name = this.id;
    const status = end ?? runningStateOf(state, report);
    const error = isFailure(end) ? (report?.fields.error ?? errorIn(state, bodies)) : undefined;
    return {
      status: {
        id: name,
        name,
        status,
        startTime,
        endTime,
        percentComplete,
        resourceId,
        error,
        properties: state.result,
      },
      ...(response && { ...metadataOf(response), ageInMs: ageOf(startTime, response) }),
    };
  }
}

/** Most SDKs whose service cannot cancel the operation throw an error without a code. */
function cancelFailure(error: unknown): RequestError {
  if (isRestError(error) || codeOf(error) !== undefined) return errorOfRequest(error);
  const kind = "permanent";
  return new RequestError(messageOf(error), { kind, code: "CancelNotSupported", cause: error });
}

async function rejectionOf(call: () => Promise<unknown>): Promise<unknown> {
  try {
    await call();
    return undefined;
  } catch (error) {
    return error;
  }
}

function startError(reason: unknown): Error {
  const cause = errorOfRequest(reason ?? new Error("the poller has no state"));
  // The SDK does not tell how far its request came.
  const isUnknown = mayHaveStarted(cause, { wasSent: cause.kind === "transient" });
  const advice = isUnknown
    ? " The operation may have started: look for the resource before you start it again."
    : "";
  return new OperationStartError(`The initial request failed: ${cause.message}.${advice}`, cause, isUnknown);
}

/**
 * Returns a failure at a URL that only the SDK knows: some SDKs throw at it, and keep no mark.
 *
 * @throws {@link ContractError} if the body is a page of HTML, or broken JSON
 */
function parseUnknown(
  { body, terminalStates }: LroResponse,
  location: PollingLocation | undefined,
): StatusReport | undefined {
  if (location || !isObject(body) || typeof body["status"] !== "string") return undefined;
  const word = body["status"];
  const status = operationStateOf(word, terminalStates);
  const report = { fields: statusFieldsOf(body, word, status), pollingLocation: undefined };
  return isUnsuccessful(report) ? report : undefined;
}

function isUnsuccessful(report: StatusReport | undefined): report is StatusReport {
  return isFailure(report?.fields.status);
}

/** Whether the operation has succeeded, and no result is to come: SDKs may not accept such a response. */
function isEndWithoutResult(
  report: StatusReport | undefined,
  response: PipelineResponse | undefined,
): boolean {
  if (report?.fields.status !== "Succeeded" || report.pollingLocation?.resultUrl !== undefined) return false;
  return report.pollingLocation?.deletion !== undefined || response?.status === 204;
}

function isFailure(state: OperationState | undefined): boolean {
  return state === "Failed" || state === "Canceled";
}

function isAbortError(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

/** @throws {@link OperationStartError} if a poller that sends the initial request with its first poll cannot start */
function requestFailure(state: SdkState<unknown>, thrown: unknown): RequestError {
  // core-lro 2 starts with a state that has nothing in it.
  // A page in place of JSON lets some SDKs fail with a TypeError of their own: the next response may be another.
  if (isBug(thrown)) return new RequestError(messageOf(thrown), { kind: "transient", cause: thrown });
  const isStart = Object.keys(state).length === 0;
  const failure = errorOfRequest(thrown, !isStart);
  if (isStart && failure.kind === "permanent") throw startError(failure);
  return failure;
}

/** A poller that was restored from a token without a URL would run for ever, and send nothing. */
function nothingToPoll(): RequestError {
  const message = "the SDK's poller has no URL to poll: its token was written before the initial response";
  return new RequestError(message, { kind: "permanent", code: "NothingToPoll" });
}

/** core-lro would poll an operation for ever that ends with a word that it does not know. */
function unknownEnd(report: StatusReport | undefined): RequestError | undefined {
  if (report?.fields.status !== "Succeeded") return undefined;
  const word = report.fields.serviceStatus ?? "Succeeded";
  const message = `the operation has succeeded ("${word}"), but the SDK's poller does not know this word. To get the result, pass the resume token to client.resume()`;
  return new RequestError(message, { kind: "permanent", code: "UnknownEnd" });
}

/** Returns why a response is no result, although the SDK takes it for one: a 503, or a page of HTML. */
function failureOfResult(response: ResponseParts): RequestError | undefined {
  if (response.status >= 300) return errorOfResponse(response);
  try {
    void lroResponseOf(response).body;
    return undefined;
  } catch (cause) {
    return errorOfResponse(response, cause);
  }
}

function runningStateOf({ status }: SdkState<unknown>, report: StatusReport | undefined): OperationState {
  const word = report?.fields.status;
  if (word !== undefined && !isTerminal(word)) return word;
  return status?.toLowerCase() === "notstarted" ? "NotStarted" : "Running";
}

/** The states of some older SDKs have a percentage, beside fields that are none of the service's. */
function percentageIn(state: SdkState<unknown>): Fields {
  return Object.fromEntries(Object.entries(state).filter(([name]) => percentageFields.includes(name)));
}

function bodyOf(response: ResponseParts): unknown {
  try {
    return lroResponseOf(response).body;
  } catch {
    return undefined;
  }
}

/** Returns the service's whole error where a response has it; else what the SDK has kept of it. */
function errorIn(
  { error, result }: SdkState<unknown>,
  bodies: readonly unknown[],
): OperationError | undefined {
  const response = responseIn(result);
  const candidates = response ? [...bodies, bodyOf(response)] : bodies;
  for (const body of candidates) {
    const found = isObject(body) ? findError(body) : undefined;
    if (found) return found;
  }
  return error && parseOperationError(errorFields(error));
}

/** Not all fields: an SDK's error may hold the request, and its token. */
function errorFields(error: Error): object {
  const { message }: Error = error;
  const known = Object.entries(error).filter(([name]) =>
    ["code", "target", "details", "innererror"].includes(name),
  );
  return { message, ...Object.fromEntries(known) };
}
