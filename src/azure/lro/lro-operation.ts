import type { PipelineResponse } from "@azure/core-rest-pipeline";
import type { Clock } from "../../clock.ts";
import { ContractError, RequestError, messageOf } from "../../operation/errors.ts";
import type { Limiter } from "../../operation/limiter.ts";
import type {
  CancelRequestOptions,
  GetStatusOptions,
  Operation,
  PollLogger,
  PollerObserver,
  PollerSnapshot,
  StatusResponse,
  TracingOptions,
} from "../../operation/operation.ts";
import type { OperationStatus, StatusFields, TerminalStates } from "../../operation/status.ts";
import type { OriginBoundPipeline } from "../http/origin-bound-pipeline.ts";
import { ageOf, errorOfResponse, metadataOf, parseBody, parseResponse } from "../http/response.ts";
import type { ResponseMetadata } from "../http/response.ts";
import { observePoller, pollerSpanName, resourceProviderOf } from "../telemetry/observers.ts";
import { withApiVersion } from "../http/validation.ts";
import { isResourceMissing, lroResponseOf, parsePoll } from "./lro-response.ts";
import { nameOf, parseInitialResponse } from "./protocol.ts";
import { sendCancelRequest } from "./cancel.ts";
import { knownCancelRequest } from "./cancel-request.ts";
import type { CancelRequest, CancelRequestOrFunction } from "./cancel-request.ts";
import { ConditionCheck } from "./condition.ts";
import type { Condition } from "./condition.ts";
import type { InitialRequestInfo, PollingLocation, StatusReport } from "./protocol.ts";

/** The response to the initial request. */
export interface InitialResponse {
  /** The HTTP status: 200, 201, 202 or 204. */
  readonly statusCode: number;
  /** The headers, by their lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** The resource, or the first status; `undefined` if the body is empty, text if it is no JSON. */
  readonly body: unknown;
}

/** Options of an {@link LroOperation}. */
export interface LroOperationOptions<TResult> {
  readonly pipeline: OriginBoundPipeline;
  /** Makes the result of the body that holds it. Default: the body as it is. */
  readonly parseResult?: ((body: unknown) => TResult) | undefined;
  /** The api-version for URLs that have none. */
  readonly apiVersion?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Waits for a condition of the resource at the URL, in place of the end of an operation. */
  readonly condition?: Condition<TResult> | undefined;
  /** Words that end the operation, unless the wait has its own. */
  readonly terminalStates?: TerminalStates | undefined;
  /** The request that cancels the operation, with an absolute URL. Default: by the URL, where it tells. */
  readonly cancel?: CancelRequestOrFunction | undefined;
  readonly logger: PollLogger;
  /** Takes each response, before it is parsed. */
  readonly onResponse?: ((response: PipelineResponse) => void) | undefined;
  /** The namespace of Azure Resource Manager, for traces. Default: by the URL. */
  readonly resourceProvider?: string | undefined;
}

/** An initial request that is under way. */
interface Start {
  readonly request: InitialRequestInfo;
  readonly response: Promise<PipelineResponse>;
}

/** The result of an operation that has succeeded, at a URL of its own. */
interface PendingResult {
  readonly location: PollingLocation;
  readonly url: string;
  readonly fields: StatusFields;
}

/** The task of the next poll: take the initial response, request the status, or request the result. */
type Stage =
  | ({ readonly at: "start" } & Start)
  | { readonly at: "status"; readonly location: PollingLocation }
  | ({ readonly at: "result" } & PendingResult);

/** An operation of any Azure service, from its initial request to its result. */
export class LroOperation<TResult> implements Operation<TResult> {
  readonly logger: PollLogger;
  readonly #options: LroOperationOptions<TResult>;
  /** Whether this client has sent the initial request. */
  readonly #wasStarted: boolean;
  /** The request to cancel that the URL of the initial request tells. */
  readonly #firstCancel: CancelRequest | undefined;
  #stage: Stage;
  #firstLocation: PollingLocation | undefined;
  /** The reason why the result could not be parsed. The next poll fails with it. */
  #parseFailure: RequestError | undefined;
  readonly #conditionCheck: ConditionCheck<TResult> | undefined;

  constructor(options: LroOperationOptions<TResult>, from: PollingLocation | Start) {
    this.logger = options.logger;
    this.#options = options;
    this.#conditionCheck = options.condition && new ConditionCheck(options.condition);
    this.#stage = "response" in from ? { at: "start", ...from } : { at: "status", location: from };
    this.#wasStarted = "response" in from;
    this.#firstCancel =
      "response" in from && from.request.method === "PUT" ? knownCancelRequest(from.request.url) : undefined;
    if ("response" in from) void this.#noteLocation(from);
  }

  get id(): string {
    const stage = this.#stage;
    if (stage.at !== "start") return nameOf(stage.location.monitorUrl);
    return `${stage.request.method} ${nameOf(stage.request.url)}`;
  }

  get initialRequest(): Promise<unknown> | undefined {
    return this.#stage.at === "start" ? this.#stage.response : undefined;
  }

  get needsNoRequest(): boolean {
    return this.#stage.at === "start" || this.#parseFailure !== undefined;
  }

  limiterFor(clock: Clock): Limiter {
    const stage = this.#stage;
    return this.#options.pipeline.limiterFor(clock, "url" in stage ? stage.url : this.#url);
  }

  observe(snapshot: PollerSnapshot, tracingOptions?: TracingOptions): PollerObserver | undefined {
    const url = (): string => this.#url;
    const { resourceProvider = resourceProviderOf(this.#url) } = this.#options;
    return observePoller({ spanName: pollerSpanName, resourceProvider, url }, snapshot, tracingOptions);
  }

  get #url(): string {
    const stage = this.#stage;
    return stage.at === "start" ? stage.request.url : stage.location.monitorUrl;
  }

  getStatus(options: GetStatusOptions): Promise<StatusResponse<TResult>> {
    const stage = this.#stage;
    const parseFailure = this.#parseFailure;
    this.#parseFailure = undefined;
    if (parseFailure) return Promise.reject(parseFailure);
    switch (stage.at) {
      case "start":
        return this.#takeInitialResponse(stage, options);
      case "status":
        return this.#requestStatus(stage.location, options);
      case "result":
        return this.#requestResult(stage, options);
    }
  }

  /** Asks the service to cancel the operation; `undefined` where it has no request for that, or none is known. */
  get cancel(): ((options: CancelRequestOptions) => Promise<void>) | undefined {
    const isKnown = this.#options.cancel !== undefined || this.#cancelRequest !== undefined;
    return isKnown ? (options) => this.#sendCancel(options) : undefined;
  }

  /** @throws an error of the caller's own function */
  get #cancelRequest(): CancelRequest | undefined {
    const url = this.#location?.monitorUrl;
    const { cancel } = this.#options;
    if (typeof cancel === "function") return url === undefined ? undefined : cancel(url);
    if (cancel !== undefined || this.#conditionCheck !== undefined) return cancel;
    return this.#firstCancel ?? knownCancelRequest(url);
  }

  #madeCancelRequest(): CancelRequest | undefined {
    try {
      return this.#cancelRequest;
    } catch (cause) {
      throw new RequestError(messageOf(cause), { kind: "permanent", code: "CancelNotSent", cause });
    }
  }

  async #sendCancel(options: CancelRequestOptions): Promise<void> {
    const { pipeline, apiVersion, headers } = this.#options;
    const request = this.#madeCancelRequest();
    if (request === undefined) return;
    const { method, url, body } = request;
    const parts = {
      method,
      url: withApiVersion(url, apiVersion),
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      tracingOptions: options.tracingOptions,
    };
    await sendCancelRequest(pipeline, parts, options);
  }

  /** Two initial requests are two operations, and so are two waits with functions of their own. */
  isSameAs(other: Operation): boolean {
    return (
      other instanceof LroOperation &&
      this.#namesItself &&
      other.#namesItself &&
      other.#options.pipeline === this.#options.pipeline &&
      JSON.stringify(other) === JSON.stringify(this)
    );
  }

  get #namesItself(): boolean {
    const { parseResult, headers, condition, terminalStates } = this.#options;
    const isPlain = [parseResult, headers, condition, terminalStates].every((option) => option === undefined);
    return isPlain && this.#stage.at !== "start";
  }

  toJSON(): object {
    const location = this.#location;
    if (location === undefined) return { initialRequest: this.id };
    // The client that resumes the wait may have no api-version.
    const versioned = (url: string): string => withApiVersion(url, this.#options.apiVersion);
    const resultUrl = location.resultUrl === undefined ? undefined : versioned(location.resultUrl);
    const monitorUrl = versioned(location.monitorUrl);
    return { pollingLocation: { ...location, monitorUrl, resultUrl, cancel: this.#cancelOfToken() } };
  }

  get #location(): PollingLocation | undefined {
    return this.#stage.at === "start" ? this.#firstLocation : this.#stage.location;
  }

  /** Returns the request to cancel, unless the URL of the polls tells it too. */
  #cancelOfToken(): CancelRequest | undefined {
    try {
      const request = this.#cancelRequest;
      const known = knownCancelRequest(this.#location?.monitorUrl);
      if (request === undefined || JSON.stringify(request) === JSON.stringify(known)) return undefined;
      return { ...request, url: withApiVersion(request.url, this.#options.apiVersion) };
    } catch {
      // The caller's own function: a token without it is better than none.
      return undefined;
    }
  }

  /** Makes the resume token useful as soon as the operation has started, before the first poll. */
  async #noteLocation({ request, response }: Start): Promise<void> {
    try {
      const { terminalStates } = this.#options;
      const parsed = parseInitialResponse(request, lroResponseOf(await response, terminalStates));
      this.#firstLocation = parsed.pollingLocation;
    } catch {
      // The first poll fails with it.
    }
  }

  async #takeInitialResponse(
    { request, response: sent }: Start,
    options: GetStatusOptions,
  ): Promise<StatusResponse<TResult>> {
    const response = await sent;
    options.abortSignal.throwIfAborted();
    return this.#applyReport(response, () =>
      parseInitialResponse(request, lroResponseOf(response, this.#terminalStates(options))),
    );
  }

  #terminalStates({ terminalStates }: GetStatusOptions): TerminalStates | undefined {
    return terminalStates ?? this.#options.terminalStates;
  }

  async #requestStatus(
    location: PollingLocation,
    options: GetStatusOptions,
  ): Promise<StatusResponse<TResult>> {
    const check = this.#conditionCheck;
    const request = this.#get(location.monitorUrl, options);
    const response = await (check === undefined
      ? request.catch((error: unknown) => this.#throwAsContinuing(error))
      : request);
    if (check !== undefined)
      return this.#applyReport(response, () => check.report(resourceIn(response), location));
    return this.#applyReport(response, () => parsePoll(location, response, this.#terminalStates(options)));
  }

  /** Adds to a refusal that it is none of the initial request. */
  #throwAsContinuing(error: unknown): never {
    if (!this.#wasStarted || !(error instanceof RequestError) || error.code !== "OriginRefused") throw error;
    const { message, kind, code, statusCode } = error;
    const text = `${message}; the operation has started and continues`;
    throw new RequestError(text, { kind, code, statusCode, cause: error });
  }

  async #requestResult(
    { url, fields, location }: PendingResult,
    options: GetStatusOptions,
  ): Promise<StatusResponse<TResult>> {
    const response = await this.#get(url, options);
    // Microsoft Fabric's way to say that there is none.
    const hasNoResult = response.status === 400 && errorOfResponse(response).code === "OperationHasNoResult";
    if (!hasNoResult) throwUnlessSuccessful(response);
    return this.#applyReport(response, () => ({
      fields: { ...fields, properties: hasNoResult ? undefined : resultOf(response) },
      pollingLocation: location,
    }));
  }

  async #get(url: string, options: GetStatusOptions): Promise<PipelineResponse> {
    const { pipeline, apiVersion, headers } = this.#options;
    const request = { method: "GET", url: withApiVersion(url, apiVersion), headers } as const;
    const response = await pipeline.send({ ...request, ...options });
    // A response that comes too late must not undo the stage of a later poll.
    options.abortSignal.throwIfAborted();
    return response;
  }

  /** Changes to the stage that a report leads to. */
  #applyReport(response: PipelineResponse, parse: () => StatusReport): StatusResponse<TResult> {
    this.#options.onResponse?.(response);
    const responseMetadata = metadataOf(response);
    // A broken initial response stays broken: the service sends it once.
    const kind = this.#stage.at === "start" ? "permanent" : "transient";
    const { fields, pollingLocation: location } = parseResponse(parse, responseMetadata, kind);
    // An operation that this wait has started is new, whatever time its resource has.
    const ageInMs = this.#stage.at === "start" ? undefined : ageOf(fields.startTime, response);
    const metadata = { ...responseMetadata, ageInMs };
    const isResultPending = fields.status === "Succeeded";
    const url = this.#stage.at === "result" ? undefined : location?.resultUrl;
    if (isResultPending && url === undefined) return this.#applyResult(fields, location, metadata);
    if (location) this.#stage = { at: "status", location };
    if (location && isResultPending && url !== undefined) {
      this.#stage = { at: "result", location, url, fields };
    }
    return { status: { ...this.#withName(fields), properties: undefined }, isResultPending, ...metadata };
  }

  /** A result that cannot be parsed fails the next poll: the operation has succeeded all the same. */
  #applyResult(
    fields: StatusFields,
    location: PollingLocation | undefined,
    metadata: ResponseMetadata,
  ): StatusResponse<TResult> {
    const status = this.#withName(fields);
    if (location && this.#stage.at === "start") this.#stage = { at: "status", location };
    try {
      return { status: { ...status, properties: this.#parseResult(fields.properties) }, ...metadata };
    } catch (error) {
      if (!(error instanceof RequestError) || this.#stage.at !== "status") throw error;
      this.#parseFailure = error;
      return { status: { ...status, properties: undefined }, isResultPending: true, ...metadata };
    }
  }

  /** Names a status by its URL if it has no name. */
  #withName(fields: StatusFields): OperationStatus {
    const { id = this.id, name = this.id } = fields;
    return { ...fields, id: String(id), name: String(name) };
  }

  #parseResult(body: unknown): TResult {
    const { parseResult } = this.#options;
    // Without a parser only the caller knows the result's type.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    if (parseResult === undefined) return body as TResult;
    try {
      return parseResult(body);
    } catch (cause) {
      throw new RequestError(`parseResult: ${messageOf(cause)}`, {
        kind: "permanent",
        code: "ResultNotParsed",
        cause,
      });
    }
  }
}

function throwUnlessSuccessful(response: PipelineResponse): void {
  if (response.status >= 300) throw errorOfResponse(response);
}

/** Returns the resource, or `undefined` if there is none. */
function resourceIn(response: PipelineResponse): unknown {
  if (response.status === 204) return undefined;
  if (isResourceMissing(response)) return undefined;
  throwUnlessSuccessful(response);
  return parseBody(response);
}

/** @throws {@link ContractError} if the service still prepares the result */
function resultOf(response: PipelineResponse): unknown {
  if (response.status === 202) throw new ContractError("$", "the result", "a response 202");
  return lroResponseOf(response).body;
}

/** Describes the response to the initial request. */
export function initialResponseOf(response: PipelineResponse): InitialResponse {
  return { statusCode: response.status, headers: response.headers.toJSON(), body: bodyOrText(response) };
}

function bodyOrText(response: PipelineResponse): unknown {
  try {
    return lroResponseOf(response).body;
  } catch {
    return response.bodyAsText;
  }
}
