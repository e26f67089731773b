import type { Caller } from "./callers.ts";
import { Listeners } from "./listeners.ts";
import type { PollLogger } from "./operation.ts";
import type { Outcome } from "./outcome.ts";
import type { FailedRead, Progress } from "./progress.ts";

function nothing(): void {}

/** Without a logger the bugs of listeners are still told; the rest has events of its own. */
export const fallbackLogger: PollLogger = {
  info: Object.assign((): void => {}, { enabled: false }),
  warning: nothing,
  error: (...message) => console.error(...message),
};

/** Who is told of one operation: those who wait for it, those who listen, and the log. */
export class Audience<P> {
  readonly #host: { onEverybodyLeft(): void };
  readonly #logger: PollLogger;
  #callers: Caller<P>[] = [];
  #listeners: Listeners<Progress<P>> | undefined;
  #failedReadListeners: Listeners<FailedRead> | undefined;

  constructor(host: { onEverybodyLeft(): void }, logger: PollLogger = fallbackLogger) {
    this.#host = host;
    this.#logger = logger;
  }

  /** A logger is the user's code like any listener: what it throws must not end the wait. */
  #say(level: "info" | "warning" | "error", ...message: unknown[]): void {
    try {
      this.#logger[level](...message);
    } catch {
      // There is nobody left to tell.
    }
  }

  /** Lets a caller in, unless one of its signals has fired already. */
  enter(caller: Caller<P>): boolean {
    if (!caller.enter(this)) return false;
    // An array that is pushed to keeps room for sixteen more.
    this.#callers = this.#callers.concat([caller]);
    return true;
  }

  onLeave(caller: object): void {
    this.#callers = this.#callers.filter((other) => other !== caller);
    if (this.#callers.length === 0) this.#host.onEverybodyLeft();
  }

  /** Lets everybody go with the outcome. */
  dismiss(outcome: Outcome<P>): void {
    const callers = this.#callers;
    this.#callers = [];
    for (const caller of callers) caller.dismiss(outcome);
  }

  onProgress(listener: (progress: Progress<P>) => unknown, latest?: Progress<P>): () => void {
    this.#listeners ??= new Listeners(this.#logger);
    return this.#listeners.add(listener, latest);
  }

  onFailedRead(listener: (failedRead: FailedRead) => unknown): () => void {
    this.#failedReadListeners ??= new Listeners(this.#logger);
    return this.#failedReadListeners.add(listener);
  }

  tellProgress(operationId: string, latestProgress: () => Progress<P>, isStale: boolean): void {
    if (this.#logger.info.enabled ?? true) this.#say("info", lineOf(operationId, latestProgress(), isStale));
    for (const caller of this.#callers) caller.onProgress(latestProgress);
    this.#listeners?.notify(latestProgress());
  }

  tellBug(message: string, error: unknown): void {
    this.#say("error", message, error);
  }

  tellFailedRead(operationId: string, failedRead: FailedRead): void {
    this.#say(
      "warning",
      `Operation ${operationId}: read failed: ${failedRead.error.message}.${nextRead(failedRead)}`,
    );
    this.#failedReadListeners?.notify(failedRead);
  }
}

function lineOf(operationId: string, progress: Progress, isStale: boolean): string {
  const percent = progress.percentComplete === undefined ? "" : ` at ${progress.percentComplete} %`;
  const stale = isStale ? " (a stale answer was passed over)" : "";
  return `Operation ${operationId}: ${progress.status}${percent}${stale}.${nextRead(progress)}`;
}

function nextRead({ nextPollInMs }: { readonly nextPollInMs: number | undefined }): string {
  return nextPollInMs === undefined ? "" : ` Next read in ${Math.round(nextPollInMs)} ms.`;
}
