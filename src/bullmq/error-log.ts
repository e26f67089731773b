import { messageOf } from "../operation/errors.ts";
import type { PollLogger } from "../operation/operation.ts";
import { isolate } from "../poller/isolate.ts";

/** Different messages, such as those with the id of a job, must not fill the memory. */
const maxMessages = 100;

/** Logs each cause once, because every attempt to use a Redis that refuses fails alike. */
export class ErrorLog {
  /** Logs an error, if its cause is new. The source is what failed, by default that of the log. */
  readonly report: (error: unknown, source?: string) => void;
  readonly #logged = new Set<string>();

  constructor(logger: PollLogger, source: string) {
    this.report = (error, failed = source) => {
      const message = messageOf(error);
      if (this.#logged.has(message)) return;
      if (this.#logged.size >= maxMessages) this.#logged.clear();
      this.#logged.add(message);
      reporterTo(logger, failed)(error);
    };
  }

  /** Logs the causes anew: Redis was away, and is back. */
  forget(): void {
    this.#logged.clear();
  }
}

/** Returns a function that logs an error. A logger is the user's code: what it throws or rejects with is ignored. */
export function reporterTo(logger: PollLogger, source: string): (error: unknown) => void {
  return (error) => {
    isolate(() => logger.error(`${source}: ${messageOf(error)}`));
  };
}
