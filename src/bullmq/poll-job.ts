import { unlessAborted } from "../abort.ts";
import type { Clock } from "../clock.ts";
import type { Operation } from "../operation/operation.ts";
import { resolveOptions } from "../poller/options.ts";
import { PollSession } from "../poller/poll-session.ts";
import { StatusRequest, toRequestError } from "../poller/status-request.ts";
import { defaultPollCostInMs } from "../schedule/adaptive.ts";
import { spread } from "../schedule/schedule.ts";
import type { Progress } from "../state/progress.ts";
import { retryAfterLeftInMs } from "../state/state-machine.ts";
import type { NextStep, PollEvent } from "../state/state-machine.ts";
import { outageOf, parseFailure } from "./job-data.ts";
import type { JobData, OutageRecord } from "./job-data.ts";
import { jobResultOf } from "./job-result.ts";
import type { JobResult } from "./job-result.ts";

/** What a worker knows that no job does. */
export interface WorkerContext {
  /** Its timestamps are Redis's: those of machines differ. */
  readonly clock: Clock;
  /** Returns by how much intervals are longer, because polls wait for their turn. */
  stretchAt(pollCostInMs: number): number;
  /** Called after every poll, with its duration, before its job is handed back. */
  onPoll(event: PollEvent, tookInMs: number): Promise<void>;
}

/** What the poll of a job led to: the job again after a delay, or its result. */
export type PollResult =
  | {
      readonly type: "again";
      readonly data: JobData;
      readonly delayInMs: number;
      readonly progress?: Progress | undefined;
    }
  | { readonly type: "ended"; readonly result: JobResult; readonly progress?: Progress | undefined };

/**
 * Polls the operation of a job once, unless a Retry-After still forbids it. A result that is elsewhere is requested at
 * the same time, because no token tells where it is.
 */
export async function pollJob(
  data: JobData,
  operation: Operation,
  context: WorkerContext,
  abortSignal: AbortSignal,
): Promise<PollResult> {
  const job = new JobPoll(data, operation, context);
  const early = job.waitInsteadOfPoll();
  if (early) return early;
  for (;;) {
    const step = await job.poll(abortSignal);
    const isDueNow = step.type === "wait" && step.until === "nextPoll" && step.delayInMs <= 0;
    if (!(isDueNow && job.isResultPending)) return job.resultOf(step);
  }
}

class JobPoll {
  readonly #data: JobData;
  readonly #context: WorkerContext;
  readonly #session: PollSession<unknown>;
  readonly #firstStep: NextStep;
  #progress: Progress | undefined;

  constructor(data: JobData, operation: Operation, context: WorkerContext) {
    const settings = { ...resolveOptions(data.options), clock: context.clock };
    this.#data = data;
    this.#context = context;
    this.#session = new PollSession(operation, settings);
    this.#session.restore(data.token);
    this.#session.restoreDetails({ responseCounts: data.responseCounts });
    if (data.outage?.isOfResult === false) this.#restoreOutage(data.outage);
    this.#firstStep = this.#session.continue();
  }

  /** What to do in place of a poll: wait for the end of a Retry-After, or stop where it outlasts the deadline. */
  waitInsteadOfPoll(): PollResult | undefined {
    const { state, elapsedInMs } = this.#session;
    const step = this.#firstStep;
    if (step.type === "stop" || retryAfterLeftInMs(state, elapsedInMs) <= 0) return undefined;
    const isOver = step.until === "deadline" && step.delayInMs <= 0;
    if (isOver) this.#session.stop("timedOut");
    if (isOver) return this.#ended();
    return this.#again(step.until === "deadline" ? step.delayInMs : spread(step.delayInMs, Math.random));
  }

  get isResultPending(): boolean {
    return this.#session.state.isResultPending === true;
  }

  async poll(abortSignal: AbortSignal): Promise<NextStep> {
    const session = this.#session;
    const sentAtInMs = session.elapsedInMs;
    const event = await this.#send(abortSignal);
    await this.#context.onPoll(event, event.atInMs - sentAtInMs);
    // The responses of the monitor do not end an outage of the result.
    const { outage } = this.#data;
    if (outage?.isOfResult && event.type === "failed" && this.isResultPending) this.#restoreOutage(outage);
    session.apply(event, this.#context.stretchAt(this.#data.options.pollCostInMs ?? defaultPollCostInMs));
    if (event.type === "response") this.#progress = session.latestProgress();
    return session.step;
  }

  resultOf(step: NextStep): PollResult {
    return step.type === "stop" ? this.#ended() : this.#again(step.delayInMs);
  }

  async #send(abortSignal: AbortSignal): Promise<PollEvent> {
    const session = this.#session;
    const { promise, resolve } = Promise.withResolvers<PollEvent>();
    const request = new StatusRequest(session.operation, session.settings, undefined, {
      getStatusOptions: undefined,
      onResponse: (response) => resolve({ type: "response", response, atInMs: session.elapsedInMs }),
      onFailure: (error) =>
        resolve({ type: "failed", failure: toRequestError(error), atInMs: session.elapsedInMs }),
    });
    abortSignal.throwIfAborted();
    request.start();
    try {
      return await unlessAborted(promise, abortSignal);
    } finally {
      request.abort();
    }
  }

  #restoreOutage({ consecutiveFailures, sinceInMs, failure }: OutageRecord): void {
    this.#session.restoreDetails({
      consecutiveFailures,
      outageSinceInMs: sinceInMs,
      failure: parseFailure(failure, "job.data.outage.failure"),
    });
  }

  #again(delayInMs: number): PollResult {
    const { state } = this.#session;
    const data: JobData = {
      version: 1,
      token: this.#session.toJSON(),
      options: this.#data.options,
      responseCounts: state.responseCounts,
      outage: outageOf(state),
    };
    return { type: "again", data, delayInMs, progress: this.#progress };
  }

  #ended(): PollResult {
    return { type: "ended", result: jobResultOf(this.#session.stopped()), progress: this.#progress };
  }
}
