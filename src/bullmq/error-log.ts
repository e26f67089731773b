import { messageOf } from "../operation/errors.ts";
import type { PollLogger } from "../operation/operation.ts";
import { reporterTo } from "./queue-options.ts";

/** Different messages, such as those with the id of a job, must not fill the memory. */
const maxMessages = 100;

/** Logs each cause once, because every attempt to use a Redis that refuses fails alike. */
export class ErrorLog {
  readonly report: (error: unknown) => void;
  readonly #logged = new Set<string>();

  constructor(logger: PollLogger, source: string) {
    const log = reporterTo(logger, source);
    this.report = (error) => {
      const message = messageOf(error);
      if (this.#logged.has(message)) return;
      if (this.#logged.size >= maxMessages) this.#logged.clear();
      this.#logged.add(message);
      log(error);
    };
  }

  /** Logs the causes anew: Redis was away, and is back. */
  forget(): void {
    this.#logged.clear();
  }
}
