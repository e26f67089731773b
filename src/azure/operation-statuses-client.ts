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
  parseAllowedOrigins,
  parseEndpoint,
  parseOperationLocation,
  parseUrl,
} from "./http/validation.ts";
import { DevCenterOperations } from "./dev-center.ts";
import { logger } from "./telemetry/logger.ts";
import { LroOperation } from "./lro/lro-operation.ts";
import type { LroOperationOptions } from "./lro/lro-operation.ts";
import { pollerSpanName } from "./telemetry/observers.ts";
import { parseTokenFor } from "./lro/resume.ts";
import { startAndFollow } from "./lro/start-operation.ts";
import type { InitialRequest, StartOperationOptions, StartedPoller } from "./lro/start-operation.ts";
import { StatusOperation, resourceProvider } from "./lro/status-operation.ts";
import type { DevCenterContext } from "./lro/status-operation.ts";
import { createOriginBoundPipeline } from "./http/origin-bound-pipeline.ts";
import type { TransportOptions } from "./http/origin-bound-pipeline.ts";

/** Options of an {@link OperationStatusesClient}: those of core-rest-pipeline, and these. */
export interface OperationStatusesClientOptions extends TransportOptions {
  /** Default `2025-02-01`. */
  readonly apiVersion?: string;
}

/** Options of {@link OperationStatusesClient.getOperationStatus}. */
export interface GetOperationStatusOptions extends CallOptions {
  /** As every Azure client takes them. Default: the span of the call is a child of the active one. */
  readonly tracingOptions?: TracingOptions;
}

/** How to go on with a wait. */
export interface ResumeOptions<P = unknown> extends PollOptions<P> {
  /** Origins, besides the client's, which the token and the service's answers may lead to, such as a gateway's. */
  readonly allowedOrigins?: readonly string[];
}

/** A token that was checked, and the operation that it is of. */
export interface ParsedResumeToken<P = unknown> {
  /** What the wait knew when it was written. */
  readonly token: ResumeToken;
  /** To read. */
  readonly operation: Operation<P>;
}

const devCenterScope = "https://devcenter.azure.com/.default";

/** Reads the status of the operations of one DevCenter, and begins some. */
export class OperationStatusesClient extends DevCenterOperations {
  readonly #context: DevCenterContext;

  /**
   * @param endpoint - the DevCenter's own URI, `https://{tenantId}-{devcenter}.{region}.devcenter.azure.com`
   * @param credential - any of `@azure/identity`; left out, requests go unsigned
   * @throws TypeError or RangeError that names the argument: a credential goes to https only, plain http to this
   * machine only
   */
  constructor(endpoint: string, credential?: TokenCredential, options: OperationStatusesClientOptions = {}) {
    super();
    checkCredential(credential);
    const url = parseEndpoint(endpoint, credential !== undefined);
    const apiVersion = checkApiVersion(options.apiVersion ?? "2025-02-01");
    const pipeline = createOriginBoundPipeline(url.origin, devCenterScope, credential, options);
    const query = `?api-version=${encodeURIComponent(apiVersion)}`;
    const projectsUrl = `${url.href}projects/`;
    this.#context = { endpoint: url, apiVersion, pipeline, projectsUrl, query, spanName: pollerSpanName };
  }

  /**
   * Reads an operation's status once, for at most 30 s, its turn among the client's other reads included. Where the
   * service wants to hear from none of them for longer than that, rejects at once with the code `Throttled`.
   *
   * @throws {@link OperationNotFoundError} when there is no such operation, {@link PollingError} for any other failure,
   * TypeError or RangeError that names the argument that is not as the contract has it
   */
  async getOperationStatus<P = unknown>(
    projectName: string,
    operationId: string,
    { abortSignal, tracingOptions }: GetOperationStatusOptions = {},
  ): Promise<OperationStatus<P>> {
    checkProjectName(projectName);
    checkOperationId(operationId);
    const site = { ...this.#context, spanName: "OperationStatusesClient.getOperationStatus" };
    const poller = createPoller(new StatusOperation<P>(site, projectName, operationId), {
      notFoundGraceInMs: 0,
      ...(tracingOptions && { tracingOptions }),
    });
    const { operation } = await poller.poll(abortSignal ? { abortSignal } : {});
    return operation;
  }

  /**
   * An operation to poll.
   *
   * @throws TypeError or RangeError that names the argument that is not as the contract has it
   */
  operation<P = unknown>(projectName: string, operationId: string): Operation<P> {
    checkProjectName(projectName);
    checkOperationId(operationId);
    return new StatusOperation<P>(this.#context, projectName, operationId);
  }

  /**
   * An operation to poll, from the value of an `Operation-Location` header. The client's own api-version is asked for.
   *
   * @throws TypeError or RangeError when it is no operation of this client's endpoint
   */
  operationAt<P = unknown>(operationLocation: string): Operation<P> {
    const { projectName, operationId } = parseOperationLocation(operationLocation, this.#context.endpoint);
    return this.operation<P>(projectName, operationId);
  }

  /**
   * Goes on with a wait that was begun elsewhere: its elapsed time, its progress, what is left of its `timeoutInMs`
   * (unless the options give a new one, which is counted from now), and the Retry-After that it was told. Nothing is
   * sent until somebody waits.
   *
   * @param token - what `JSON.stringify(poller)` gave, or that parsed; or what core-lro's `serialize()` gave
   * @throws {@link ContractError} that says what is wrong with the token, RangeError when it is of another origin,
   * endpoint or api-version than this client's; TypeError or RangeError that names an option that is wrong
   */
  resume<P = unknown>(token: string | ResumeToken, options: ResumeOptions<P> = {}): Poller<P> {
    const { allowedOrigins = [], ...pollOptions } = options;
    const now = (pollOptions.clock ?? systemClock).timestamp();
    const { operation, token: parsed } = this.#parseResumeTokenAt<P>(token, allowedOrigins, now);
    return resumePoller(operation, parsed, pollOptions);
  }

  /**
   * Parses and checks a token as {@link OperationStatusesClient.resume} does, for who reads by other means than a
   * poller, such as a queue's worker.
   *
   * @throws as `resume` does
   */
  parseResumeToken<P = unknown>(
    token: string | object,
    { allowedOrigins = [] }: Pick<ResumeOptions, "allowedOrigins"> = {},
  ): ParsedResumeToken<P> {
    return this.#parseResumeTokenAt<P>(token, allowedOrigins, systemClock.timestamp());
  }

  /**
   * Begins an operation by any request to this client's endpoint, at once, and gives the poller that waits for it.
   *
   * @throws TypeError or RangeError when the URL is none of this client's or an option is wrong, before anything is sent
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
    const point = parseTokenFor(token, { endpoint, apiVersion, allowedOrigins: new Set(allowed) }, now);
    const operation =
      "kind" in point.operation
        ? new LroOperation<P>(this.#lroOptions(allowed), point.operation)
        : this.operation<P>(point.operation.projectName, point.operation.operationId);
    return { token: point.token, operation };
  }

  #lroOptions(allowedOrigins: readonly string[]): LroOperationOptions<never> {
    return {
      pipeline: this.#context.pipeline.allowing(allowedOrigins),
      apiVersion: this.#context.apiVersion,
      resourceProvider,
      logger,
    };
  }
}

/** In JavaScript a token's text is easily taken for a credential, and its lack of one found out much later. */
function checkCredential(credential: unknown): void {
  const isCredential = typeof credential === "object" && credential !== null && "getToken" in credential;
  if (credential === undefined || isCredential) return;
  throw new TypeError(`credential: expected an object with getToken(), got ${typeof credential}`);
}
