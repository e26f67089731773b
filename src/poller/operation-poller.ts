import type { RequestBudget } from "../limiter/request-limiter.ts";
import { Iteration, UntilDone, UntilRead, iteratorOf, signalsOf } from "./waiters.ts";
import type { Caller } from "./waiters.ts";
import { Engine } from "./poll-loop.ts";
import type { Operation, OperationState } from "../operation/operation.ts";
import type { PollSettings } from "./options.ts";
import { errorOf } from "../state/outcome.ts";
import type { CallOptions, Poller } from "./poller.ts";
import type { FailedRead, Progress } from "../state/progress.ts";
import { heldBackError, timeoutError } from "./status-request.ts";
import type { ResumeToken } from "../state/resume-token.ts";
import { Wait } from "./poll-session.ts";

/** What callers see of an engine. */
export class OperationPoller<P> implements Poller<P> {
  readonly #engine: Engine<P>;

  constructor(operation: Operation<P>, settings: PollSettings, budget: RequestBudget | undefined) {
    this.#engine = new Engine(new Wait(operation, settings, budget));
  }

  get operation(): Operation<P> {
    return this.#engine.wait.operation;
  }

  get status(): OperationState | undefined {
    return this.#engine.wait.state.status;
  }

  get isDone(): boolean {
    const { outcome } = this.#engine;
    return outcome !== undefined && outcome.type !== "disposed";
  }

  pollUntilDone({ abortSignal }: CallOptions = {}): Promise<P> {
    const caller = new UntilDone<P>(signalsOf(this.#engine.wait.settings.abortSignal, abortSignal));
    this.join(caller);
    return caller.promise;
  }

  poll({ abortSignal }: CallOptions = {}): Promise<Progress<P>> {
    const { outcome } = this.#engine;
    const latest = this.latestProgress();
    const isOver = outcome?.type === "succeeded" || outcome?.type === "unsuccessful";
    if (isOver && latest) return Promise.resolve(latest);
    const caller = new UntilRead<P>(signalsOf(this.#engine.wait.settings.abortSignal, abortSignal));
    if (this.#engine.enter(caller)) {
      const progress = readNow(this.#engine);
      limitQueueing(this.#engine, caller);
      const onFailure = (error: unknown): void => {
        caller.onAbort(error);
        caller.leave(error);
      };
      void progress.then((value) => caller.resolve(value)).then(() => caller.leave(), onFailure);
    }
    return caller.promise;
  }

  onProgress(listener: (progress: Progress<P>) => unknown): () => void {
    return this.#engine.audience.onProgress(listener, this.latestProgress());
  }

  onFailedRead(listener: (failedRead: FailedRead) => unknown): () => void {
    return this.#engine.audience.onFailedRead(listener);
  }

  [Symbol.asyncIterator](): AsyncIterator<Progress<P>, void, undefined> {
    const { abortSignal } = this.#engine.wait.settings;
    return iteratorOf(
      () => new Iteration(signalsOf(abortSignal), this.latestProgress()),
      (caller) => this.join(caller),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { outcome, wait } = this.#engine;
    if (outcome === undefined) {
      this.#engine.conclude({ type: "disposed", error: errorOf(wait.endOfWait("disposed")) });
    }
    await this.#engine.whenGone();
  }

  toJSON(): ResumeToken {
    return this.#engine.wait.toJSON();
  }

  /** Takes over what the poller that wrote the token knew. */
  restore(token: ResumeToken): void {
    this.#engine.wait.restore(token);
  }

  latestProgress(): Progress<P> | undefined {
    return this.#engine.wait.latestProgress();
  }

  /** Lets a caller wait for the end. */
  join(caller: Caller<P>): void {
    this.#engine.join(caller);
  }
}

async function readNow<P>(engine: Engine<P>): Promise<Progress<P>> {
  const { wait } = engine;
  if (wait.silenceInMs > 0) throw errorOf(wait.endOfRead());
  const answer = await engine.readForAnswer();
  if ("progress" in answer) return answer.progress;
  throw errorOf(answer.end);
}

/** Who asks for a read now waits for its answer no longer than for a read's, though the budget let none out. */
function limitQueueing<P>({ wait, pendingRead: read }: Engine<P>, caller: UntilRead<P>): void {
  const { clock, requestTimeoutInMs } = wait.settings;
  if (!read?.isQueued || requestTimeoutInMs === Infinity) return;
  const silenceInMs = (): number => wait.budget?.silenceInMs ?? 0;
  const reason = (): Error => {
    const failure = read.isQueued
      ? heldBackError(clock.timestamp(), silenceInMs(), requestTimeoutInMs)
      : timeoutError(requestTimeoutInMs);
    return errorOf({ ...wait.endOfWait("unreadable"), state: { ...wait.state, failure } });
  };
  caller.leaveAfter(clock, silenceInMs() < requestTimeoutInMs ? requestTimeoutInMs : 0, reason);
}
