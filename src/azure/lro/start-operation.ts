import type { PipelineResponse } from "@azure/core-rest-pipeline";
import type { Operation } from "../../operation/operation.ts";
import { Listeners } from "../../poller/listeners.ts";
import { resolveOptions } from "../../poller/options.ts";
import type { PollOptions } from "../../poller/options.ts";
import { createPoller } from "../../poller/poller.ts";
import type { Poller } from "../../poller/poller.ts";
import { absoluteAt } from "../http/audiences.ts";
import { checkHeaders, parseAllowedOrigins, withApiVersion } from "../http/validation.ts";
import { describeValue } from "../../redaction.ts";
import { checkBoolean, checkDuration, checkFunction } from "../../validate.ts";
import { checkCancel } from "./cancel-request.ts";
import type { CancelRequestOrFunction } from "./cancel-request.ts";
import { repeatabilityHeaders, sendInitialRequest } from "./initial-request.ts";
import type { InitialRequest } from "./initial-request.ts";
import type { FinalStateVia } from "./protocol.ts";
import { logger } from "../telemetry/logger.ts";
import { LroOperation, initialResponseOf } from "./lro-operation.ts";
import type { InitialResponse, LroOperationOptions } from "./lro-operation.ts";
import type { Attempt, OriginBoundPipeline } from "../http/origin-bound-pipeline.ts";

/** Options of {@link startOperation}, and of the wait for the operation. */
export interface StartOperationOptions<TResult = unknown> extends PollOptions<TResult> {
  /** `final-state-via` of the API's description. Default: by the request's method and the response's headers. */
  readonly finalStateVia?: FinalStateVia;
  /** Origins, besides that of the request, to which responses may lead, such as a gateway's. Default: none. */
  readonly allowedOrigins?: readonly string[];
  /** Makes the result of the body that holds it. An error that it throws ends the wait. Default: the body as it is. */
  readonly parseResult?: (body: unknown) => TResult;
  /**
   * The maximum time of one attempt of the initial request, its response's body included. Default 120 000, or
   * `requestTimeoutInMs` if that is longer.
   */
  readonly startTimeoutInMs?: number;
  /**
   * Whether to send the headers `Repeatability-Request-ID` and `Repeatability-First-Sent`, the same with each repetition.
   * A service that supports them processes the request once, so that a POST may be repeated like a PUT. Default false.
   */
  readonly repeatability?: boolean;
  /**
   * The request that cancels the operation, for {@link Poller.cancelOperation}, or a function that makes it of the URL to
   * poll. Default: known where the URL of the operation tells it, as that of a deployment.
   */
  readonly cancel?: CancelRequestOrFunction;
  /** Called with the initial response, before the first poll. An error that it throws is logged. */
  readonly onStarted?: (started: InitialResponse) => unknown;
}

/**
 * A poller of an operation that this library starts. Disposing of it lets an initial request under way finish, but does
 * not repeat it. Without the response it would be unknown whether the operation has started.
 */
export interface StartedPoller<TResult = unknown> extends Poller<TResult> {
  /**
   * The initial response.
   *
   * @throws {@link OperationStartError} if the initial request fails
   */
  readonly started: Promise<InitialResponse>;
}

/** The parts of a start that a kind of operation has of its own. */
interface StartHooks<TResult> {
  /** Makes the operation to poll. Default: the operation as it is. */
  readonly follow?: (operation: Operation<TResult>) => Operation<TResult>;
  /** Returns another response in place of a start that failed, or throws. */
  readonly recover?: (error: unknown) => Promise<PipelineResponse>;
}

/** The service that a start goes to. */
interface StartService<TResult> extends Pick<
  LroOperationOptions<TResult>,
  "apiVersion" | "resourceProvider" | "onResponse"
> {
  readonly endpoint: URL;
}

/** Starts an operation through a pipeline at once, and returns its poller. */
export function startAndFollow<TResult>(
  pipeline: OriginBoundPipeline,
  request: InitialRequest,
  options: StartOperationOptions<TResult>,
  { endpoint, ...service }: StartService<TResult>,
  { follow, recover }: StartHooks<TResult> = {},
): StartedPoller<TResult> {
  const { finalStateVia, allowedOrigins = [], parseResult, onStarted, cancel, ...pollOptions } = options;
  const { method } = request;
  checkMethod(method);
  const url = withApiVersion(request.url, service.apiVersion);
  // Before anything is sent: an operation that is started, but then not polled, would be lost.
  const settings = resolveOptions(pollOptions);
  if (request.headers !== undefined) checkHeaders("request.headers", request.headers);
  const { startTimeoutInMs = Math.max(120_000, settings.requestTimeoutInMs), repeatability } = options;
  checkDuration("startTimeoutInMs", startTimeoutInMs, { positive: true, allowInfinity: true });
  if (parseResult !== undefined) checkFunction("parseResult", parseResult);
  if (onStarted !== undefined) checkFunction("onStarted", onStarted);
  checkFinalStateVia(finalStateVia);
  if (repeatability !== undefined) checkBoolean("repeatability", repeatability);
  const headers = {
    ...(repeatability && repeatabilityHeaders(settings.clock.timestamp())),
    ...request.headers,
  };
  const body = request.body === undefined ? undefined : JSON.stringify(request.body);
  const origins = parseAllowedOrigins(allowedOrigins);
  const allowed = pipeline.allowing(origins);
  const cancelRequest = checkCancel(cancel, absoluteAt(endpoint, origins));
  const retries = new AbortController();
  const { tracingOptions } = pollOptions;
  const send = (attempt: Attempt, abortSignal: AbortSignal): Promise<PipelineResponse> =>
    allowed.send({ method, url, headers, body, abortSignal, tracingOptions, attempt });
  const accepted = sendInitialRequest(
    { ...request, headers },
    send,
    { ...settings, startTimeoutInMs },
    retries,
  );
  const response = recover ? accepted.catch(recover) : accepted;
  const operation = new LroOperation<TResult>(
    {
      ...service,
      pipeline: allowed,
      parseResult,
      headers: headersOfPolls(headers),
      cancel: cancelRequest,
      logger,
    },
    { request: { method, url, finalStateVia }, response },
  );
  const started = response.then(initialResponseOf);
  const listeners = new Listeners<InitialResponse>(logger, onStarted);
  // Callers that wait get the error; without any, it must not end the process.
  started.then((value) => listeners.notify(value)).catch(() => {});
  return startedPoller(createPoller(follow?.(operation) ?? operation, pollOptions), started, retries);
}

const methods: ReadonlySet<unknown> = new Set(["DELETE", "GET", "PATCH", "POST", "PUT"]);

function checkMethod(method: unknown): void {
  if (methods.has(method)) return;
  const expected = Array.from(methods).join(", ");
  throw new RangeError(`request.method: expected one of ${expected}, got ${describeValue(method)}`);
}

const finalStatesVia: ReadonlySet<unknown> = new Set<FinalStateVia>([
  "azure-async-operation",
  "location",
  "operation-location",
  "original-uri",
]);

function checkFinalStateVia(value: unknown): void {
  if (value === undefined || finalStatesVia.has(value)) return;
  const expected = Array.from(finalStatesVia).join(", ");
  throw new RangeError(`finalStateVia: expected one of ${expected}, got ${describeValue(value)}`);
}

function startedPoller<TResult>(
  poller: Poller<TResult>,
  started: Promise<InitialResponse>,
  retries: AbortController,
): StartedPoller<TResult> {
  const dispose = poller[Symbol.asyncDispose].bind(poller);
  return Object.defineProperties(Object.assign(poller, { started }), {
    // Hidden from console.log and, by the getter, from `showHidden`: its headers have signed URLs among them.
    started: { enumerable: false, get: () => started },
    [Symbol.asyncDispose]: {
      value: () => {
        retries.abort();
        return dispose();
      },
    },
  });
}

/** Leaves out headers that belong to the initial request alone: the service would reject a poll with them. */
function headersOfPolls(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const isLeftOut = /^(content-|if-|repeatability-|prefer$)/i;
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !isLeftOut.test(name)));
}
