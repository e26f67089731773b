import type { PollLogger, PollerEnd, PollerObserver, PollerSnapshot } from "../operation/operation.ts";
import type { FailedPoll, Progress } from "../state/progress.ts";
import { isolate } from "./isolate.ts";
import { Listeners } from "./listeners.ts";
import { endMessage, failureMessage, responseMessage, startMessage } from "./log-messages.ts";
import { newNoticesOf } from "./notices.ts";
import type { PollSession } from "./poll-session.ts";

const disabled = Object.assign((): void => {}, { enabled: false });

/** The log of an operation without a logger: errors of listeners go to the console. The rest has events of its own. */
export const fallbackLogger: PollLogger = {
  verbose: disabled,
  info: disabled,
  warning: disabled,
  error: (...message) => console.error(...message),
};

interface PollListeners<P> {
  readonly progress: Listeners<Progress<P>>;
  readonly failedPolls: Listeners<FailedPoll>;
}

/** The subscribers of one operation: listeners, the log and the observer. None can harm the wait. */
export class Subscribers<P> {
  readonly #session: PollSession<P>;
  #listeners: PollListeners<P> | undefined;
  #observer: PollerObserver | undefined;
  /** The notices that were logged. */
  #logged: Set<string> | undefined;

  constructor(session: PollSession<P>) {
    this.#session = session;
  }

  /** Options that the observer gives to each poll. */
  get getStatusOptions(): PollerObserver["getStatusOptions"] {
    return this.#observer && isolate(() => this.#observer?.getStatusOptions);
  }

  get hasProgressListeners(): boolean {
    return this.#listeners?.progress.hasAny === true;
  }

  onProgress(listener: (progress: Progress<P>) => unknown, latest?: Progress<P>): () => void {
    return this.anyListeners().progress.add(listener, latest);
  }

  onFailedPoll(listener: (failedPoll: FailedPoll) => unknown): () => void {
    return this.anyListeners().failedPolls.add(listener);
  }

  notifyStart(): void {
    this.log("info", startMessage);
    isolate(() => {
      this.#observer = this.#session.observe();
    });
  }

  /** Passes a response to the log and the observer. */
  notifyResponse(isStale: boolean): void {
    isolate(() => this.logNotices());
    const isNews = isStale || this.#session.state.isChange !== false;
    this.log(isNews ? "info" : "verbose", (snapshot) => responseMessage(snapshot, isStale));
    if (this.#observer) isolate(() => this.#observer?.onResponse(this.#session.snapshot));
  }

  /** Passes a response to the listeners. */
  notifyProgress(latestProgress: () => Progress<P>): void {
    this.#listeners?.progress.notify(latestProgress());
  }

  notifyFailedPoll(failedPoll: FailedPoll): void {
    this.log("info", (snapshot) => failureMessage(snapshot, failedPoll.error));
    isolate(() => this.#observer?.onFailedPoll(this.#session.snapshot, failedPoll.error));
    this.#listeners?.failedPolls.notify(failedPoll);
  }

  /** Takes leave of the observer, and returns the function that notifies of the end. */
  takeEnd(): (end: PollerEnd) => void {
    const observer = this.#observer;
    this.#observer = undefined;
    return (end) => {
      const isError = end.type === "failedOrCanceled" || end.type === "pollingFailed";
      this.log(isError ? "warning" : "info", (snapshot) => endMessage(snapshot, end));
      isolate(() => observer?.onEnd(this.#session.snapshot, end));
      isolate(() => this.#session.settings.onEnd?.(end));
    };
  }

  private logNotices(): void {
    const { latest } = this.#session.state;
    if (latest === undefined) return;
    for (const { level, message } of newNoticesOf(latest, () => (this.#logged ??= new Set())))
      this.log(level, () => message);
  }

  notifyAbandoned(): void {
    isolate(
      () => this.#session.operation.onAbandoned?.(),
      (error) =>
        this.logger.error("An operation's onAbandoned() failed; no caller waits for it any more.", error),
    );
  }

  private get logger(): PollLogger {
    return this.#session.operation.logger ?? fallbackLogger;
  }

  /** Made when the first one comes: most waits of many thousand have none. */
  private anyListeners(): PollListeners<P> {
    const logger = this.logger;
    return (this.#listeners ??= { progress: new Listeners(logger), failedPolls: new Listeners(logger) });
  }

  private log(level: "verbose" | "info" | "warning", message: (snapshot: PollerSnapshot) => string): void {
    isolate(() => {
      const logger = this.logger;
      if (logger[level].enabled === false) return undefined;
      const { snapshot } = this.#session;
      return logger[level](`Operation ${snapshot.operationId}: ${message(snapshot)}`);
    });
  }
}
