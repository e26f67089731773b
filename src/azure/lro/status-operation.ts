import type { PipelineResponse } from "@azure/core-rest-pipeline";
import type { RequestLimiter } from "../../limiter/request-limiter.ts";
import type { Clock } from "../../clock.ts";
import { ContractError, RequestError } from "../../operation/errors.ts";
import type {
  GetStatusOptions,
  Operation,
  PollLogger,
  PollerObserver,
  PollerSnapshot,
  StatusResponse,
  TracingOptions,
} from "../../operation/operation.ts";
import { parseOperationStatus } from "../../operation/parse-status.ts";
import { ageOf, errorOfResponse, metadataOf, parseBody } from "../http/response.ts";
import type { OperationReference } from "../http/validation.ts";
import { logger } from "../telemetry/logger.ts";
import { observePoller } from "../telemetry/observers.ts";
import type { OriginBoundPipeline } from "../http/origin-bound-pipeline.ts";

/** As Azure Resource Manager calls it. */
export const resourceProvider = "Microsoft.DevCenter";

/** Where a client's operations are, and how to get there. */
export interface DevCenterContext {
  readonly endpoint: URL;
  readonly apiVersion: string;
  readonly pipeline: OriginBoundPipeline;
  readonly projectsUrl: string;
  readonly query: string;
  readonly spanName: string;
}

/** An operation of DevCenter. A class, so that of many thousand each costs no function. */
export class StatusOperation<P> implements Operation<P> {
  readonly #site: DevCenterContext;
  readonly #projectName: string;
  readonly id: string;

  constructor(site: DevCenterContext, projectName: string, id: string) {
    this.#site = site;
    this.#projectName = projectName;
    this.id = id;
  }

  get logger(): PollLogger {
    return logger;
  }

  limiterFor(clock: Clock): RequestLimiter {
    return this.#site.pipeline.limiterFor(clock);
  }

  get #url(): string {
    return `${this.#site.projectsUrl}${this.#projectName}/operationstatuses/${this.id}`;
  }

  async getStatus(options: GetStatusOptions): Promise<StatusResponse<P>> {
    const { pipeline, query } = this.#site;
    const response = await pipeline.send({ ...options, method: "GET", url: `${this.#url}${query}` });
    return statusResponseOf<P>(response, this.id);
  }

  observe(facts: PollerSnapshot, tracingOptions?: TracingOptions): PollerObserver | undefined {
    const { spanName } = this.#site;
    const subject = { spanName, resourceProvider, projectName: this.#projectName, url: () => this.#url };
    return observePoller(subject, facts, tracingOptions);
  }

  toJSON(): object {
    const reference: OperationReference = { projectName: this.#projectName, operationId: this.id };
    const { endpoint, apiVersion } = this.#site;
    return { endpoint: endpoint.href, ...reference, apiVersion };
  }
}

function statusResponseOf<P>(response: PipelineResponse, operationId: string): StatusResponse<P> {
  if (response.status !== 200) throw errorOfResponse(response);
  const facts = metadataOf(response);
  try {
    const status = parseOperationStatus<P>(parseBody(response), operationId);
    return { status, ageInMs: ageOf(status.startTime, response), ...facts };
  } catch (error) {
    if (!(error instanceof ContractError)) throw error;
    throw new RequestError(error.message, { ...facts, kind: "transient", code: error.code, cause: error });
  }
}
