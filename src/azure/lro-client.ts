import type { TokenCredential } from "@azure/core-auth";
import { systemClock } from "../clock.ts";
import type { Operation } from "../operation/operation.ts";
import type { TerminalStates } from "../operation/status.ts";
import type { PollOptions } from "../poller/options.ts";
import { resumePoller } from "../poller/poller.ts";
import type { Poller } from "../poller/poller.ts";
import { describeValue } from "../redaction.ts";
import type { ResumeToken } from "../state/resume-token.ts";
import { checkFunction } from "../validate.ts";
import { absoluteAt, allowing, atFabricApi, scopeOf } from "./http/audiences.ts";
import { boundPipelineOf, createOriginBoundPipeline } from "./http/origin-bound-pipeline.ts";
import type { CommonClientOptions, SdkPipeline } from "./http/origin-bound-pipeline.ts";
import {
  checkApiVersion,
  checkHeaders,
  parseAllowedOrigins,
  parseEndpoint,
  parseUrl,
} from "./http/validation.ts";
import type { OperationReference } from "./http/validation.ts";
import { checkCancel } from "./lro/cancel-request.ts";
import type { CancelRequestOrFunction } from "./lro/cancel-request.ts";
import { checkCondition } from "./lro/condition.ts";
import type { Condition } from "./lro/condition.ts";
import type { InitialRequest } from "./lro/initial-request.ts";
import { LroOperation } from "./lro/lro-operation.ts";
import { checkPollingKind } from "./lro/protocol.ts";
import type { PollingKind, PollingLocation } from "./lro/protocol.ts";
import { parseTokenFor } from "./lro/resume.ts";
import { startAndFollow } from "./lro/start-operation.ts";
import type { StartOperationOptions, StartedPoller } from "./lro/start-operation.ts";
import { StatusOperation, devCenterContext } from "./lro/status-operation.ts";
import type { ClientContext } from "./lro/status-operation.ts";
import { logger } from "./telemetry/logger.ts";

/** Options of an {@link LroClient}. */
export interface LroClientOptions extends CommonClientOptions {
  /** The api-version of requests whose URL has none. Default: none is added. */
  readonly apiVersion?: string;
  /**
   * The scopes of the tokens, such as `https://management.azure.com/.default`. Default: those of the endpoint's host, if
   * it is one of Azure's services. Any other host needs them.
   */
  readonly scopes?: string | readonly string[];
}

/** Options of {@link LroClient.operationAt}, and of operations that are resumed. */
export interface OperationAtOptions<TResult = unknown> {
  /**
   * How the URL reports the status. Default: told by the first response. A body with a `status` is that of a status
   * monitor, except for a resource's own word such as `Online`.
   */
  readonly kind?: PollingKind;
  /** The URL of the result, once the operation has succeeded. Default: by the responses. */
  readonly resultUrl?: string;
  /** Makes the result of the body that holds it. Default: the body as it is. */
  readonly parseResult?: (body: unknown) => TResult;
  /** Words of the service that end the operation, beyond the known ones, unless the wait has its own. */
  readonly terminalStates?: TerminalStates;
  /**
   * The request that cancels the operation, for {@link Poller.cancelOperation}, or a function that makes it of the URL to
   * poll. Default: known where the URL of the operation tells it, as that of a deployment.
   */
  readonly cancel?: CancelRequestOrFunction;
  /** Headers of each poll, and of the request to cancel. Default: none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Origins, besides the client's, to which the URL and responses may lead, such as a gateway's. Default: none. */
  readonly allowedOrigins?: readonly string[];
}

/** Options of {@link LroClient.operationAt} that wait for a condition of a resource. */
export interface ConditionOptions<TResult = unknown>
  extends Condition<TResult>, Pick<OperationAtOptions<TResult>, "headers" | "allowedOrigins"> {}

/** The parts of a wait that a token does not hold. */
type GivenAnew<TResult> = {
  readonly [Name in "parseResult" | "headers" | "allowedOrigins" | "cancel"]?:
    | OperationAtOptions<TResult>[Name]
    | undefined;
} & { readonly [Name in keyof Condition]?: Condition<TResult>[Name] | undefined };

/** Options of {@link LroClient.resume}. They give anew what the token does not hold. */
export interface ResumeOptions<TResult = unknown>
  extends
    PollOptions<TResult>,
    Pick<OperationAtOptions<TResult>, "parseResult" | "headers" | "allowedOrigins" | "cancel">,
    Partial<Condition<TResult>> {}

/** A parsed and checked resume token, and its operation. */
export interface ParsedResumeToken<TResult = unknown> {
  /** The state of the wait when the token was written. */
  readonly token: ResumeToken;
  /** The operation to poll. */
  readonly operation: Operation<TResult>;
}

/**
 * A client for the long-running operations of any Azure service: it polls them by URL, starts them, and resumes waits.
 *
 * @example
 * ```ts
 * const client = new LroClient("https://management.azure.com", new DefaultAzureCredential());
 * const result = await pollUntilDone(client.operationAt(asyncOperationUrl));
 * ```
 */
export class LroClient {
  readonly #context: ClientContext;

  /**
   * @param endpoint - the service's URL; requests go to its origin
   * @param credential - any of `@azure/identity`, or `{ pipeline }` of an Azure SDK's client; without one, requests have
   * no token
   * @throws TypeError or RangeError that names the argument. A credential needs https; plain http is for this machine
   */
  constructor(endpoint: string, credential?: TokenCredential | SdkPipeline, options: LroClientOptions = {}) {
    this.#context = contextOf(endpoint, credential, options);
  }

  /** @internal */
  protected get context(): ClientContext {
    return this.#context;
  }

  /** @internal The namespace of Azure Resource Manager, for traces. Default: by the URL. */
  protected get resourceProvider(): string | undefined {
    return undefined;
  }

  /**
   * Returns an operation to poll: by its status monitor, its polling location, or the resource that it changes. Its kind
   * is told by the first response. Sends nothing.
   *
   * With `until`, it waits for a condition of a resource instead.
   *
   * @example
   * ```ts
   * const operation = client.operationAt(response.headers.get("azure-asyncoperation") ?? "");
   * const gone = client.operationAt(resourceId, { until: "deleted" });
   * ```
   * @param url - a URL of the endpoint's origin, absolute or relative; an Azure resource id is one
   * @throws TypeError or RangeError that names the argument, if it is no URL or of another origin
   */
  operationAt<TResult = unknown>(
    url: string,
    options: OperationAtOptions<TResult> | ConditionOptions<TResult> = {},
  ): Operation<TResult> {
    const {
      kind,
      resultUrl,
      allowedOrigins = [],
      ...rest
    }: OperationAtOptions<TResult> & Partial<Condition<TResult>> = options;
    const { endpoint } = this.#context;
    const allowed = parseAllowedOrigins(allowedOrigins);
    const parse = absoluteAt(endpoint, allowed);
    const location = {
      kind: kind === undefined ? ("auto" as const) : checkPollingKind(kind),
      monitorUrl: parse("url", atFabricApi(url, endpoint)),
      ...(resultUrl !== undefined && {
        resultUrl: parse("resultUrl", resultUrl),
        isResultUrlGiven: true as const,
      }),
    };
    return this.#operation(location, rest, allowed);
  }

  /**
   * Starts an operation by any request to this client's endpoint, at once, and returns its poller.
   *
   * The poller follows a status monitor (`Operation-Location`, `Azure-AsyncOperation`), a polling location (`Location`)
   * or the resource's `provisioningState`. `poller.started` is the initial response.
   *
   * @throws TypeError or RangeError if the URL is not this client's or an option is wrong, before anything is sent
   */
  startOperation<TResult = unknown>(
    request: InitialRequest,
    options: StartOperationOptions<TResult> = {},
  ): StartedPoller<TResult> {
    const { resourceProvider } = this;
    const { endpoint, pipeline, apiVersion } = this.#context;
    const url = parseUrl("request.url", request.url, endpoint, allowing(endpoint, []));
    const service = { endpoint, apiVersion, resourceProvider };
    return startAndFollow(pipeline, { ...request, url }, options, service);
  }

  /**
   * Returns a poller that continues a wait of another poller: its elapsed time, its progress and its Retry-After. The
   * rest of its `timeoutInMs` counts too; a new one in the options counts from now. Sends nothing until a caller waits.
   *
   * @example
   * ```ts
   * const poller = client.resume(await readFile("token.json", "utf8"), { timeoutInMs: 600_000 });
   * const result = await poller.pollUntilDone();
   * ```
   * @param token - the text of `JSON.stringify(poller)`, the same parsed, or the text of core-lro's `serialize()`
   * @throws {@link ContractError} that names what is wrong with the token, RangeError if its origin, endpoint or
   * api-version is not this client's; TypeError or RangeError that names an option that is wrong
   */
  resume<TResult = unknown>(
    token: string | ResumeToken,
    options: ResumeOptions<TResult> = {},
  ): Poller<TResult> {
    const { allowedOrigins, parseResult, headers, cancel, until, failIf, confirmations, ...pollOptions } =
      options;
    const now = (pollOptions.clock ?? systemClock).timestamp();
    const given = { allowedOrigins, parseResult, headers, cancel, until, failIf, confirmations };
    const { operation, token: parsed } = this.#parse<TResult>(token, given, now);
    return resumePoller(operation, parsed, pollOptions);
  }

  /**
   * Parses and checks a resume token without a poller: for a queue's worker, for example.
   *
   * @throws like {@link LroClient.resume}
   */
  parseResumeToken<TResult = unknown>(
    token: string | object,
    options: GivenAnew<TResult> = {},
  ): ParsedResumeToken<TResult> {
    return this.#parse<TResult>(token, options, systemClock.timestamp());
  }

  /** @internal Returns the operation of DevCenter that a token names. */
  protected operationOf<TResult>(reference: OperationReference, apiVersion: string): Operation<TResult> {
    const context = devCenterContext(this.#context, apiVersion);
    return new StatusOperation<TResult>(context, reference.projectName, reference.operationId);
  }

  #parse<TResult>(
    token: unknown,
    { allowedOrigins = [], ...options }: GivenAnew<TResult>,
    now: number,
  ): ParsedResumeToken<TResult> {
    const allowed = parseAllowedOrigins(allowedOrigins);
    const { endpoint, apiVersion } = this.#context;
    const target = { endpoint, apiVersion, isAllowed: allowing(endpoint, allowed) };
    const { token: parsed, operation } = parseTokenFor(token, target, now);
    const isCondition = "kind" in operation && operation.kind === "condition";
    if (options.until !== undefined && !isCondition) {
      throw new TypeError("until: expected the token of a wait for a condition, got that of an operation");
    }
    return {
      token: parsed,
      operation:
        "kind" in operation
          ? this.#operation<TResult>(operation, options, allowed)
          : this.operationOf<TResult>(operation, operation.apiVersion),
    };
  }

  #operation<TResult>(
    { cancel: savedCancel, ...location }: PollingLocation,
    {
      cancel,
      until,
      failIf,
      confirmations,
      ...given
    }: GivenAnew<TResult> & Pick<OperationAtOptions, "terminalStates">,
    allowed: readonly string[],
  ): Operation<TResult> {
    const { parseResult, headers, terminalStates } = given;
    if (headers !== undefined) checkHeaders("headers", headers);
    if (parseResult !== undefined) checkFunction("parseResult", parseResult);
    const condition = until === undefined ? undefined : checkCondition({ until, failIf, confirmations });
    if (condition === undefined && location.kind === "condition") {
      throw new TypeError("until: expected the condition of the wait, because its token does not hold it");
    }
    const { resourceProvider } = this;
    const { apiVersion } = this.#context;
    const pipeline = this.#context.pipeline.allowing(allowed);
    const absolute = absoluteAt(this.#context.endpoint, allowed);
    const options = {
      pipeline,
      apiVersion,
      resourceProvider,
      parseResult,
      headers,
      terminalStates,
      condition,
      cancel: checkCancel(cancel, absolute) ?? savedCancel,
      logger,
    };
    return new LroOperation<TResult>(options, condition ? { ...location, kind: "condition" } : location);
  }
}

/** Returns the facts that the operations of a client share. */
export function contextOfClient(client: LroClient): ClientContext {
  // Only the entries of this package may use it.
  // oxlint-disable-next-line typescript/dot-notation
  return client["context"];
}

function contextOf(
  endpoint: string,
  credential: TokenCredential | SdkPipeline | undefined,
  options: LroClientOptions,
): ClientContext {
  const apiVersion = options.apiVersion === undefined ? undefined : checkApiVersion(options.apiVersion);
  if (isSdkPipeline(credential)) {
    const url = parseEndpoint(endpoint, false);
    return { endpoint: url, apiVersion, pipeline: boundPipelineOf(url, credential) };
  }
  checkCredential(credential);
  const url = parseEndpoint(endpoint, credential !== undefined);
  const scopes = credential === undefined ? [] : scopesFor(url, options.scopes);
  return { endpoint: url, apiVersion, pipeline: createOriginBoundPipeline(url, scopes, credential, options) };
}

function isSdkPipeline(value: unknown): value is SdkPipeline {
  return typeof value === "object" && value !== null && "pipeline" in value;
}

/** @throws TypeError or RangeError that names `scopes` */
function scopesFor(endpoint: URL, scopes: LroClientOptions["scopes"]): string | string[] {
  if (scopes === undefined) return scopeOf(endpoint);
  const list: readonly unknown[] = typeof scopes === "string" ? [scopes] : scopes;
  const isList =
    Array.isArray(list) &&
    list.length > 0 &&
    list.every((scope) => typeof scope === "string" && scope !== "");
  if (isList) return typeof scopes === "string" ? scopes : [...scopes];
  throw new TypeError(`scopes: expected a text or a list of texts, got ${describeValue(scopes)}`);
}

/** Returns whether requests of a client may go to a URL besides its own origin. */
/** In JavaScript a token's text is easily taken for a credential, which would fail much later. */
function checkCredential(credential: unknown): asserts credential is TokenCredential | undefined {
  const isCredential = typeof credential === "object" && credential !== null && "getToken" in credential;
  if (credential === undefined || isCredential) return;
  throw new TypeError(`credential: expected an object with getToken(), got ${typeof credential}`);
}

/** The sender of the requests: a client, or a pipeline that signs them. */
export type OperationSender =
  | { readonly client: Pick<LroClient, "startOperation"> }
  | (SdkPipeline & {
      /** The api-version for URLs that have none. */
      readonly apiVersion?: string;
    });

/**
 * Starts an operation at once, and returns its poller: `client.startOperation` without a client.
 *
 * The poller follows a status monitor (`Operation-Location`, `Azure-AsyncOperation`), a polling location (`Location`)
 * or the resource's `provisioningState`. `pollUntilDone` resolves with the result, or rejects like that of any poller.
 * It rejects with an {@link OperationStartError} if the initial request fails.
 *
 * The initial request is repeated, three times at most, where that is safe. A PUT, DELETE or GET is repeated after any
 * transient error, and so is any request with `repeatability`. Others are repeated only if the service did not process
 * them (429, no connection).
 *
 * @example
 * ```ts
 * const poller = startOperation({ method: "PUT", url, body: { location: "westeurope" } }, { pipeline });
 * const resource = await poller.pollUntilDone();
 * ```
 * @throws TypeError or RangeError that names the option or the URL that is wrong, before anything is sent
 */
export function startOperation<TResult = unknown>(
  request: InitialRequest,
  options: StartOperationOptions<TResult> & OperationSender,
): StartedPoller<TResult> {
  if ("client" in options) return options.client.startOperation(request, options);
  const { pipeline, httpClient, apiVersion, ...rest } = options;
  const { url } = request;
  if (!URL.canParse(url)) throw new TypeError(`request.url: expected an absolute URL, got a ${typeof url}`);
  const sdk = httpClient === undefined ? { pipeline } : { pipeline, httpClient };
  const endpoint = new URL(url);
  const bound = boundPipelineOf(endpoint, sdk);
  return startAndFollow(bound, request, rest, { endpoint, apiVersion });
}
