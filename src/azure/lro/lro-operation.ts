import type { PipelineResponse } from "@azure/core-rest-pipeline";
import type { RequestBudget } from "../../limiter/request-limiter.ts";
import type { Clock } from "../../clock.ts";
import { ContractError, ReadError, messageOf } from "../../operation/errors.ts";
import type {
  Operation,
  OperationStatus,
  PollLogger,
  ReadOptions,
  Reading,
  StatusFields,
  TracingOptions,
  WaitFacts,
  WaitObserver,
} from "../../operation/operation.ts";
import { ageOf, answerOf, errorOfAnswer, factsOf } from "../http/response.ts";
import type { AnswerFacts } from "../http/response.ts";
import { withApiVersion } from "../validation.ts";
import { nameOf, readBeginning, readMonitor } from "./protocol.ts";
import type { Beginning, Course, Report } from "./protocol.ts";
import { observeWait, resourceProviderOf, spanNameOfWaits } from "../telemetry/observers.ts";
import type { Transport } from "../http/origin-bound-pipeline.ts";

/** What the answer to the initial request said. */
export interface StartedOperation {
  /** The HTTP status: 200, 201, 202 or 204. */
  readonly statusCode: number;
  /** By their lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** The resource, or the first status; `undefined` when the answer was empty, text when it was no JSON. */
  readonly body: unknown;
}

/** What an {@link LroOperation} is made from. */
export interface LroPlan<TResult> {
  readonly transport: Transport;
  /** Default: the body as it is. */
  readonly parseResult?: ((body: unknown) => TResult) | undefined;
  /** Added to URLs that carry none. */
  readonly apiVersion?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly logger: PollLogger;
  /** Default: what the URL says. */
  readonly resourceProvider?: string | undefined;
}

/** Where an operation stands: begun, but not answered yet; telling its state; or succeeded, its result elsewhere. */
type Stage =
  | {
      readonly at: "beginning";
      readonly beginning: Beginning;
      readonly answer: Promise<PipelineResponse>;
      /** Says that nobody waits any more: what has not begun yet shall not be tried again. */
      readonly abandon: () => void;
    }
  | { readonly at: "monitor"; readonly course: Course }
  | { readonly at: "result"; readonly course: Course; readonly url: string; readonly fields: StatusFields };

/** An operation from the request that begins it to its result, whichever way the service tells of it. */
export class LroOperation<TResult> implements Operation<TResult> {
  readonly logger: PollLogger;
  readonly #plan: LroPlan<TResult>;
  #stage: Stage;
  #firstCourse: Course | undefined;
  /** Why the result could not be parsed, still to be told by the next read. */
  #unparsed: ReadError | undefined;

  /** Goes on with an operation on its course, or follows one from the answer to its beginning. */
  constructor(plan: LroPlan<TResult>, from: Course | Omit<Stage & { readonly at: "beginning" }, "at">) {
    this.logger = plan.logger;
    this.#plan = plan;
    this.#stage = "answer" in from ? { at: "beginning", ...from } : { at: "monitor", course: from };
    if ("answer" in from) void this.#noteCourse(from);
  }

  get id(): string {
    const stage = this.#stage;
    if (stage.at !== "beginning") return nameOf(stage.course.monitorUrl);
    return `${stage.beginning.method} ${nameOf(stage.beginning.url)}`;
  }

  /** A slow beginning must not keep a place that polls could have. */
  get sendsNothing(): boolean {
    return this.#stage.at === "beginning" || this.#unparsed !== undefined;
  }

  budgetOn(clock: Clock): RequestBudget {
    return this.#plan.transport.budgetOn(clock);
  }

  observe(facts: WaitFacts, tracingOptions?: TracingOptions): WaitObserver | undefined {
    const url = (): string => this.#url;
    const { resourceProvider = resourceProviderOf(this.#url) } = this.#plan;
    return observeWait({ spanName: spanNameOfWaits, resourceProvider, url }, facts, tracingOptions);
  }

  get #url(): string {
    const stage = this.#stage;
    return stage.at === "beginning" ? stage.beginning.url : stage.course.monitorUrl;
  }

  read(options: ReadOptions): Promise<Reading<TResult>> {
    const stage = this.#stage;
    const unparsed = this.#unparsed;
    this.#unparsed = undefined;
    if (unparsed) return Promise.reject(unparsed);
    switch (stage.at) {
      case "beginning":
        return this.#readBeginning(stage, options.abortSignal);
      case "monitor":
        return this.#readStatus(stage.course, options);
      case "result":
        return this.#readResult(stage, options);
    }
  }

  letGo(): void {
    if (this.#stage.at === "beginning") this.#stage.abandon();
  }

  toJSON(): object {
    const stage = this.#stage;
    const course = stage.at === "beginning" ? this.#firstCourse : stage.course;
    return course ? { course } : { beginning: this.id };
  }

  /** So that a token is of use as soon as the operation has begun, though nobody has read the answer yet. */
  async #noteCourse({ beginning, answer }: Omit<Stage & { at: "beginning" }, "at">): Promise<void> {
    try {
      this.#firstCourse = readBeginning(beginning, answerOf(await answer)).course;
    } catch {
      // Whoever waits is told.
    }
  }

  async #readBeginning(
    { beginning, answer }: Stage & { at: "beginning" },
    abortSignal: AbortSignal,
  ): Promise<Reading<TResult>> {
    const response = await answer;
    abortSignal.throwIfAborted();
    return this.#take(response, () => readBeginning(beginning, answerOf(response)));
  }

  async #readStatus(course: Course, options: ReadOptions): Promise<Reading<TResult>> {
    const response = await this.#get(course.monitorUrl, options);
    return this.#take(response, () => readMonitor(course, answerOf(response)));
  }

  async #readResult(
    { url, fields, course }: Stage & { at: "result" },
    options: ReadOptions,
  ): Promise<Reading<TResult>> {
    const response = await this.#get(url, options);
    return this.#take(response, () => ({
      fields: { ...fields, properties: answerOf(response).body },
      course,
    }));
  }

  async #get(url: string, options: ReadOptions): Promise<PipelineResponse> {
    const { transport, apiVersion, headers } = this.#plan;
    const response = await transport.send({
      method: "GET",
      url: withApiVersion(url, apiVersion),
      headers,
      ...options,
    });
    // An answer that comes too late must not move what a later read has moved on.
    options.abortSignal.throwIfAborted();
    if (response.status >= 300) throw errorOfAnswer(response);
    return response;
  }

  /** Moves on to the stage that a report leads to. */
  #take(response: PipelineResponse, report: () => Report): Reading<TResult> {
    const answerFacts = factsOf(response);
    const { fields, course } = reported(report, answerFacts, this.#stage.at === "beginning");
    const facts = { ...answerFacts, ageInMs: ageOf(fields.startTime, response) };
    if (fields.status === "Succeeded" && (this.#stage.at === "result" || course?.resultUrl === undefined)) {
      return this.#takeResult(fields, course, facts);
    }
    const url = fields.status === "Succeeded" ? course?.resultUrl : undefined;
    if (course)
      this.#stage = url === undefined ? { at: "monitor", course } : { at: "result", course, url, fields };
    const status = { ...this.#named(fields), properties: undefined };
    return { status, isResultPending: url !== undefined, ...facts };
  }

  /** A result that cannot be parsed is told by a read of its own: that the operation has succeeded stays true. */
  #takeResult(fields: StatusFields, course: Course | undefined, facts: AnswerFacts): Reading<TResult> {
    const named = this.#named(fields);
    if (course && this.#stage.at === "beginning") this.#stage = { at: "monitor", course };
    try {
      return { status: { ...named, properties: this.#parseResult(fields.properties) }, ...facts };
    } catch (error) {
      if (!(error instanceof ReadError) || this.#stage.at !== "monitor") throw error;
      this.#unparsed = error;
      return { status: { ...named, properties: undefined }, isResultPending: true, ...facts };
    }
  }

  /** Gives a status that came without a name that of its URL. */
  #named(fields: StatusFields): OperationStatus {
    const { id = this.id, name = this.id } = fields;
    return { ...fields, id: String(id), name: String(name) };
  }

  #parseResult(body: unknown): TResult {
    const { parseResult } = this.#plan;
    // What a result is, only the caller knows who gives no parser.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    if (parseResult === undefined) return body as TResult;
    try {
      return parseResult(body);
    } catch (cause) {
      throw new ReadError(`parseResult: ${messageOf(cause)}`, {
        kind: "refused",
        code: "ResultNotParsed",
        cause,
      });
    }
  }
}

/** A broken answer to the beginning stays broken: nobody would answer it again. */
function reported(report: () => Report, facts: AnswerFacts, isBeginning: boolean): Report {
  try {
    return report();
  } catch (error) {
    if (!(error instanceof ContractError)) throw error;
    const kind = isBeginning ? "refused" : "transient";
    throw new ReadError(error.message, { ...facts, kind, code: error.code, cause: error });
  }
}

/** What the answer to the initial request said, for whoever began it. */
export function startedOf(response: PipelineResponse): StartedOperation {
  return { statusCode: response.status, headers: response.headers.toJSON(), body: bodyOrText(response) };
}

function bodyOrText(response: PipelineResponse): unknown {
  try {
    return answerOf(response).body;
  } catch {
    return response.bodyAsText;
  }
}
