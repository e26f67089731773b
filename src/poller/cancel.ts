import { RequestError } from "../operation/errors.ts";
import { isTerminal } from "../operation/status.ts";
import type { OperationState, TerminalState } from "../operation/status.ts";
import type { Outcome } from "../state/outcome.ts";
import type { Progress } from "../state/progress.ts";
import type { PollLoop } from "./poll-loop.ts";
import { toRequestError } from "./status-request.ts";
import { PromiseWaiter } from "./waiters.ts";

/** The result of {@link Poller.cancelOperation}: whether the operation was canceled. */
export interface CancelResult {
  /**
   * - `canceled`: the operation was canceled.
   * - `tooLate`: the operation succeeded or failed first: `status` says which.
   * - `refused`: the service rejected the request, and the operation continues: `error` says why.
   */
  readonly outcome: "canceled" | "tooLate" | "refused";
  /** The latest state of the operation. */
  readonly status: OperationState;
  /** The error of the request, where it had one: the service's reason to reject it, or the loss of its response. */
  readonly error?: RequestError | undefined;
}

/** A request to cancel, which its callers share. */
export class CancelAttempt<P> {
  /** The error of the request; `undefined` while there is none. */
  error: RequestError | undefined;
  /** Whether the service has certainly not accepted it. */
  isRefused = false;
  /** Whether a poll was under way when the response came: that poll may show an older state. */
  isPollOlder = false;
  /** Settles when the request has a response, or has failed. */
  readonly responded: Promise<void>;

  constructor(loop: PollLoop<P>) {
    this.responded = this.#send(loop);
  }

  async #send(loop: PollLoop<P>): Promise<void> {
    const { operation, settings } = loop.session;
    const { clock, requestTimeoutInMs, tracingOptions } = settings;
    try {
      // If it fails, polling stops, and pending calls reject.
      await operation.initialRequest;
      if (!operation.cancel) throw cancelNotSupported(loop.session.operationId);
      await operation.cancel({ clock, requestTimeoutInMs, tracingOptions });
    } catch (thrown) {
      const error = toRequestError(thrown);
      this.error = error;
      this.isRefused = error.kind !== "transient" || error.statusCode === 429;
    }
    this.isPollOlder = loop.pollSoon();
  }
}

/** Waits for the outcome of a request to cancel. */
export class UntilCanceled<P> extends PromiseWaiter<P, CancelResult> {
  readonly #loop: PollLoop<P>;
  readonly #onRefused: () => void;
  #attempt: CancelAttempt<P> | undefined;
  #hasSkippedPoll = false;

  constructor(loop: PollLoop<P>, signals: readonly AbortSignal[], onRefused: () => void) {
    super(signals);
    this.#loop = loop;
    this.#onRefused = onRefused;
  }

  async follow(attempt: CancelAttempt<P>): Promise<void> {
    this.#attempt = attempt;
    await attempt.responded;
    const { error, isRefused } = attempt;
    if (isRefused && (isNotSent(error) || !this.isWaiting)) this.abort(error);
  }

  override onProgress(latestProgress: () => Progress<P>): void {
    const { status } = latestProgress();
    const { error, isRefused, isPollOlder } = this.#attempt ?? {};
    // It stays a waiter until the end: the result may need one more request.
    if (isTerminal(status)) return this.resolve(cancelResultOf(status, error));
    if (isPollOlder && !this.#hasSkippedPoll) {
      this.#hasSkippedPoll = true;
      this.#loop.pollSoon();
    } else if (isRefused && isNotSent(error)) {
      this.abort(error);
    } else if (isRefused) {
      this.#onRefused();
      this.resolve({ outcome: "refused", status, error });
      this.stop();
    }
  }

  override onFailedPoll(): void {
    this.#hasSkippedPoll = this.#attempt?.isPollOlder ?? false;
  }

  override onOutcome(outcome: Outcome<P>): void {
    if (outcome.type === "pollingFailed" || outcome.type === "disposed") this.onFailure(outcome);
  }

  override onAbort(reason: unknown): void {
    if (this.#attempt?.isRefused) this.#onRefused();
    super.onAbort(reason);
  }
}

/** Whether a request that was refused was not even sent. */
function isNotSent(refusal: RequestError | undefined): boolean {
  return refusal?.statusCode === undefined;
}

/** Makes the result of a request to cancel an operation that is over. */
export function cancelResultOf(status: TerminalState, error?: RequestError): CancelResult {
  return { outcome: status === "Canceled" ? "canceled" : "tooLate", status, error };
}

/** Makes the error of an operation that no request can cancel. */
export function cancelNotSupported(operationId: string): RequestError {
  const message = `Operation ${operationId} cannot be canceled: its service has no request for that, or none is known. If it has one, pass it as cancel to startOperation or operationAt.`;
  return new RequestError(message, { kind: "permanent", code: "CancelNotSupported" });
}
