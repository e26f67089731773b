import type { RequestBudget } from "../limiter/request-limiter.ts";
import {
  firstStep,
  forgiven,
  holdInMs,
  initialState,
  nextStep,
  restOfTimeout,
  transition,
} from "../state/state-machine.ts";
import type { NextStep, WaitEnding, WaitEvent, WaitRules, WaitState } from "../state/state-machine.ts";
import type { Operation, OperationStatus, WaitFacts, WaitObserver } from "../operation/operation.ts";
import type { PollSettings } from "./options.ts";
import type { EndOfWait } from "../state/outcome.ts";
import { factsOf, progressOf } from "../state/progress.ts";
import type { Progress } from "../state/progress.ts";
import { resumptionOf, tokenOf } from "../state/resume-token.ts";
import type { ResumeToken } from "../state/resume-token.ts";

const firstRead: NextStep = { type: "wait", delayInMs: 0, until: "nextRead" };

/** Where the wait for one operation stands, by the pure core and the clock. Sends nothing, and sets no timer. */
export class Wait<P> {
  readonly operation: Operation<P>;
  readonly settings: PollSettings;
  readonly budget: RequestBudget | undefined;
  #state: WaitState<P> = initialState;
  #step = firstRead;
  #isUnderWay = false;
  /** What the clock showed when the wait began. */
  #begunAt: number | undefined;
  /** When `timeoutInMs` of the latest wait is over, or of the one that the token was of. */
  #deadlineInMs: number | undefined;
  /** What it asks of the budget, as long as it goes on. */
  #demand = 0;

  constructor(operation: Operation<P>, settings: PollSettings, budget: RequestBudget | undefined) {
    this.operation = operation;
    this.settings = settings;
    this.budget = budget;
  }

  get state(): WaitState<P> {
    return this.#state;
  }

  get step(): NextStep {
    return this.#step;
  }

  /** Whether somebody waits for the end, and not for one read alone. */
  get isUnderWay(): boolean {
    return this.#isUnderWay;
  }

  get elapsedInMs(): number {
    return this.#begunAt === undefined ? 0 : this.settings.clock.now() - this.#begunAt;
  }

  /** For how long a failed read's Retry-After forbids even the read that somebody asks for now. */
  get silenceInMs(): number {
    return this.#state.isHeldBack ? holdInMs(this.#state, this.elapsedInMs) : 0;
  }

  /** With a deadline while somebody waits for the end: a poll() has none. */
  get #rules(): WaitRules {
    const { rules } = this.settings;
    if (!this.#isUnderWay || this.#deadlineInMs === undefined) return rules;
    return { ...rules, deadlineInMs: this.#deadlineInMs };
  }

  get facts(): WaitFacts {
    return factsOf(this.operation.id, this.#state, this.elapsedInMs, this.#step);
  }

  observe(): WaitObserver | undefined {
    return this.operation.observe?.(this.facts, this.settings.tracingOptions);
  }

  startClock(): void {
    this.#begunAt ??= this.settings.clock.now();
  }

  /** Begins, or goes on. Returns in how many milliseconds its timeout is over, if it has one. */
  begin(): number | undefined {
    const { elapsedInMs } = this;
    const { timeoutInMs } = this.settings;
    const restInMs = timeoutInMs === Infinity ? restOfTimeout(this.#deadlineInMs, elapsedInMs) : timeoutInMs;
    this.#isUnderWay = true;
    this.#deadlineInMs = restInMs === undefined ? undefined : elapsedInMs + restInMs;
    this.#state = forgiven(this.#state);
    this.#step = firstStep(this.#state, elapsedInMs, this.#rules, this.budget?.startDelayInMs());
    return restInMs;
  }

  /** Nobody waits any more, for now. */
  stop(): void {
    this.#isUnderWay = false;
    this.#plan(0);
  }

  end(ending: WaitEnding): void {
    this.#take({ type: "end", ending });
  }

  #take(step: NextStep): void {
    // Before a token is written: whoever goes on after a timeout has it anew, or none.
    if (step.type === "end" && step.ending === "timedOut") this.#deadlineInMs = undefined;
    this.#step = step;
  }

  /** @throws what the user's own schedule throws: nobody can say when to read next */
  apply(event: WaitEvent<P>): void {
    const { schedule, random } = this.settings;
    // By what the others ask: who is alone need not give way.
    this.#plan(0);
    const stretch = this.budget?.stretch ?? 1;
    this.#state = transition(this.#state, event);
    this.#take(nextStep(this.#state, event.atInMs, this.#rules, schedule, random, stretch));
    const delayInMs = this.#step.type === "wait" ? this.#step.delayInMs : 0;
    // A backoff is not stretched: taken for stretched, an outage would make the stretch grow without end. So would a
    // schedule of the user's that gives next to nothing.
    const stretched = event.type === "answered" ? stretch : 1;
    this.#plan(this.#isUnderWay && delayInMs > 0 ? stretched / Math.max(1, delayInMs) : 0);
  }

  /** Stays from one answer to the next: those whose read queues ask no less. */
  #plan(demand: number): void {
    this.budget?.plan(demand - this.#demand);
    this.#demand = demand;
  }

  /** Made anew each time: of many thousand operations it would cost as much to keep as the rest. */
  latestProgress(): Progress<P> | undefined {
    const { latest } = this.#state;
    return latest && progressOf(this.#state, latest, this.#step, this.settings.schedule);
  }

  /** Under a bar an estimate costs more than all else that an answer leads to: it is made when somebody looks. */
  progressOnDemand(status: OperationStatus<P>): () => Progress<P> {
    const { settings } = this;
    const state = this.#state;
    const step = this.#step;
    const { latest = status } = state;
    let progress: Progress<P> | undefined;
    return () => (progress ??= progressOf(state, latest, step, settings.schedule));
  }

  endOfWait(
    ending: EndOfWait<P>["ending"] = this.#step.type === "end" ? this.#step.ending : "unreadable",
  ): EndOfWait<P> {
    return {
      ending,
      operationId: this.operation.id,
      state: this.#state,
      elapsedInMs: this.elapsedInMs,
      resumeToken: () => JSON.stringify(this),
    };
  }

  /** How the wait would end by the read that has failed. */
  endOfRead(): EndOfWait<P> {
    const isGone = this.#step.type === "end" && this.#step.ending === "notFound";
    return this.endOfWait(isGone ? "notFound" : "unreadable");
  }

  toJSON(): ResumeToken {
    const moment = { elapsedInMs: this.elapsedInMs, deadlineInMs: this.#deadlineInMs };
    return tokenOf(this.operation, this.#state, moment, this.settings.clock.timestamp());
  }

  /** Takes over what the poller that wrote the token knew. */
  restore(token: ResumeToken): void {
    const { clock } = this.settings;
    const { state, elapsedInMs, deadlineInMs } = resumptionOf(token, clock.timestamp());
    this.#state = state;
    this.#begunAt = clock.now() - elapsedInMs;
    this.#deadlineInMs = deadlineInMs;
  }
}
