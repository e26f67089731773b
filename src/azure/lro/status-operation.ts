import type { RequestLimiter } from "../../limiter/request-limiter.ts";
import type { Clock } from "../../clock.ts";
import type {
  GetStatusOptions,
  Operation,
  PollLogger,
  PollerObserver,
  PollerSnapshot,
  StatusResponse,
  TracingOptions,
} from "../../operation/operation.ts";
import type { OperationStatus } from "../../operation/status.ts";
import { parseOperationStatus } from "../../operation/parse-status.ts";
import { ageOf, errorOfResponse, metadataOf, parseBody, parseResponse } from "../http/response.ts";
import { logger } from "../telemetry/logger.ts";
import { observePoller, pollerSpanName } from "../telemetry/observers.ts";
import type { OriginBoundPipeline } from "../http/origin-bound-pipeline.ts";

/** The name of DevCenter in Azure Resource Manager. */
export const resourceProvider = "Microsoft.DevCenter";

/** The facts that all operations of one client share. */
export interface ClientContext {
  readonly endpoint: URL;
  readonly pipeline: OriginBoundPipeline;
  /** The api-version of requests whose URL has none. */
  readonly apiVersion?: string | undefined;
}

/** The facts that all operations of one DevCenter share. */
export interface DevCenterContext extends ClientContext {
  readonly apiVersion: string;
  readonly projectsUrl: string;
  readonly query: string;
  readonly spanName: string;
}

/** Makes the facts that the operations of one DevCenter share. */
export function devCenterContext(
  { endpoint, pipeline }: ClientContext,
  apiVersion: string,
): DevCenterContext {
  return {
    endpoint,
    apiVersion,
    pipeline,
    projectsUrl: `${endpoint.href}projects/`,
    query: `?api-version=${encodeURIComponent(apiVersion)}`,
    spanName: pollerSpanName,
  };
}

/** An operation of DevCenter. A class, so that none of many thousand needs functions of its own. */
export class StatusOperation<P> implements Operation<P> {
  readonly #context: DevCenterContext;
  readonly #projectName: string;
  declare readonly id: string;

  constructor(context: DevCenterContext, projectName: string, id: string) {
    this.#context = context;
    this.#projectName = projectName;
    // It never changes: a group then finds the operation by it, and needs no other entry.
    Object.defineProperty(this, "id", { value: id, enumerable: true });
  }

  get logger(): PollLogger {
    return logger;
  }

  limiterFor(clock: Clock): RequestLimiter {
    const { pipeline, projectsUrl } = this.#context;
    return pipeline.limiterFor(clock, projectsUrl);
  }

  private get url(): string {
    return `${this.#context.projectsUrl}${this.#projectName}/operationstatuses/${this.id}`;
  }

  async getStatus(options: GetStatusOptions): Promise<StatusResponse<P>> {
    const { pipeline, query } = this.#context;
    const { abortSignal, tracingOptions } = options;
    const url = `${this.url}${query}`;
    const response = await pipeline.send({ method: "GET", url, abortSignal, tracingOptions });
    if (response.status !== 200) throw errorOfResponse(response);
    const metadata = metadataOf(response);
    const parse = (): OperationStatus<P> => parseOperationStatus<P>(parseBody(response), this.id, options);
    const status = parseResponse(parse, metadata, "transient");
    return { status, ageInMs: ageOf(status.startTime, response), ...metadata };
  }

  observe(snapshot: PollerSnapshot, tracingOptions?: TracingOptions): PollerObserver | undefined {
    const { spanName } = this.#context;
    const subject = { spanName, resourceProvider, projectName: this.#projectName, url: () => this.url };
    return observePoller(subject, snapshot, tracingOptions);
  }

  isSameAs(other: Operation): boolean {
    return (
      other instanceof StatusOperation &&
      other.#context.pipeline === this.#context.pipeline &&
      JSON.stringify(other) === JSON.stringify(this)
    );
  }

  toJSON(): object {
    const { endpoint, apiVersion } = this.#context;
    return { endpoint: endpoint.href, projectName: this.#projectName, operationId: this.id, apiVersion };
  }
}
