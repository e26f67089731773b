import pRetry from "p-retry";
import type { EndOfWait } from "../state/outcome.ts";
import type { Progress } from "../state/progress.ts";

/** What a read brought to those who asked for it: an answer, or a failure as it left the wait then. */
export type Answer<P> = { readonly progress: Progress<P> } | FailedAnswer<P>;

export interface FailedAnswer<P> {
  readonly reason: unknown;
  readonly end: EndOfWait<P>;
}

/** Who performs the attempts. */
interface Retrier<P> {
  /** Whether the step that follows the latest read is to read again. */
  readonly readsAgain: boolean;
  /** Whether these are still wanted: not since an answer, nor when nobody waits any more. */
  isRetrying(retries: Retries<P>): boolean;
  /** Waits until the next attempt is due, and then lets it go on. */
  startWait(): void;
  readForAnswer(): Promise<Answer<P>>;
  onGiveUp(): void;
}

/**
 * The attempts of p-retry since the first failed read. Whether and when there is another is in the step that follows
 * each.
 */
export class Retries<P> {
  readonly #retrier: Retrier<P>;
  #answer: Promise<Answer<P>>;
  #next: (() => void) | undefined;

  constructor(retrier: Retrier<P>, failed: FailedAnswer<P>) {
    this.#retrier = retrier;
    this.#answer = Promise.resolve(failed);
  }

  /** Whether the next attempt is waited for, and not under way. */
  get isWaiting(): boolean {
    return this.#next !== undefined;
  }

  async start(): Promise<void> {
    const shouldRetry = (): Promise<boolean> => this.#wait();
    try {
      await pRetry(() => this.#read(), { retries: Infinity, minTimeout: 0, shouldRetry });
    } catch {
      if (this.#retrier.isRetrying(this)) this.#retrier.onGiveUp();
    }
  }

  goOn(): void {
    const next = this.#next;
    this.#next = undefined;
    // At once: on its way through p-retry it would miss what other reads lead to.
    if (this.#retrier.readsAgain) this.#answer = this.#retrier.readForAnswer();
    next?.();
  }

  async #read(): Promise<void> {
    const answer = await this.#answer;
    if ("reason" in answer) throw answer.reason;
  }

  /** Returns whether to read again. Pending for ever, and collected, when the attempts are dropped meanwhile. */
  async #wait(): Promise<boolean> {
    if (!this.#retrier.isRetrying(this)) return false;
    await new Promise<void>((resolve) => {
      this.#next = resolve;
      this.#retrier.startWait();
    });
    return this.#retrier.readsAgain;
  }
}
