import type { PollLogger, PollerEnd, PollerObserver, PollerSnapshot } from "../operation/operation.ts";
import { isolate } from "../poller/isolate.ts";
import { endMessage, failureMessage, responseMessage, startMessage } from "../poller/log-messages.ts";
import type { PollSession } from "../poller/poll-session.ts";
import type { PollEvent } from "../state/state-machine.ts";

/** How a step is reported. */
export interface StepReportOptions {
  /** The engine's id of the wait. */
  readonly jobId: string | undefined;
  /** Default: that of the operation. */
  readonly logger: PollLogger | undefined;
}

/** Reports one step to the log and the operation's observer, as a poller reports a wait. Neither can harm it. */
export class StepReport {
  readonly #session: PollSession<unknown>;
  readonly #logger: PollLogger | undefined;
  /** Until it was told of the end. */
  #observer: PollerObserver | undefined;

  /** @param savedAtInMs - when the state was saved, in milliseconds since the start of the wait */
  constructor(session: PollSession<unknown>, savedAtInMs: number, { jobId, logger }: StepReportOptions) {
    this.#session = session;
    this.#logger = logger ?? isolate(() => session.operation.logger);
    const { snapshot } = session;
    if (snapshot.pollCount === 0) this.#log("info", () => startMessage(snapshot));
    this.#observer = isolate(() =>
      session.operation.observe?.(
        { ...snapshot, elapsedInMs: savedAtInMs, ...(jobId !== undefined && { jobId }) },
        undefined,
      ),
    );
  }

  /** Options that the observer gives to the poll. */
  get getStatusOptions(): PollerObserver["getStatusOptions"] {
    return isolate(() => this.#observer?.getStatusOptions);
  }

  onPoll(event: PollEvent): void {
    const { snapshot } = this.#session;
    if (event.type === "response") {
      this.#log(snapshot.changed ? "info" : "verbose", () => responseMessage(snapshot, false));
      this.#notify((observer) => observer.onResponse(snapshot));
    } else {
      this.#log("info", () => failureMessage(snapshot, event.failure));
      this.#notify((observer) => observer.onFailedPoll(snapshot, event.failure));
    }
  }

  /** The wait goes on, but any process may make the next step. */
  onDelayed(): void {
    this.#notify((observer, snapshot) => observer.onJobDelayed?.(snapshot));
    this.#observer = undefined;
  }

  onEnd(end: PollerEnd): void {
    const { snapshot } = this.#session;
    this.#log(end.type === "succeeded" ? "info" : "warning", () => endMessage(snapshot, end));
    this.#notify((observer) => observer.onEnd(snapshot, end));
    this.#observer = undefined;
  }

  #notify(call: (observer: PollerObserver, snapshot: PollerSnapshot) => void): void {
    isolate(() => this.#observer && call(this.#observer, this.#session.snapshot));
  }

  #log(level: "verbose" | "info" | "warning", message: () => string): void {
    isolate(() => {
      const logger = this.#logger;
      if (logger === undefined || logger[level].enabled === false) return undefined;
      return logger[level](`Operation ${this.#session.operationId}: ${message()}`);
    });
  }
}
