import type { PipelineResponse } from "@azure/core-rest-pipeline";
import type { RequestBudget } from "../../limiter/request-limiter.ts";
import type { Clock } from "../../clock.ts";
import { ContractError, ReadError } from "../../operation/errors.ts";
import type {
  Operation,
  PollLogger,
  ReadOptions,
  Reading,
  TracingOptions,
  WaitFacts,
  WaitObserver,
} from "../../operation/operation.ts";
import { parseOperationStatus } from "../../operation/parse-status.ts";
import { ageOf, errorOfAnswer, factsOf, parseBody } from "../http/response.ts";
import type { OperationReference } from "../validation.ts";
import { logger } from "../telemetry/logger.ts";
import { observeWait } from "../telemetry/observers.ts";
import type { Transport } from "../http/origin-bound-pipeline.ts";

/** As Azure Resource Manager calls it. */
export const resourceProvider = "Microsoft.DevCenter";

/** Where a client's operations are, and how to get there. */
export interface Site {
  readonly endpoint: URL;
  readonly apiVersion: string;
  readonly transport: Transport;
  readonly projectsUrl: string;
  readonly query: string;
  readonly spanName: string;
}

/** An operation of DevCenter. A class, so that of many thousand each costs no function. */
export class StatusOperation<P> implements Operation<P> {
  readonly #site: Site;
  readonly #projectName: string;
  readonly id: string;

  constructor(site: Site, projectName: string, id: string) {
    this.#site = site;
    this.#projectName = projectName;
    this.id = id;
  }

  get logger(): PollLogger {
    return logger;
  }

  budgetOn(clock: Clock): RequestBudget {
    return this.#site.transport.budgetOn(clock);
  }

  get #url(): string {
    return `${this.#site.projectsUrl}${this.#projectName}/operationstatuses/${this.id}`;
  }

  async read(options: ReadOptions): Promise<Reading<P>> {
    const { transport, query } = this.#site;
    const response = await transport.send({ ...options, method: "GET", url: `${this.#url}${query}` });
    return readingOf<P>(response, this.id);
  }

  observe(facts: WaitFacts, tracingOptions?: TracingOptions): WaitObserver | undefined {
    const { spanName } = this.#site;
    const subject = { spanName, resourceProvider, projectName: this.#projectName, url: () => this.#url };
    return observeWait(subject, facts, tracingOptions);
  }

  toJSON(): object {
    const reference: OperationReference = { projectName: this.#projectName, operationId: this.id };
    const { endpoint, apiVersion } = this.#site;
    return { endpoint: endpoint.href, ...reference, apiVersion };
  }
}

function readingOf<P>(response: PipelineResponse, operationId: string): Reading<P> {
  if (response.status !== 200) throw errorOfAnswer(response);
  const facts = factsOf(response);
  try {
    const status = parseOperationStatus<P>(parseBody(response), operationId);
    return { status, ageInMs: ageOf(status.startTime, response), ...facts };
  } catch (error) {
    if (!(error instanceof ContractError)) throw error;
    throw new ReadError(error.message, { ...facts, kind: "transient", code: error.code, cause: error });
  }
}
