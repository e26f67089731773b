import { logger } from "../azure/telemetry/logger.ts";
import { sleep, systemClock } from "../clock.ts";
import type { Clock } from "../clock.ts";
import type { RequestError } from "../operation/errors.ts";
import type { RateLimit } from "../operation/limiter.ts";
import type { TerminalState } from "../operation/status.ts";
import {
  expectedEnd,
  isParentOver,
  leavesOf,
  noParts,
  parentLagInMs,
  withRows,
  withStart,
  withoutList,
} from "./parts.ts";
import type { KnownDeployment, PartsState } from "./parts.ts";
import { maxListsAtOnce, readGapInMs, scarcity } from "./reading-plan.ts";
import type { DurationsOfTypes } from "./reading-plan.ts";
import type { Row } from "./row.ts";

/** The result of one list, all pages of it. */
type ListResult =
  | { readonly type: "rows"; readonly rows: readonly Row[]; readonly rateLimit?: RateLimit | undefined }
  | { readonly type: "missing" }
  | { readonly type: "failed"; readonly error: RequestError };

/** Reads the list of one deployment's operations. It never rejects, unless the signal has fired. */
export type ReadList = (deploymentId: string, clock: Clock, abortSignal: AbortSignal) => Promise<ListResult>;

/** When a list was read, and when it is read next, by the clock of the wait. */
interface ReadTimes {
  readonly nextAt: number;
  readonly readAt: number;
  readonly changedAt: number;
}

/** Options of a {@link PartsReader}. */
interface PartsReaderOptions {
  readonly rootId: string;
  readonly readList: ReadList;
  readonly expectedIds?: readonly string[] | undefined;
  readonly past: DurationsOfTypes;
}

/** The maximum time of the last lists, and that of those that show the cause of a failure. */
const finishLimitInMs = 10_000;
const failureLimitInMs = 25_000;
/** A list that does not show the failure yet is read again so often. */
const maxRepeats = 3;
const repeatInMs = 2000;
/** A part is listed once its provider has responded. */
const firstReadInMs = 2500;
const minPauseInMs = 5000;
const maxPauseInMs = 60_000;
/** Also while the service accepts hardly any request. */
const maxGapInMs = 240_000;

/** Reads the lists of a deployment and of those nested in it, while a listener follows the progress. A list that fails does not affect the wait. */
export class PartsReader {
  readonly #options: PartsReaderOptions;
  readonly #times = new Map<string, ReadTimes>();
  readonly #underWay = new Set<string>();
  state: PartsState;
  /** The reason why the parts could not be read; `undefined` after a list that could. */
  error: RequestError | undefined;
  #clock: Clock = systemClock;
  /** How far the service's clock is ahead, in milliseconds. */
  #aheadInMs = 0;
  #onChange: (() => void) | undefined;
  #cancelTimer: (() => void) | undefined;
  #controller = new AbortController();
  #pausedUntil = -Infinity;
  #failures = 0;
  #rateLimit: RateLimit | undefined;

  constructor(options: PartsReaderOptions) {
    this.#options = options;
    this.state = noParts(options.rootId, options.expectedIds);
  }

  /** Whether any list was read. */
  get hasRead(): boolean {
    return [...this.state.deployments.values()].some(({ wasRead }) => wasRead);
  }

  /** Whether no list can bring news any more. */
  get isComplete(): boolean {
    return [...this.state.deployments.values()].every(({ isClosed }) => isClosed);
  }

  /** The service's clock. */
  get serviceNow(): number {
    return this.#clock.timestamp() + this.#aheadInMs;
  }

  /** When the root ends, by the service's clock, where the lists show that. */
  get endsAt(): number | undefined {
    return expectedEnd(this.state);
  }

  /** The same, in milliseconds from now. */
  get endsInMs(): number | undefined {
    const { endsAt } = this;
    return endsAt === undefined ? undefined : Math.max(0, endsAt - this.serviceNow);
  }

  /** Takes the service's time from a response. */
  synchronize(clock: Clock, sentAt: number | undefined): void {
    this.#clock = clock;
    if (sentAt !== undefined) this.#aheadInMs = sentAt - clock.timestamp();
  }

  /** Takes the facts of the deployment itself: its start, and the parts that wait for others. */
  note({
    startedAt,
    waitingIds,
  }: {
    startedAt?: number | undefined;
    waitingIds?: readonly string[] | undefined;
  }): void {
    if (startedAt !== undefined) this.state = withStart(this.state, startedAt);
    if (waitingIds !== undefined) this.state = { ...this.state, waitingIds };
  }

  /** Reads lists from now on, each when it can have changed. */
  watch(clock: Clock, onChange: () => void): void {
    this.#clock = clock;
    this.#onChange = onChange;
    this.#arm();
  }

  /** Stops reading. A list under way is aborted. */
  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#onChange = undefined;
    this.#controller.abort();
    this.#controller = new AbortController();
    this.#underWay.clear();
  }

  /** Takes the end of the deployment: no list is read beside the polls any more. */
  end(end: TerminalState): void {
    this.stop();
    this.state = { ...this.state, end };
  }

  /** Takes the end of the deployment, and reads once more what is not closed; if it failed, only what has failed. */
  async finish(end: TerminalState, isWatched: boolean, abortSignal: AbortSignal): Promise<void> {
    this.end(end);
    if (!isWatched && end !== "Failed") return;
    const limitInMs = end === "Failed" ? failureLimitInMs : finishLimitInMs;
    const limit = Promise.withResolvers<void>();
    const cancel = this.#clock.setTimer(limit.resolve, limitInMs);
    const onAbort = (): void => limit.resolve();
    abortSignal.addEventListener("abort", onAbort, { once: true });
    try {
      await Promise.race([this.#readRest(isWatched, this.#clock.now() + limitInMs), limit.promise]);
    } finally {
      cancel();
      abortSignal.removeEventListener("abort", onAbort);
      this.stop();
    }
  }

  async #readRest(isWatched: boolean, until: number): Promise<void> {
    const { signal } = this.#controller;
    const done = new Set<string>();
    for (let repeats = 0; !signal.aborted;) {
      const pauseInMs = this.error ? this.#pausedUntil - this.#clock.now() : 0;
      if (this.#clock.now() + pauseInMs >= until || this.error?.kind === "permanent") return;
      if (pauseInMs > 0) await sleep(this.#clock, pauseInMs, signal).catch(() => {});
      const rest = this.#restOf(isWatched, done).slice(0, maxListsAtOnce);
      if (rest.length === 0) {
        const hidden = this.#hidingFailures();
        if (hidden.length === 0 || repeats++ === maxRepeats) return;
        for (const key of hidden) done.delete(key);
        await sleep(this.#clock, repeatInMs, signal).catch(() => {});
      } else await Promise.all(rest.map((key) => this.#readLast(key, done, signal)));
    }
  }

  async #readLast(key: string, done: Set<string>, signal: AbortSignal): Promise<void> {
    const deployment = this.state.deployments.get(key);
    if (deployment === undefined) return;
    const error = await this.#read(key, deployment, signal);
    if (error === undefined) done.add(key);
  }

  /** Returns what is worth a last read, the path of the failure first. */
  #restOf(isWatched: boolean, done: ReadonlySet<string>): readonly string[] {
    const hiding = new Set(this.#hidingFailures());
    const rest = [...this.state.deployments].filter(
      ([key, { isClosed }]) => !done.has(key) && (!isClosed || hiding.has(key)),
    );
    const failed = rest.filter(([, deployment]) => this.#hasFailed(deployment));
    const others = isWatched ? rest.filter(([, deployment]) => !this.#hasFailed(deployment)) : [];
    return [...failed, ...others].map(([key]) => key);
  }

  /** Returns the deployments that have failed, and whose lists do not show the failed part yet: lists may lag. */
  #hidingFailures(): readonly string[] {
    return [...this.state.deployments]
      .filter(
        ([, deployment]) =>
          this.#hasFailed(deployment) &&
          !(deployment.isClosed && !deployment.wasRead) &&
          [...deployment.rows.values()].every(({ status }) => status !== "Failed"),
      )
      .map(([key]) => key);
  }

  #hasFailed({ parentKey, rowKey }: KnownDeployment): boolean {
    if (parentKey === undefined || rowKey === undefined) return this.state.end === "Failed";
    return this.state.deployments.get(parentKey)?.rows.get(rowKey)?.status === "Failed";
  }

  #arm(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    if (this.#onChange === undefined || this.#underWay.size >= maxListsAtOnce) return;
    let nextAt = Infinity;
    for (const [key, deployment] of this.state.deployments) {
      if (!deployment.isClosed && !this.#underWay.has(key))
        nextAt = Math.min(nextAt, this.#timesOf(key).nextAt);
    }
    if (nextAt === Infinity) return;
    const now = this.#clock.now();
    const delayInMs = Math.max(0, Math.max(nextAt, this.#pausedUntil) - now);
    this.#cancelTimer = this.#clock.setTimer(() => this.#readDue(), delayInMs);
  }

  #timesOf(key: string): ReadTimes {
    const known = this.#times.get(key);
    if (known !== undefined) return known;
    const now = this.#clock.now();
    const times = { nextAt: now + firstReadInMs, readAt: -Infinity, changedAt: now };
    this.#times.set(key, times);
    return times;
  }

  #readDue(): void {
    this.#cancelTimer = undefined;
    const now = this.#clock.now();
    const due = [...this.state.deployments]
      .filter(
        ([key, { isClosed }]) => !isClosed && !this.#underWay.has(key) && this.#timesOf(key).nextAt <= now,
      )
      .toSorted(([one], [other]) => this.#timesOf(one).readAt - this.#timesOf(other).readAt)
      .slice(0, maxListsAtOnce - this.#underWay.size);
    for (const [key, deployment] of due) {
      this.#underWay.add(key);
      void this.#readBeside(key, deployment);
    }
    this.#arm();
  }

  async #readBeside(key: string, deployment: KnownDeployment): Promise<void> {
    const { signal } = this.#controller;
    try {
      await this.#read(key, deployment, signal);
    } catch (error) {
      logger.error("Reading the parts of a deployment failed.", error);
    }
    if (signal.aborted) return;
    this.#underWay.delete(key);
    this.#arm();
  }

  /** Returns the error of a list that could not be read. */
  async #read(
    key: string,
    deployment: KnownDeployment,
    signal: AbortSignal,
  ): Promise<RequestError | undefined> {
    // Before the request: what the list shows after the parent's row is final.
    const wasParentOver = isParentOver(this.state, deployment);
    const result = await this.#options.readList(deployment.id, this.#clock, signal).catch(() => undefined);
    if (result === undefined || signal.aborted) return undefined;
    const before = this.state;
    if (result.type === "failed") {
      this.#pause(key, result.error);
      return result.error;
    }
    this.#failures = 0;
    this.error = undefined;
    this.state =
      result.type === "missing"
        ? withoutList(before, key, wasParentOver)
        : withRows(before, key, result.rows, wasParentOver);
    if (result.type === "rows") this.#rateLimit = result.rateLimit;
    const hasChanged = hasNews(before, this.state, key);
    this.#planNext(key, hasChanged);
    if (hasChanged) this.#onChange?.();
    return undefined;
  }

  #planNext(key: string, hasChanged: boolean): void {
    const now = this.#clock.now();
    const deployment = this.state.deployments.get(key);
    if (deployment === undefined) return;
    const changedAt = hasChanged ? now : this.#timesOf(key).changedAt;
    const isLastPart = leavesOf(this.state).filter(({ isOver }) => !isOver).length === 1;
    const times = { now, changedAt, serviceNow: this.serviceNow, isLastPart };
    const gapInMs = readGapInMs(deployment, times, this.#options.past) * scarcity(this.#rateLimit);
    this.#times.set(key, { nextAt: now + Math.min(gapInMs, maxGapInMs), readAt: now, changedAt });
    const { parentKey } = deployment;
    if (!deployment.isClosed || parentKey === undefined) return;
    const parent = this.#timesOf(parentKey);
    const endedAt = deployment.lastRow?.changedAt ?? this.serviceNow;
    const lagInMs = Math.max(0, endedAt + parentLagInMs - this.serviceNow);
    const nextAt = Math.min(parent.nextAt, now + lagInMs);
    this.#times.set(parentKey, { ...parent, nextAt, changedAt: now });
  }

  /** Pauses all lists: the next status poll finds out for itself whether the service accepts it. */
  #pause(key: string, error: RequestError): void {
    this.error = error;
    const isChange = this.#failures++ === 0;
    const now = this.#clock.now();
    const backoffInMs = Math.min(maxPauseInMs, minPauseInMs * 2 ** Math.min(this.#failures - 1, 10));
    const pauseInMs = error.kind === "permanent" ? maxPauseInMs : backoffInMs;
    this.#pausedUntil = now + Math.max(pauseInMs, error.retryAfterInMs ?? 0);
    this.#times.set(key, { ...this.#timesOf(key), nextAt: this.#pausedUntil });
    if (isChange) this.#onChange?.();
  }
}

/** Compares the visible fields: the timestamp of a running row ticks without any news. */
function hasNews(before: PartsState, after: PartsState, key: string): boolean {
  const [old, now] = [before.deployments.get(key), after.deployments.get(key)];
  if (old === now || now === undefined) return false;
  if (old === undefined || old.isClosed !== now.isClosed || old.rows.size !== now.rows.size) return true;
  if (old.lastRow?.status !== now.lastRow?.status) return true;
  return [...now.rows].some(([row, { status, operationId }]) => {
    const known = old.rows.get(row);
    return known?.status !== status || known.operationId !== operationId;
  });
}
