import { PollingTimeoutError, systemClock } from "../../index.ts";
import type { PollMetrics, PollOptions, Poller } from "../../index.ts";
import type { Prompt } from "../input/context.ts";
import type { Target } from "../input/targets.ts";
import type { CancelOutcome, Reporter } from "../output/reporter.ts";
import { toError } from "../output/to-error.ts";
import type { WaitOutcome } from "../output/wait-outcome.ts";

/** A wait that is under way. */
interface WaitUnderWay {
  readonly index: number;
  readonly target: Target;
  readonly poller: Poller;
}

/** The parts of a command that cancel needs. */
export interface CancelSetting {
  readonly reporter: Reporter;
  readonly interruption: AbortSignal;
  readonly pollOptions: PollOptions;
  /** Whether to cancel an operation whose wait has timed out. */
  readonly onTimeout?: "leave" | "cancel" | undefined;
  readonly prompt?: Prompt | undefined;
  /** Shows a question, or removes it. */
  readonly showQuestion: (text: string | undefined) => void;
}

export const question =
  "Interrupted. l: leave it running, c: cancel it and wait, k: keep waiting (Ctrl-C leaves at once)";

/** Cancels operations: after Ctrl-C, if the user chooses so, and after a timeout. */
export class Cancels {
  readonly #setting: CancelSetting;
  readonly #underWay = new Map<number, WaitUnderWay>();
  /** When each wait has started, by the clock. */
  readonly #startedAt = new Map<number, number>();
  readonly #ended = new AbortController();
  readonly #unsubscribe: (() => void) | undefined;
  /** Whether it asks, or cancels: then another Ctrl-C leaves at once. */
  #isAsking = false;

  constructor(setting: CancelSetting) {
    this.#setting = setting;
    this.#unsubscribe = setting.prompt?.onInterrupt(
      () => void this.#ask(),
      () => this.#isAsking,
    );
  }

  started(wait: WaitUnderWay): void {
    this.#underWay.set(wait.index, wait);
    this.#startedAt.set(wait.index, this.#now());
  }

  #now(): number {
    return (this.#setting.pollOptions.clock ?? systemClock).now();
  }

  ended(index: number): void {
    this.#underWay.delete(index);
  }

  /** Removes the question, which no longer matters. */
  close(): void {
    this.#unsubscribe?.();
    // Before the last frame is drawn.
    this.#setting.showQuestion(undefined);
    this.#ended.abort();
  }

  async #ask(): Promise<void> {
    const { prompt, interruption, showQuestion } = this.#setting;
    if (prompt === undefined || this.#cancelable.length === 0) return prompt?.interrupt();
    this.#isAsking = true;
    showQuestion(question);
    const signal = AbortSignal.any([interruption, this.#ended.signal]);
    const key = await prompt.readKey("lck", signal).catch(() => undefined);
    showQuestion(undefined);
    if (key === "l") prompt.interrupt();
    if (key === "c") await Promise.all(this.#cancelable.map((wait) => this.#cancel(wait)));
    this.#isAsking = false;
  }

  get #cancelable(): readonly WaitUnderWay[] {
    return [...this.#underWay.values()].filter(({ target }) => target.canCancel);
  }

  async #cancel({ index, poller }: WaitUnderWay): Promise<CancelOutcome | undefined> {
    const { interruption: abortSignal, reporter } = this.#setting;
    try {
      const outcome = await poller.cancelOperation({ abortSignal });
      reporter.cancelEnded?.(index, outcome);
      return outcome;
    } catch (error) {
      if (abortSignal.aborted) return undefined;
      const outcome = { outcome: "failed", error: toError(error) } as const;
      reporter.cancelEnded?.(index, outcome);
      return outcome;
    }
  }

  /** Cancels an operation whose wait has timed out, if asked to, and returns the outcome after that. */
  async afterTimeout(target: Target, index: number, outcome: WaitOutcome): Promise<WaitOutcome> {
    const isTimeout = outcome.type === "error" && outcome.error instanceof PollingTimeoutError;
    const { onTimeout, pollOptions, reporter } = this.#setting;
    if (!isTimeout || onTimeout !== "cancel") return outcome;
    const { stallTimeoutInMs: _none, ...options } = pollOptions;
    // The service may take longer to cancel it than the wait was to take.
    const poller = target.createPoller({ ...options, timeoutInMs: Infinity });
    // To the reader it is one wait, so its time does not start again.
    const elapsedOf = ({ elapsedInMs }: PollMetrics): number =>
      Math.max(elapsedInMs, this.#now() - (this.#startedAt.get(index) ?? this.#now()));
    poller.onProgress((progress) =>
      reporter.progress(index, { ...progress, elapsedInMs: elapsedOf(progress) }),
    );
    poller.onFailedPoll((failedPoll) =>
      reporter.failedPoll(index, { ...failedPoll, elapsedInMs: elapsedOf(failedPoll) }),
    );
    const canceled = await this.#cancel({ index, target, poller });
    if (canceled?.outcome !== "canceled" && canceled?.outcome !== "tooLate") return outcome;
    return poller.pollUntilDone().then(
      (result): WaitOutcome => ({ type: "succeeded", result }),
      (error: unknown): WaitOutcome => ({ type: "error", error: toError(error) }),
    );
  }
}
