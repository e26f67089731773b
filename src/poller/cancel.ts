import { RequestError } from "../operation/errors.ts";
import { isTerminal } from "../operation/status.ts";
import type { OperationState, TerminalState } from "../operation/status.ts";
import type { Outcome } from "../state/outcome.ts";
import type { Progress } from "../state/progress.ts";
import type { PollLoop } from "./poll-loop.ts";
import { toRequestError } from "./status-request.ts";
import { PromiseWaiter } from "./waiters.ts";

/** What came of {@link Poller.cancelOperation}. */
export interface CancelResult {
  /**
   * - `canceled`: the operation was canceled.
   * - `tooLate`: the operation ended before, or all the same: `status` says how.
   * - `refused`: the service rejected the request, and the operation continues: `error` says why.
   */
  readonly outcome: "canceled" | "tooLate" | "refused";
  /** The latest state of the operation. */
  readonly status: OperationState;
  /** The error of the request, where it had one: the service's reason to reject it, or the loss of its response. */
  readonly error?: RequestError | undefined;
}

/** The answer to a request to cancel; without an error, the service has accepted it. */
export interface CancelAnswer {
  readonly error?: RequestError;
  /** Whether the service has certainly not accepted it. */
  readonly isRefused?: boolean;
  /** Whether a poll was under way when it came: the state in its response may be older. */
  readonly isPollOlder?: boolean;
}

/** Sends the request to cancel, after the initial request, and polls soon after the answer. */
export async function requestCancel<P>(loop: PollLoop<P>): Promise<CancelAnswer> {
  const { operation, settings } = loop.session;
  const { clock, requestTimeoutInMs, tracingOptions } = settings;
  try {
    // If it fails, the loop ends, and the callers with it.
    await operation.initialRequest;
    if (!operation.cancel) throw cancelNotSupported(loop.session.operationId);
    await operation.cancel({ clock, requestTimeoutInMs, tracingOptions });
    return { isPollOlder: loop.pollSoon() };
  } catch (thrown) {
    const error = toRequestError(thrown);
    const isRefused = error.kind !== "transient" || error.statusCode === 429;
    return { error, isRefused, isPollOlder: loop.pollSoon() };
  }
}

/** Waits until the service has said what came of a request to cancel. */
export class UntilCanceled<P> extends PromiseWaiter<P, CancelResult> {
  readonly #loop: PollLoop<P>;
  readonly #onRefused: () => void;
  #answer: CancelAnswer = {};
  #isPollOlder: boolean | undefined;

  constructor(loop: PollLoop<P>, signals: readonly AbortSignal[], onRefused: () => void) {
    super(signals);
    this.#loop = loop;
    this.#onRefused = onRefused;
  }

  async follow(answer: Promise<CancelAnswer>): Promise<void> {
    this.#answer = await answer;
    const { error, isRefused, isPollOlder } = this.#answer;
    this.#isPollOlder = isPollOlder;
    const isNotSent = isRefused && error?.statusCode === undefined;
    if (isNotSent || (isRefused && !this.isWaiting)) this.abort(error);
  }

  override onProgress(latestProgress: () => Progress<P>): void {
    const { status } = latestProgress();
    const { error, isRefused } = this.#answer;
    // It stays a waiter until the end: the result may need one more request.
    if (isTerminal(status)) return this.resolve(cancelResultOf(status, error));
    if (isRefused && !this.#isPollOlder) {
      this.#onRefused();
      this.resolve({ outcome: "refused", status, error });
      return this.stop();
    }
    if (this.#isPollOlder) this.#loop.pollSoon();
    this.#isPollOlder = false;
  }

  override onFailedPoll(): void {
    this.#isPollOlder = false;
  }

  override onOutcome(outcome: Outcome<P>): void {
    if (outcome.type === "pollingFailed" || outcome.type === "disposed") this.onFailure(outcome);
  }

  override onAbort(reason: unknown): void {
    if (this.#answer.isRefused) this.#onRefused();
    super.onAbort(reason);
  }
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
