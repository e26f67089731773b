import { QueueEvents } from "bullmq";
import type { Job, Queue } from "bullmq";
import { systemClock } from "../clock.ts";
import { PollingError } from "../operation/errors.ts";
import type { Outcome } from "../state/outcome.ts";
import type { Progress } from "../state/progress.ts";
import { parseProgress } from "../durable/step-outcome.ts";
import { jobNotFound } from "./job-errors.ts";
import { endStateOf, parseReturnValue } from "./job-return-value.ts";
import { timeoutIfOverdue } from "./overdue.ts";
import type { RedisLocation } from "./queue-options.ts";
import { RedisClock, redisTimeInMs } from "./redis-state.ts";

/** A subscriber of one job. */
export interface JobListener {
  readonly jobId: string;
  onJobProgress(progress: Progress): void;
  onJobOutcome(outcome: Outcome<unknown>): void;
}

/** Redis keeps some thousand events. A watcher that was cut off for longer has missed some, so it reads the jobs too. */
const checkIntervalInMs = 30_000;

/** Notifies the listeners of a queue's jobs, over one connection, which is open while there is a listener. */
export class JobWatcher {
  readonly #queue: Queue;
  readonly #location: RedisLocation;
  readonly #report: (error: unknown) => void;
  readonly #listeners = new Map<string, Set<JobListener>>();
  readonly #clock = new RedisClock();
  #events: Promise<QueueEvents> | undefined;
  #cancelCheck: (() => void) | undefined;
  #isClosed = false;

  constructor(queue: Queue, location: RedisLocation, report: (error: unknown) => void) {
    this.#queue = queue;
    this.#location = location;
    this.#report = report;
  }

  add(listener: JobListener): void {
    const { jobId } = listener;
    if (this.#isClosed) return listener.onJobOutcome(closed(jobId));
    const listeners = this.#listeners.get(jobId) ?? new Set();
    this.#listeners.set(jobId, listeners.add(listener));
    this.#cancelCheck ??= systemClock.setTimer(() => void this.#checkAll(), checkIntervalInMs);
    // The events come before the job: what happens in between is notified, at worst twice.
    void this.#opened().then(() => this.#check(jobId), this.#report);
  }

  remove(listener: JobListener): void {
    const listeners = this.#listeners.get(listener.jobId);
    listeners?.delete(listener);
    if (listeners?.size === 0) this.#listeners.delete(listener.jobId);
    if (this.#listeners.size === 0) void this.#closeEvents();
  }

  /** Closes the connection. Pending calls reject with a {@link PollingError}. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const jobId of Array.from(this.#listeners.keys())) this.#notifyOutcome(jobId, closed(jobId));
    await this.#closeEvents();
  }

  /** Closes the connection; the next listener opens another. */
  async #closeEvents(): Promise<void> {
    this.#cancelCheck?.();
    this.#cancelCheck = undefined;
    const events = this.#events;
    this.#events = undefined;
    await events?.then((open) => open.close()).catch(this.#report);
  }

  /** Opens the connection, if it is not open. After a failure the next check or the next listener tries again. */
  #opened(): Promise<QueueEvents> {
    if (this.#events) return this.#events;
    const events = this.#open();
    this.#events = events;
    events.catch(() => {
      if (this.#events === events) this.#events = undefined;
    });
    return events;
  }

  async #open(): Promise<QueueEvents> {
    // By default the events start when Redis gets the first read: what happens before would be lost.
    const sentAt = this.#clock.now();
    const since = await redisTimeInMs(this.#queue);
    this.#clock.learn(since, sentAt, this.#clock.now());
    const lastEventId = `${Math.floor(since)}-0`;
    const events = new QueueEvents(this.#queue.name, { ...this.#location, lastEventId });
    events.on("error", this.#report);
    events.on("progress", ({ jobId, data }) => this.#onProgress(jobId, data));
    events.on("completed", ({ jobId, returnvalue }) => this.#onCompleted(jobId, returnvalue));
    events.on("failed", ({ jobId, failedReason }) =>
      this.#notifyOutcome(jobId, rejected(jobId, failedReason)),
    );
    // The event may come after the job was removed and added again.
    events.on("removed", ({ jobId }) => void this.#check(jobId));
    return events;
  }

  async #checkAll(): Promise<void> {
    const cancelCheck = this.#cancelCheck;
    try {
      await this.#opened();
      // One after the other: a hundred thousand at once would keep Redis from everything else.
      for (const jobId of Array.from(this.#listeners.keys())) await this.#check(jobId);
    } catch (error) {
      this.#report(error);
    }
    // All listeners may have left meanwhile, and others have come, which have a timer of their own.
    if (this.#cancelCheck !== cancelCheck) return;
    this.#cancelCheck = systemClock.setTimer(() => void this.#checkAll(), checkIntervalInMs);
  }

  async #check(jobId: string): Promise<void> {
    if (!this.#listeners.has(jobId)) return;
    try {
      const job: Job | undefined = await this.#queue.getJob(jobId);
      if (job === undefined) this.#notifyOutcome(jobId, notFound(jobId));
      else this.#onJob(jobId, job);
    } catch (error) {
      this.#report(error);
    }
  }

  #onJob(jobId: string, job: Job): void {
    const end = endStateOf(job);
    if (end === "completed") return this.#onCompleted(jobId, job.returnvalue, job.progress);
    if (end === "rejected") return this.#notifyOutcome(jobId, rejected(jobId, job.failedReason));
    if (job.progress !== 0) this.#onProgress(jobId, job.progress);
    const error = timeoutIfOverdue(job, this.#clock.timestamp());
    if (error) this.#notifyOutcome(jobId, { type: "pollingFailed", error });
  }

  #onProgress(jobId: string, data: unknown): void {
    if (!this.#listeners.has(jobId)) return;
    try {
      this.#notifyProgress(jobId, parseProgress(data));
    } catch (error) {
      this.#report(error);
    }
  }

  /** @param earlier - the progress before the end, which may have come without one */
  #onCompleted(jobId: string, returnValue: unknown, earlier: unknown = 0): void {
    if (!this.#listeners.has(jobId)) return;
    try {
      // Events carry it as text.
      const value: unknown = typeof returnValue === "string" ? JSON.parse(returnValue) : returnValue;
      const { outcome, progress } = parseReturnValue(value);
      if (progress) this.#notifyProgress(jobId, progress);
      else if (earlier !== 0) this.#onProgress(jobId, earlier);
      this.#notifyOutcome(jobId, outcome);
    } catch (error) {
      this.#notifyOutcome(jobId, { type: "pollingFailed", error });
    }
  }

  #notifyProgress(jobId: string, progress: Progress): void {
    for (const listener of Array.from(this.#listeners.get(jobId) ?? [])) listener.onJobProgress(progress);
  }

  #notifyOutcome(jobId: string, outcome: Outcome<unknown>): void {
    for (const listener of Array.from(this.#listeners.get(jobId) ?? [])) listener.onJobOutcome(outcome);
  }
}

function rejected(jobId: string, reason: string): Outcome<never> {
  const cause = reason.replace(/\.$/, "");
  const message = `The workers rejected job ${jobId}: ${cause}. Fix the cause, and add the operation again.`;
  return { type: "pollingFailed", error: new PollingError(message, "JobRejected") };
}

function notFound(jobId: string): Outcome<never> {
  return { type: "pollingFailed", error: jobNotFound(jobId) };
}

function closed(jobId: string): Outcome<never> {
  const message = `Stopped waiting for job ${jobId}, because its queue was closed. The workers continue.`;
  return { type: "disposed", error: new PollingError(message, "Disposed") };
}
