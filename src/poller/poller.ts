import type { OperationState } from "../operation/operation.ts";
import type { FailedRead, Progress } from "../state/progress.ts";
import type { ResumeToken } from "../state/resume-token.ts";

/** Options of one call on a {@link Poller}. */
export interface CallOptions {
  /** Lets this caller go, who rejects with the signal's own reason. Others wait on; the operation itself goes on. */
  readonly abortSignal?: AbortSignal;
}

/** Waits for one operation. Sends nothing until somebody waits, polls or iterates. Not a thenable. */
export interface Poller<P = unknown> extends AsyncIterable<Progress<P>> {
  /** The latest state; `undefined` before the first answer. */
  readonly status: OperationState | undefined;
  /** Whether the operation is over. */
  readonly isDone: boolean;
  /**
   * Waits for the end of the operation and resolves with its `properties`. Any number of callers share one loop.
   * When the last one lets go, the loop stops; a later call starts it again.
   *
   * @throws {@link OperationFailedError}, {@link OperationCanceledError}: the operation ended so
   * @throws {@link OperationNotFoundError}, {@link PollingError}: its status cannot be read
   * @throws {@link PollingTimeoutError}: `timeoutInMs` is over
   */
  pollUntilDone(options?: CallOptions): Promise<P>;
  /**
   * Reads once, now, and never twice at a time: the way to say "a webhook told me that it is done". Does not wait
   * for the pace that the service asked for, but stays silent while the Retry-After of a failed read runs. Waits for
   * its turn among the reads of the same client or group, and for the answer, `requestTimeoutInMs` in all, and not at
   * all where the service wants to hear from none of them for longer than that.
   *
   * @throws {@link PollingError} or {@link OperationNotFoundError}: that one read failed, or is held back (`HeldBack`)
   */
  poll(options?: CallOptions): Promise<Progress<P>>;
  /** Calls back after every answered read, and soon with the latest progress if there is one. Returns the way out. */
  onProgress(listener: (progress: Progress<P>) => unknown): () => void;
  /** Calls back after every failed read. Returns the way out. */
  onFailedRead(listener: (failedRead: FailedRead) => unknown): () => void;
  /** What `client.resume` needs to go on waiting later, in this process or another. */
  toJSON(): ResumeToken;
  /**
   * Lets everybody go for good, as `await using` does at the end of a block, and resolves when the request under way is
   * aborted (after a second at most). The operation itself goes on. Whoever still waited, and whoever asks from then on,
   * rejects with a {@link PollingError} whose code is `Disposed`; where nobody hears of it, it does not end the process.
   * What is over stays over: its result is still to be had.
   */
  [Symbol.asyncDispose](): Promise<void>;
}
