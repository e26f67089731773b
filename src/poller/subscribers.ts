import type { Caller } from "./waiters.ts";
import { Listeners } from "./listeners.ts";
import { answerLine, beginLine, endLine, failureLine } from "./log-messages.ts";
import type { PollLogger, ReadOptions, WaitEnd, WaitFacts, WaitObserver } from "../operation/operation.ts";
import type { Outcome } from "../state/outcome.ts";
import type { FailedRead, Progress } from "../state/progress.ts";

const unheard = Object.assign((): void => {}, { enabled: false });

/** Without a logger the bugs of listeners are still told; the rest has events of its own. */
export const fallbackLogger: PollLogger = {
  verbose: unheard,
  info: unheard,
  warning: unheard,
  error: (...message) => console.error(...message),
};

interface Host {
  /** The wait that the audience is of. */
  readonly wait: {
    readonly operation: { readonly logger?: PollLogger };
    readonly facts: WaitFacts;
    /** Who watches the wait that begins. */
    observe(): WaitObserver | undefined;
  };
  onEverybodyLeft(): void;
}

interface AudienceListeners<P> {
  readonly progress: Listeners<Progress<P>>;
  readonly failedReads: Listeners<FailedRead>;
}

/** Who is told of one operation: those who wait for it, those who listen, the log, and who watches. */
export class Audience<P> {
  readonly #host: Host;
  #callers: Caller<P>[] = [];
  #listeners: AudienceListeners<P> | undefined;
  #observer: WaitObserver | undefined;

  constructor(host: Host) {
    this.#host = host;
  }

  get #logger(): PollLogger {
    return this.#host.wait.operation.logger ?? fallbackLogger;
  }

  /** What the observer has the reads carry. */
  get readOptions(): Omit<ReadOptions, "abortSignal"> | undefined {
    return this.#observer?.readOptions;
  }

  /** Lets a caller in, unless one of its signals has fired already. */
  enter(caller: Caller<P>): boolean {
    if (!caller.enter(this)) return false;
    if (this.#callers.length === 0) this.#begin();
    // An array that is pushed to keeps room for sixteen more.
    this.#callers = this.#callers.concat([caller]);
    return true;
  }

  onLeave(caller: object, reason?: unknown): void {
    this.#callers = this.#callers.filter((other) => other !== caller);
    if (this.#callers.length > 0) return;
    this.#end({ type: "left", error: reason });
    // Who was told of the end may have begun another wait.
    if (this.#callers.length === 0) this.#host.onEverybodyLeft();
  }

  /** Lets everybody go with the outcome. */
  dismiss(outcome: Outcome<P>): void {
    const callers = this.#callers;
    this.#callers = [];
    const end: WaitEnd = outcome.type === "disposed" ? { type: "left", error: outcome.error } : outcome;
    if (callers.length > 0) this.#end(end);
    for (const caller of callers) caller.dismiss(outcome);
  }

  onProgress(listener: (progress: Progress<P>) => unknown, latest?: Progress<P>): () => void {
    return this.#anyListeners().progress.add(listener, latest);
  }

  onFailedRead(listener: (failedRead: FailedRead) => unknown): () => void {
    return this.#anyListeners().failedReads.add(listener);
  }

  /** Made when the first comes: most waits of many thousand have none. */
  #anyListeners(): AudienceListeners<P> {
    const logger = this.#logger;
    return (this.#listeners ??= { progress: new Listeners(logger), failedReads: new Listeners(logger) });
  }

  tellProgress(latestProgress: () => Progress<P>, isStale: boolean): void {
    if (this.#observer || this.#isLogged("info") || this.#isLogged("verbose")) this.#recordAnswer(isStale);
    for (const caller of this.#callers) caller.onProgress(latestProgress);
    this.#listeners?.progress.notify(latestProgress());
  }

  tellBug(message: string, error: unknown): void {
    this.#unharmed(() => this.#logger.error(message, error));
  }

  tellFailedRead(failedRead: FailedRead): void {
    if (this.#observer || this.#isLogged("info")) {
      const { facts } = this.#host.wait;
      this.#say("info", () => failureLine(facts, failedRead.error));
      this.#unharmed(() => this.#observer?.onFailedRead(facts, failedRead.error));
    }
    this.#listeners?.failedReads.notify(failedRead);
  }

  #begin(): void {
    this.#say("info", () => beginLine(this.#host.wait.facts));
    this.#unharmed(() => {
      this.#observer = this.#host.wait.observe();
    });
  }

  #recordAnswer(isStale: boolean): void {
    const { facts } = this.#host.wait;
    this.#say(facts.changed || isStale ? "info" : "verbose", () => answerLine(facts, isStale));
    this.#unharmed(() => this.#observer?.onAnswer(facts));
  }

  #end(end: WaitEnd): void {
    const observer = this.#observer;
    this.#observer = undefined;
    const isFailure = end.type === "unsuccessful" || end.type === "gaveUp";
    this.#say(isFailure ? "warning" : "info", () => endLine(this.#host.wait.facts, end));
    this.#unharmed(() => observer?.onEnd(this.#host.wait.facts, end));
  }

  #isLogged(level: "verbose" | "info" | "warning"): boolean {
    return this.#logger[level].enabled ?? true;
  }

  #say(level: "verbose" | "info" | "warning", line: () => string): void {
    if (this.#isLogged(level)) this.#unharmed(() => this.#logger[level](line()));
  }

  /** Loggers and observers are others' code like any listener: what they throw must not end the wait. */
  #unharmed(tell: () => void): void {
    try {
      tell();
    } catch {
      // There is nobody left to tell.
    }
  }
}
