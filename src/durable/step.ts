import { unlessAborted } from "../abort.ts";
import type { Clock } from "../clock.ts";
import { RequestError } from "../operation/errors.ts";
import type { LroError } from "../operation/errors.ts";
import type { Operation } from "../operation/operation.ts";
import { resolveOptions } from "../poller/options.ts";
import { PollSession } from "../poller/poll-session.ts";
import { StatusRequest, isFinalError, toRequestError } from "../poller/status-request.ts";
import { defaultPollCostInMs } from "../schedule/adaptive.ts";
import type { Progress } from "../state/progress.ts";
import { outcomeOf } from "../state/outcome.ts";
import { resumedStateOf } from "../state/resume-token.ts";
import { retryAfterLeftInMs } from "../state/state-machine.ts";
import type { PollEvent, PollState, StopReason } from "../state/state-machine.ts";
import { parseFailure } from "./failure-record.ts";
import { dueIn } from "./first-state.ts";
import type { PaceResult } from "./pace.ts";
import { StepReport } from "./step-report.ts";
import type { StepReportOptions } from "./step-report.ts";
import { stepOutcomeOf } from "./step-outcome.ts";
import type { StepOutcome } from "./step-outcome.ts";
import { outageOf } from "./step-state.ts";
import type { OutageRecord, StepState } from "./step-state.ts";

/** The result of a step: the state of the wait that goes on, or its outcome. */
export type StepResult =
  | {
      readonly type: "again";
      /** Save it, and pass it to the next step. */
      readonly state: StepState;
      /** How long to wait before the next step, in milliseconds. */
      readonly delayInMs: number;
      /** When the next step is due, in milliseconds since 1970 by the clock of this one. */
      readonly dueAt: number;
      /** The progress; `undefined` if no response came. */
      readonly progress?: Progress | undefined;
    }
  | {
      readonly type: "ended";
      /** Plain JSON. `resultOf` of `lro-poller/durable/outcome` makes the result or the error of it. */
      readonly outcome: StepOutcome;
      /** The last progress; `undefined` if no response came in this step. */
      readonly progress?: Progress | undefined;
    };

/** The surroundings of a step. */
interface StepContext extends StepReportOptions {
  readonly clock: Clock;
  /** Called before every request. */
  readonly beforePoll: (() => void | Promise<void>) | undefined;
  /** Called after every request. */
  readonly learn: (result: PaceResult) => Promise<void>;
  /** Returns by how much intervals are longer, because requests wait for their turn. */
  readonly stretch: (pollCostInMs: number) => number;
}

/** The step of a wait that is due. It polls once, and requests a result at another URL right after that. */
export class Step {
  readonly #state: StepState;
  readonly #context: StepContext;
  readonly #session: PollSession<unknown>;
  /** How long the step was due before it was made, the time for which it waited for its turns included. */
  readonly #idleInMs: number;
  #report: StepReport | undefined;
  #progress: Progress | undefined;

  constructor(state: StepState, operation: Operation, context: StepContext) {
    const { token, dueAt, delayInMs, responseCounts, changedAtInMs, outage, options } = state;
    const now = context.clock.timestamp();
    const lateInMs = Math.max(0, now - dueAt);
    // At least this time has passed since the token was written, even if this machine's clock is behind.
    const leastNow = token.savedAt + delayInMs + lateInMs;
    const clock = aheadBy(leastNow - now, context.clock);
    this.#idleInMs = lateInMs + (state.waitedInMs ?? 0);
    this.#state = state;
    this.#context = context;
    this.#session = new PollSession(operation, { ...resolveOptions(options), clock });
    this.#session.restore(resumedStateOf(token, clock.timestamp()));
    this.#restoreDetails({ responseCounts, changedAtInMs });
    if (outage?.isOfResult === false) this.#restoreOutage(outage);
    this.#session.continue();
  }

  /** The rest of the wait's timeout in milliseconds; 0 when it is over. */
  get leftInMs(): number {
    const { deadline = Infinity } = this.#state.token;
    return Math.max(0, deadline - this.#session.settings.clock.timestamp());
  }

  /** How long the step has waited already, in milliseconds. */
  get idleInMs(): number {
    return this.#idleInMs;
  }

  async perform(abortSignal: AbortSignal): Promise<StepResult> {
    const { state, elapsedInMs, step } = this.#session;
    // The timeout passes before the Retry-After.
    if (step.type === "wait" && retryAfterLeftInMs(state, elapsedInMs) > 0)
      return step.delayInMs > 0 ? this.#again(step.delayInMs) : this.stop("timedOut");
    try {
      return await this.#pollUntilDelayed(abortSignal);
    } finally {
      // After an end it is without effect. A step that sent nothing has no report.
      this.#report?.onDelayed();
    }
  }

  async #pollUntilDelayed(abortSignal: AbortSignal): Promise<StepResult> {
    for (;;) {
      await this.#pollOnce(abortSignal);
      const next = this.#session.step;
      if (next.type === "stop") return this.stop(next.reason);
      const isDueNow = next.until === "nextPoll" && next.delayInMs <= 0;
      if (!(isDueNow && this.#isResultPending)) return this.#again(next.delayInMs);
    }
  }

  stop(reason: StopReason): StepResult {
    this.#restoreLatest();
    this.#session.stop(reason);
    const end = outcomeOf(this.#session.stopped());
    if (end.type !== "disposed") this.#startedReport().onEnd(end);
    return { type: "ended", outcome: stepOutcomeOf(this.#session.stopped()), progress: this.#progress };
  }

  get #isResultPending(): boolean {
    return this.#session.state.isResultPending === true;
  }

  async #pollOnce(abortSignal: AbortSignal): Promise<void> {
    const session = this.#session;
    await unlessAborted(Promise.resolve(this.#context.beforePoll?.()), abortSignal);
    const sentAtInMs = session.elapsedInMs;
    const event = await this.#send(abortSignal);
    const { maxRetryDelayInMs } = session.settings.rules;
    const durationInMs = event.atInMs - sentAtInMs;
    await this.#context.learn({ ...requestResultOf(event), maxRetryDelayInMs, durationInMs });
    // The responses of the monitor do not end an outage of the result.
    const { outage, options } = this.#state;
    if (outage?.isOfResult && event.type === "failed" && this.#isResultPending)
      this.#restoreOutage({ ...outage, sinceInMs: outage.sinceInMs + this.#idleInMs });
    session.apply(event, this.#context.stretch(options.pollCostInMs ?? defaultPollCostInMs));
    if (event.type === "response") this.#progress = session.latestProgress();
    this.#startedReport().onPoll(event);
  }

  #startedReport(): StepReport {
    const { savedAt, startedAt } = this.#state.token;
    return (this.#report ??= new StepReport(this.#session, savedAt - startedAt, this.#context));
  }

  async #send(abortSignal: AbortSignal): Promise<PollEvent> {
    const session = this.#session;
    // Only the first poll of the step has waited.
    const waitedInMs = this.#progress === undefined ? this.#idleInMs : 0;
    const { promise, resolve } = Promise.withResolvers<PollEvent>();
    const request = new StatusRequest(session, {
      getStatusOptions: this.#startedReport().getStatusOptions,
      onResponse: (response) => resolve({ type: "response", response, ...times() }),
      onFailure: (error) => resolve({ type: "failed", failure: failureOf(error), ...times() }),
    });
    const times = (): Pick<PollEvent, "atInMs" | "idleInMs"> => ({
      atInMs: session.elapsedInMs,
      idleInMs: request.idleInMs + waitedInMs,
    });
    abortSignal.throwIfAborted();
    request.start();
    try {
      return await unlessAborted(promise, abortSignal);
    } finally {
      request.abort();
    }
  }

  #restoreOutage({ consecutiveFailures, sinceInMs, notFoundSinceInMs, failure }: OutageRecord): void {
    this.#restoreDetails({
      consecutiveFailures,
      outageSinceInMs: sinceInMs,
      notFoundSinceInMs,
      failure: parseFailure(failure, "state.outage.failure"),
    });
  }

  /** A step that ends a wait without a response knows of the last one what the token holds. */
  #restoreLatest(): void {
    const { latest, status, percentComplete } = this.#session.state;
    const id = this.#session.operationId;
    if (latest === undefined && status !== undefined)
      this.#session.state = { ...this.#session.state, latest: { id, name: id, status, percentComplete } };
  }

  /** Takes over parts of the state that a token does not have. */
  #restoreDetails(details: Partial<PollState<never>>): void {
    this.#session.state = { ...this.#session.state, ...details };
  }

  #again(delayInMs: number): StepResult {
    const { responseCounts, changedAtInMs } = this.#session.state;
    const due = dueIn(delayInMs, this.#context.clock.timestamp());
    const state: StepState = {
      version: 1,
      token: this.#session.toJSON(),
      options: this.#state.options,
      responseCounts,
      changedAtInMs,
      outage: outageOf(this.#session.state),
      ...due,
    };
    return { type: "again", state, ...due, progress: this.#progress };
  }
}

function aheadBy(offsetInMs: number, clock: Clock): Clock {
  if (offsetInMs <= 0) return clock;
  return {
    now: () => clock.now(),
    timestamp: () => clock.timestamp() + offsetInMs,
    setTimer: (callback, delayInMs) => clock.setTimer(callback, delayInMs),
  };
}

function requestResultOf(event: PollEvent): Omit<PaceResult, "durationInMs"> {
  if (event.type === "response") return { isThrottled: false, rateLimit: event.response.rateLimit };
  const { isThrottled, statusCode, retryAfterInMs, rateLimit } = event.failure;
  return { isThrottled, statusCode, retryAfterInMs, rateLimit };
}

/** A state has no place for an error of the user's own class: one that ends a wait becomes a permanent failure. */
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
