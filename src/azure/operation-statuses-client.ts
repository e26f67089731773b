import type { TokenCredential } from "@azure/core-auth";
import { systemClock } from "../clock.ts";
import type { Operation, TracingOptions } from "../operation/operation.ts";
import type { OperationStatus } from "../operation/status.ts";
import type { PollOptions } from "../poller/options.ts";
import { createPoller, resumePoller } from "../poller/poller.ts";
import type { CallOptions, Poller } from "../poller/poller.ts";
import type { ResumeToken } from "../state/resume-token.ts";
import {
  checkApiVersion,
  checkOperationId,
  checkProjectName,
  defaultApiVersion,
  parseAllowedOrigins,
  parseEndpoint,
  parseOperationLocation,
  parseUrl,
} from "./http/validation.ts";
import { DevCenterOperations } from "./dev-center.ts";
import { logger } from "./telemetry/logger.ts";
import { LroOperation } from "./lro/lro-operation.ts";
import { pollerSpanName } from "./telemetry/observers.ts";
import { parseTokenFor } from "./lro/resume.ts";
import { startAndFollow } from "./lro/start-operation.ts";
import type { InitialRequest, StartOperationOptions, StartedPoller } from "./lro/start-operation.ts";
import { StatusOperation, resourceProvider } from "./lro/status-operation.ts";
import type { DevCenterContext } from "./lro/status-operation.ts";
import { createOriginBoundPipeline } from "./http/origin-bound-pipeline.ts";
import type { CommonClientOptions } from "./http/origin-bound-pipeline.ts";

/** Options of an {@link OperationStatusesClient}. */
export interface OperationStatusesClientOptions extends CommonClientOptions {
  /** The api-version of all requests. Default `2025-02-01`. */
  readonly apiVersion?: string;
}

/** Options of {@link OperationStatusesClient.getOperationStatus}. */
export interface GetOperationStatusOptions extends CallOptions {
  /** The parent of the call's span. Default: the active span. */
  readonly tracingOptions?: TracingOptions;
}

/** Options of {@link OperationStatusesClient.resume}. */
export interface ResumeOptions<P = unknown> extends PollOptions<P> {
  /** Origins, besides the client's, to which the token and responses may lead, such as a gateway's. Default: none. */
  readonly allowedOrigins?: readonly string[];
}

/** A parsed and checked resume token, and its operation. */
export interface ParsedResumeToken<P = unknown> {
  /** The state of the wait when the token was written. */
  readonly token: ResumeToken;
  /** The operation to poll. */
  readonly operation: Operation<P>;
}

const devCenterScope = "https://devcenter.azure.com/.default";

/**
 * A client for the operations of one DevCenter: it starts them, polls them and resumes waits.
 *
 * @example
 * ```ts
 * const client = new OperationStatusesClient(endpoint, new DefaultAzureCredential());
 * const properties = await pollUntilDone(client.operation("my-project", operationId));
 * ```
 */
export class OperationStatusesClient extends DevCenterOperations {
  readonly #context: DevCenterContext;

  /**
   * @param endpoint - the DevCenter's own URI, `https://{tenantId}-{devcenter}.{region}.devcenter.azure.com`
   * @param credential - any of `@azure/identity`; without one, requests have no token
   * @throws TypeError or RangeError that names the argument. A credential needs https; plain http is for this machine
   */
  constructor(endpoint: string, credential?: TokenCredential, options: OperationStatusesClientOptions = {}) {
    super();
    checkCredential(credential);
    const url = parseEndpoint(endpoint, credential !== undefined);
    const apiVersion = checkApiVersion(options.apiVersion ?? defaultApiVersion);
    const pipeline = createOriginBoundPipeline(url.origin, devCenterScope, credential, options);
    const query = `?api-version=${encodeURIComponent(apiVersion)}`;
    const projectsUrl = `${url.href}projects/`;
    this.#context = { endpoint: url, apiVersion, pipeline, projectsUrl, query, spanName: pollerSpanName };
  }

  /**
   * Polls an operation once, for at most 30 s, the wait for the rate limiter included. Rejects at once with the code
   * `Throttled` if the service accepts no request for longer than that.
   *
   * @example
   * ```ts
   * const { status } = await client.getOperationStatus("my-project", operationId);
   * ```
   * @throws {@link OperationNotFoundError} if there is no such operation, {@link PollingError} for any other failure,
   * TypeError or RangeError that names an argument that breaks the contract
   */
  async getOperationStatus<P = unknown>(
    projectName: string,
    operationId: string,
    { abortSignal, tracingOptions }: GetOperationStatusOptions = {},
  ): Promise<OperationStatus<P>> {
    checkProjectName(projectName);
    checkOperationId(operationId);
    const context = { ...this.#context, spanName: "OperationStatusesClient.getOperationStatus" };
    const poller = createPoller(new StatusOperation<P>(context, projectName, operationId), {
      notFoundGraceInMs: 0,
      ...(tracingOptions && { tracingOptions }),
    });
    const { operation } = await poller.poll(abortSignal ? { abortSignal } : {});
    return operation;
  }

  /**
   * Returns an operation to poll.
   *
   * @throws TypeError or RangeError that names an argument that breaks the contract
   */
  operation<P = unknown>(projectName: string, operationId: string): Operation<P> {
    checkProjectName(projectName);
    checkOperationId(operationId);
    return new StatusOperation<P>(this.#context, projectName, operationId);
  }

  /**
   * Returns an operation to poll, from its status monitor: the value of an `Operation-Location` header. Polls use the
   * client's own api-version.
   *
   * @example
   * ```ts
   * const operation = client.operationAt(response.headers.get("operation-location") ?? "");
   * ```
   * @throws TypeError or RangeError if it is no operation of this client's endpoint
   */
  operationAt<P = unknown>(operationLocation: string): Operation<P> {
    const { projectName, operationId } = parseOperationLocation(operationLocation, this.#context.endpoint);
    return this.operation<P>(projectName, operationId);
  }

  /**
   * Returns a poller that continues a wait of another poller: its elapsed time, its progress and its Retry-After. The
   * rest of its `timeoutInMs` counts too; a new one in the options counts from now. Sends nothing until a caller waits.
   *
   * @example
   * ```ts
   * const poller = client.resume(await readFile("token.json", "utf8"), { timeoutInMs: 600_000 });
   * const properties = await poller.pollUntilDone();
   * ```
   * @param token - the text of `JSON.stringify(poller)`, the same parsed, or the text of core-lro's `serialize()`
   * @throws {@link ContractError} that names what is wrong with the token, RangeError if its origin, endpoint or
   * api-version is not this client's; TypeError or RangeError that names an option that is wrong
   */
  resume<P = unknown>(token: string | ResumeToken, options: ResumeOptions<P> = {}): Poller<P> {
    const { allowedOrigins = [], ...pollOptions } = options;
    const now = (pollOptions.clock ?? systemClock).timestamp();
    const { operation, token: parsed } = this.#parseResumeTokenAt<P>(token, allowedOrigins, now);
    return resumePoller(operation, parsed, pollOptions);
  }

  /**
   * Parses and checks a resume token without a poller: for a queue's worker, for example.
   *
   * @throws like {@link OperationStatusesClient.resume}
   */
  parseResumeToken<P = unknown>(
    token: string | object,
    { allowedOrigins = [] }: Pick<ResumeOptions, "allowedOrigins"> = {},
  ): ParsedResumeToken<P> {
    return this.#parseResumeTokenAt<P>(token, allowedOrigins, systemClock.timestamp());
  }

  /**
   * Starts an operation by any request to this client's endpoint, at once, and returns its poller.
   *
   * @throws TypeError or RangeError if the URL is not this client's or an option is wrong, before anything is sent
   */
  override startOperation<TResult = unknown>(
    request: InitialRequest,
    options: StartOperationOptions<TResult> = {},
  ): StartedPoller<TResult> {
    const url = parseUrl("request.url", request.url, this.#context.endpoint);
    const { pipeline, apiVersion } = this.#context;
    return startAndFollow(pipeline, { ...request, url }, options, { apiVersion, resourceProvider });
  }

  #parseResumeTokenAt<P>(
    token: unknown,
    allowedOrigins: readonly string[],
    now: number,
  ): ParsedResumeToken<P> {
    const allowed = parseAllowedOrigins(allowedOrigins);
    const { endpoint, apiVersion } = this.#context;
    const target = { endpoint, apiVersion, allowedOrigins: new Set(allowed) };
    const { token: parsed, operation } = parseTokenFor(token, target, now);
    if (!("kind" in operation)) {
      return { token: parsed, operation: this.operation(operation.projectName, operation.operationId) };
    }
    const pipeline = this.#context.pipeline.allowing(allowed);
    const options = { pipeline, apiVersion, resourceProvider, logger };
    return { token: parsed, operation: new LroOperation(options, operation) };
  }
}

/** In JavaScript a token's text is easily taken for a credential, which would fail much later. */
function checkCredential(credential: unknown): void {
  const isCredential = typeof credential === "object" && credential !== null && "getToken" in credential;
  if (credential === undefined || isCredential) return;
  throw new TypeError(`credential: expected an object with getToken(), got ${typeof credential}`);
}
