import type { Clock } from "../clock.ts";
import { firstStep, holdInMs, nextStep, transition } from "../state/state-machine.ts";
import type { NextStep, WaitEvent, WaitState } from "../state/state-machine.ts";
import type { Operation } from "../operation/operation.ts";
import type { PollSettings } from "../poller/options.ts";
import { toReadError } from "../state/outcome.ts";
import { progressOf } from "../state/progress.ts";
import type { Progress } from "../state/progress.ts";
import { Read } from "../poller/status-request.ts";
import { usualPollCostInMs } from "../schedule/adaptive.ts";
import { spread } from "../schedule/schedule.ts";
import { resumptionOf, tokenOf } from "../state/resume-token.ts";
import type { ResumeToken } from "../state/resume-token.ts";
import { endingRecordOf } from "./job-result.ts";
import type { EndingRecord } from "./job-result.ts";
import { outageOf, parseFailure, settingsOf } from "./job-data.ts";
import type { JobData, OutageRecord } from "./job-data.ts";
import { unlessAborted } from "../abort.ts";

/** What a worker knows that no job does. */
export interface Fleet {
  /** Its days are Redis's: those of machines differ. */
  readonly clock: Clock;
  /** By how much waits are longer, because reads wait for their turn. */
  stretchAt(pollCostInMs: number): number;
  /** Told of every read, and how long it took, before its job is handed back. */
  onRead(event: WaitEvent, tookInMs: number): Promise<void>;
}

/** What an activation of a job led to: the job again after a delay, or its end. */
export type Result =
  | {
      readonly type: "again";
      readonly data: JobData;
      readonly delayInMs: number;
      readonly progress?: Progress;
    }
  | { readonly type: "ended"; readonly ending: EndingRecord; readonly progress?: Progress };

/**
 * One activation of a job: one read, unless a Retry-After still forbids it. A result that is elsewhere is read in the
 * same one, for no token tells where it is.
 */
export async function activate(
  data: JobData,
  operation: Operation,
  fleet: Fleet,
  abortSignal: AbortSignal,
): Promise<Result> {
  const activation = new Activation(data, operation, fleet);
  const early = activation.first();
  if (early) return early;
  for (;;) {
    const step = await activation.read(abortSignal);
    const isDueNow = step.type === "wait" && step.until === "nextRead" && step.delayInMs <= 0;
    if (!(isDueNow && activation.isResultPending)) return activation.result(step);
  }
}

class Activation {
  readonly #data: JobData;
  readonly #operation: Operation;
  readonly #fleet: Fleet;
  readonly #settings: PollSettings;
  readonly #deadlineInMs: number | undefined;
  readonly #begunAt: number;
  /** An outage of the result, which the answers of the monitor before it do not end. */
  readonly #resultOutage: OutageRecord | undefined;
  #state: WaitState;
  #progress: Progress | undefined;

  constructor(data: JobData, operation: Operation, fleet: Fleet) {
    const { state, elapsedInMs, deadlineInMs } = resumptionOf(data.token, fleet.clock.timestamp());
    this.#data = data;
    this.#operation = operation;
    this.#fleet = fleet;
    this.#settings = settingsOf(data.options, deadlineInMs);
    this.#deadlineInMs = deadlineInMs;
    this.#begunAt = fleet.clock.now() - elapsedInMs;
    this.#resultOutage = data.outage?.isOfResult ? data.outage : undefined;
    const known = { ...state, observed: data.observed };
    this.#state = data.outage?.isOfResult === false ? withOutage(known, data.outage) : known;
  }

  /** What there is to do in place of a read: to wait for the end of a Retry-After, or to stop where it outlasts all. */
  first(): Result | undefined {
    const elapsedInMs = this.#elapsedInMs();
    const isHeld = holdInMs(this.#state, elapsedInMs) > 0;
    const step = firstStep(this.#state, elapsedInMs, this.#settings.rules);
    if (!isHeld || step.type === "end") return undefined;
    const isOver = step.until === "deadline" && step.delayInMs <= 0;
    if (isOver) return this.#ended("timedOut");
    return this.#again(step.until === "deadline" ? step.delayInMs : spread(step.delayInMs, Math.random));
  }

  get isResultPending(): boolean {
    return this.#state.isResultPending === true;
  }

  async read(abortSignal: AbortSignal): Promise<NextStep> {
    const sentAtInMs = this.#elapsedInMs();
    const event = await this.#ask(abortSignal);
    await this.#fleet.onRead(event, event.atInMs - sentAtInMs);
    this.#state = this.#after(event);
    const { rules, schedule, random } = this.#settings;
    const stretch = this.#fleet.stretchAt(this.#data.options.pollCostInMs ?? usualPollCostInMs);
    const step = nextStep(this.#state, event.atInMs, rules, schedule, random, stretch);
    const { latest } = this.#state;
    if (event.type === "answered" && latest) this.#progress = progressOf(this.#state, latest, step, schedule);
    return step;
  }

  result(step: NextStep): Result {
    return step.type === "end" ? this.#ended(step.ending) : this.#again(step.delayInMs);
  }

  #after(event: WaitEvent): WaitState {
    const isOfResult = event.type === "failed" && this.isResultPending;
    const before =
      isOfResult && this.#resultOutage ? withOutage(this.#state, this.#resultOutage) : this.#state;
    return transition(before, event);
  }

  async #ask(abortSignal: AbortSignal): Promise<WaitEvent> {
    const { promise, resolve } = Promise.withResolvers<WaitEvent>();
    const { clock } = this.#fleet;
    const read = new Read(this.#operation, clock, this.#settings.requestTimeoutInMs, undefined, {
      readOptions: undefined,
      onReading: (reading) => resolve({ type: "answered", reading, atInMs: this.#elapsedInMs() }),
      onFailure: (error) =>
        resolve({ type: "failed", failure: toReadError(error), atInMs: this.#elapsedInMs() }),
    });
    abortSignal.throwIfAborted();
    read.start();
    try {
      return await unlessAborted(promise, abortSignal);
    } finally {
      read.callOff();
    }
  }

  #elapsedInMs(): number {
    return this.#fleet.clock.now() - this.#begunAt;
  }

  #token(): ResumeToken {
    const moment = { elapsedInMs: this.#elapsedInMs(), deadlineInMs: this.#deadlineInMs };
    return tokenOf(this.#operation, this.#state, moment, this.#fleet.clock.timestamp());
  }

  #again(delayInMs: number): Result {
    const { options } = this.#data;
    const { observed } = this.#state;
    const data = {
      version: 1,
      token: this.#token(),
      options,
      observed,
      outage: outageOf(this.#state),
    } as const;
    return { type: "again", data, delayInMs, ...(this.#progress && { progress: this.#progress }) };
  }

  #ended(ending: EndingRecord["ending"]): Result {
    // Whoever goes on after a timeout has it anew, or none.
    const { deadline, ...token } = this.#token();
    const record = endingRecordOf({
      ending,
      operationId: this.#operation.id,
      elapsedInMs: this.#elapsedInMs(),
      token: JSON.stringify(ending === "timedOut" ? token : { ...token, deadline }),
      state: this.#state,
    });
    return { type: "ended", ending: record, ...(this.#progress && { progress: this.#progress }) };
  }
}

function withOutage(state: WaitState, { consecutiveFailures, sinceInMs, failure }: OutageRecord): WaitState {
  const known = parseFailure(failure, "job.data.outage.failure");
  return { ...state, consecutiveFailures, outageSinceInMs: sinceInMs, failure: known };
}
