import { unlessAborted } from "../abort.ts";
import type { Clock } from "../clock.ts";
import { RequestError } from "../operation/errors.ts";
import type { LroError } from "../operation/errors.ts";
import type { Operation } from "../operation/operation.ts";
import { resolveOptions } from "../poller/options.ts";
import { PollSession } from "../poller/poll-session.ts";
import { StatusRequest, isFinalError, toRequestError } from "../poller/status-request.ts";
import { defaultPollCostInMs } from "../schedule/adaptive.ts";
import { withJitter } from "../schedule/schedule.ts";
import type { Progress } from "../state/progress.ts";
import { outcomeOf } from "../state/outcome.ts";
import { resumedStateOf } from "../state/resume-token.ts";
import { retryAfterLeftInMs } from "../state/state-machine.ts";
import type { PollEvent, PollState, StopReason } from "../state/state-machine.ts";
import { outageOf, parseFailure } from "./job-data.ts";
import type { JobData, OutageRecord } from "./job-data.ts";
import { jobResultOf } from "./job-output.ts";
import type { JobResult } from "./job-output.ts";
import { PollReport } from "./poll-report.ts";
import type { ReportedJob } from "./poll-report.ts";

/** The state of a worker that all its job polls share. */
export interface WorkerContext {
  /** A clock with Redis's timestamps: those of machines differ. */
  readonly clock: Clock;
  /** Returns by how much intervals are longer, because polls wait for their turn. */
  stretchAt(pollCostInMs: number): number;
  /**
   * Called after every poll, with its duration and the maximum backoff after a 429, before the state of its job is saved.
   */
  onPoll(event: PollEvent, durationInMs: number, maxRetryDelayInMs: number): Promise<void>;
}

/** The outcome of a job poll: the data of the job that is delayed again, or the result of the completed one. */
type PollResult = { readonly progress: Progress | undefined } & (
  | { readonly type: "delayed"; readonly data: JobData; readonly delayInMs: number }
  | { readonly type: "completed"; readonly result: JobResult }
);

/**
 * Polls the operation of a job once, unless a Retry-After still forbids it. A result at another URL is requested right
 * after the poll, because a token does not hold that URL.
 */
export async function pollJob(
  data: JobData,
  operation: Operation,
  context: WorkerContext,
  abortSignal: AbortSignal,
  reported?: Omit<ReportedJob, "savedAtInMs">,
): Promise<PollResult> {
  const job = new JobPoll(data, operation, context, reported);
  return job.waitInsteadOfPoll() ?? job.poll(abortSignal);
}

class JobPoll {
  readonly #data: JobData;
  readonly #context: WorkerContext;
  readonly #session: PollSession<unknown>;
  /** How long the job has waited for a worker since its poll was due. */
  readonly #lateInMs: number;
  readonly #reported: Omit<ReportedJob, "savedAtInMs"> | undefined;
  #report: PollReport | undefined;
  #progress: Progress | undefined;

  constructor(
    data: JobData,
    operation: Operation,
    context: WorkerContext,
    reported: Omit<ReportedJob, "savedAtInMs"> | undefined,
  ) {
    const settings = { ...resolveOptions(data.options), clock: context.clock };
    this.#data = data;
    this.#context = context;
    this.#reported = reported;
    this.#session = new PollSession(operation, settings);
    this.#session.restore(resumedStateOf(data.token, context.clock.timestamp()));
    const { responseCounts, changedAtInMs, token } = data;
    const { dueAtInMs = token.savedAt - token.startedAt } = data;
    this.#lateInMs = Math.max(0, this.#session.elapsedInMs - dueAtInMs);
    this.#restoreDetails({ responseCounts, changedAtInMs });
    if (data.outage?.isOfResult === false) this.#restoreOutage(data.outage);
    this.#session.continue();
  }

  /** Waits for the end of a Retry-After, or stops if that lasts longer than the deadline; `undefined` without one. */
  waitInsteadOfPoll(): PollResult | undefined {
    const { state, elapsedInMs, step } = this.#session;
    if (step.type === "stop" || retryAfterLeftInMs(state, elapsedInMs) <= 0) return undefined;
    if (step.until === "nextPoll") return this.#delayed(withJitter(step.delayInMs, Math.random));
    if (step.delayInMs > 0) return this.#delayed(step.delayInMs);
    return this.#completed("timedOut");
  }

  async poll(abortSignal: AbortSignal): Promise<PollResult> {
    this.#startReport();
    try {
      return await this.#pollUntilDelayed(abortSignal);
    } finally {
      // After an end it is without effect.
      this.#report?.onDelayed();
    }
  }

  async #pollUntilDelayed(abortSignal: AbortSignal): Promise<PollResult> {
    for (;;) {
      await this.#pollOnce(abortSignal);
      const { step } = this.#session;
      if (step.type === "stop") return this.#completed(step.reason);
      const isDueNow = step.until === "nextPoll" && step.delayInMs <= 0;
      if (!(isDueNow && this.#isResultPending)) return this.#delayed(step.delayInMs);
    }
  }

  get #isResultPending(): boolean {
    return this.#session.state.isResultPending === true;
  }

  async #pollOnce(abortSignal: AbortSignal): Promise<void> {
    const session = this.#session;
    const sentAtInMs = session.elapsedInMs;
    const event = await this.#send(abortSignal);
    const { maxRetryDelayInMs } = session.settings.rules;
    await this.#context.onPoll(event, event.atInMs - sentAtInMs, maxRetryDelayInMs);
    // The responses of the monitor do not end an outage of the result.
    const { outage } = this.#data;
    if (outage?.isOfResult && event.type === "failed" && this.#isResultPending)
      this.#restoreOutage({ ...outage, sinceInMs: outage.sinceInMs + this.#lateInMs });
    session.apply(event, this.#context.stretchAt(this.#data.options.pollCostInMs ?? defaultPollCostInMs));
    if (event.type === "response") this.#progress = session.latestProgress();
    this.#report?.onPoll(event);
  }

  async #send(abortSignal: AbortSignal): Promise<PollEvent> {
    const session = this.#session;
    // Only the first poll of the job has waited.
    const lateInMs = this.#progress === undefined ? this.#lateInMs : 0;
    const { promise, resolve } = Promise.withResolvers<PollEvent>();
    const request = new StatusRequest(session, {
      getStatusOptions: this.#report?.getStatusOptions,
      onResponse: (response) => resolve({ type: "response", response, ...times() }),
      onFailure: (error) => resolve({ type: "failed", failure: failureOf(error), ...times() }),
    });
    const times = (): Pick<PollEvent, "atInMs" | "idleInMs"> => ({
      atInMs: session.elapsedInMs,
      idleInMs: request.idleInMs + lateInMs,
    });
    abortSignal.throwIfAborted();
    request.start();
    try {
      return await unlessAborted(promise, abortSignal);
    } finally {
      request.abort();
    }
  }

  #startReport(): void {
    const { savedAt, startedAt } = this.#data.token;
    if (this.#reported)
      this.#report ??= new PollReport(this.#session, {
        ...this.#reported,
        savedAtInMs: savedAt - startedAt,
      });
  }

  #restoreOutage({ consecutiveFailures, sinceInMs, notFoundSinceInMs, failure }: OutageRecord): void {
    this.#restoreDetails({
      consecutiveFailures,
      outageSinceInMs: sinceInMs,
      notFoundSinceInMs,
      failure: parseFailure(failure, "job.data.outage.failure"),
    });
  }

  /** Takes over parts of the state that a token does not have. */
  #restoreDetails(details: Partial<PollState<never>>): void {
    this.#session.state = { ...this.#session.state, ...details };
  }

  #delayed(delayInMs: number): PollResult {
    const { state } = this.#session;
    const data: JobData = {
      version: 1,
      token: this.#session.toJSON(),
      options: this.#data.options,
      responseCounts: state.responseCounts,
      changedAtInMs: state.changedAtInMs,
      dueAtInMs: this.#session.elapsedInMs + delayInMs,
      outage: outageOf(state),
    };
    return { type: "delayed", data, delayInMs, progress: this.#progress };
  }

  #completed(reason: StopReason): PollResult {
    this.#session.stop(reason);
    const outcome = outcomeOf(this.#session.stopped());
    this.#startReport();
    if (outcome.type !== "disposed") this.#report?.onEnd(outcome);
    return { type: "completed", result: jobResultOf(this.#session.stopped()), progress: this.#progress };
  }
}

/** A job has no place for an error of the user's own class: one that ends a wait becomes a permanent failure. */
function failureOf(error: LroError): RequestError {
  if (!isFinalError(error)) return toRequestError(error);
  const serviceError = "error" in error ? error.error : undefined;
  return new RequestError(error.message, {
    kind: "permanent",
    code: error.code,
    error: serviceError,
    cause: error,
  });
}
