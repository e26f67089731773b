import { QueueEvents } from "bullmq";
import type { Job, Queue } from "bullmq";
import { systemClock } from "../clock.ts";
import { PollingError } from "../operation/errors.ts";
import type { Outcome } from "../state/outcome.ts";
import { parseObject } from "../operation/json-fields.ts";
import type { Progress } from "../state/progress.ts";
import { parseOutcome } from "./job-result.ts";
import { timeoutIfOverdue } from "./overdue.ts";
import { parseProgress } from "./job-progress.ts";
import type { QueueLocation } from "./queue-options.ts";
import { RedisClock } from "./redis-clock.ts";
import { redisTimeInMs } from "./redis-state.ts";

/** Who is told of one job. */
export interface JobListener {
  readonly jobId: string;
  onProgress(progress: Progress): void;
  onOutcome(outcome: Outcome<unknown>): void;
}

/** Redis keeps some thousand events: whoever was cut off for longer has missed some, and looks at the jobs themselves. */
const checkIntervalInMs = 30_000;

/** Tells of the jobs of a queue, as long as somebody wants to know: over one connection, however many they are. */
export class JobWatcher {
  readonly #queue: Queue;
  readonly #location: QueueLocation & { readonly queueName: string };
  readonly #report: (error: unknown) => void;
  readonly #listeners = new Map<string, Set<JobListener>>();
  readonly #clock = new RedisClock();
  #events: Promise<QueueEvents> | undefined;
  #cancelCheck: (() => void) | undefined;
  #isClosed = false;

  constructor(
    queue: Queue,
    location: QueueLocation & { readonly queueName: string },
    report: (error: unknown) => void,
  ) {
    this.#queue = queue;
    this.#location = location;
    this.#report = report;
  }

  add(watcher: JobListener): void {
    if (this.#isClosed) return watcher.onOutcome(closed(watcher.jobId));
    const others = this.#listeners.get(watcher.jobId) ?? new Set();
    this.#listeners.set(watcher.jobId, others.add(watcher));
    this.#cancelCheck ??= systemClock.setTimer(() => void this.#checkAll(), checkIntervalInMs);
    void this.#start(watcher.jobId);
  }

  remove(watcher: JobListener): void {
    const others = this.#listeners.get(watcher.jobId);
    others?.delete(watcher);
    if (others?.size === 0) this.#listeners.delete(watcher.jobId);
    if (this.#listeners.size === 0) void this.#closeEvents();
  }

  /** Lets everybody go, who then rejects with a {@link PollingError}, and the connection. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const jobId of Array.from(this.#listeners.keys())) this.#notify(jobId, closed(jobId));
    await this.#closeEvents();
  }

  /** Lets go of the connection; the next watcher opens another. */
  async #closeEvents(): Promise<void> {
    this.#cancelCheck?.();
    this.#cancelCheck = undefined;
    const events = this.#events;
    this.#events = undefined;
    await events?.then((open) => open.close()).catch(this.#report);
  }

  /** First the events, then the job: what comes in between is told, at worst twice. */
  async #start(jobId: string): Promise<void> {
    try {
      await this.#opened();
    } catch (error) {
      return this.#report(error);
    }
    await this.#check(jobId);
  }

  /** Where it could not be opened, the next look, or the next watcher, tries again. */
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
    const { connection, queueName, prefix } = this.#location;
    // From now on, and not from when Redis hears of it: else what came in between would be lost.
    const askedAt = this.#clock.now();
    const since = await redisTimeInMs(this.#queue);
    this.#clock.learn(since, askedAt, this.#clock.now());
    const lastEventId = `${Math.floor(since)}-0`;
    const options = { connection, lastEventId, ...(prefix !== undefined && { prefix }) };
    const events = new QueueEvents(queueName, options);
    events.on("error", this.#report);
    events.on("progress", ({ jobId, data }) => this.#onProgress(jobId, data));
    events.on("completed", ({ jobId, returnvalue }) => this.#onCompleted(jobId, returnvalue));
    events.on("failed", ({ jobId, failedReason }) => this.#notify(jobId, rejected(failedReason)));
    // Whoever removed it may have added it anew: who waits for that may be told of the removal only now.
    events.on("removed", ({ jobId }) => void this.#check(jobId));
    return events;
  }

  async #checkAll(): Promise<void> {
    const callOff = this.#cancelCheck;
    try {
      // One after the other: of a hundred thousand, all at once would keep Redis from everything else.
      await this.#opened();
      for (const jobId of Array.from(this.#listeners.keys())) await this.#check(jobId);
    } catch (error) {
      this.#report(error);
    }
    // All may have left meanwhile, and others have come, who have a timer of their own.
    if (this.#cancelCheck !== callOff) return;
    this.#cancelCheck = systemClock.setTimer(() => void this.#checkAll(), checkIntervalInMs);
  }

  async #check(jobId: string): Promise<void> {
    if (!this.#listeners.has(jobId)) return;
    try {
      const job: Job | undefined = await this.#queue.getJob(jobId);
      if (job === undefined) this.#notify(jobId, notFound(jobId));
      else this.#onJob(jobId, job);
    } catch (error) {
      this.#report(error);
    }
  }

  #onJob(jobId: string, job: Job): void {
    if (job.progress !== 0) this.#onProgress(jobId, job.progress);
    // Not by the reason of a failure: that of a try before stays when a later one succeeds.
    if (job.finishedOn === undefined) this.#onUnfinished(jobId, job);
    else if (job.returnvalue) this.#onCompleted(jobId, job.returnvalue);
    else this.#notify(jobId, rejected(job.failedReason));
  }

  #onUnfinished(jobId: string, job: Job): void {
    const error = timeoutIfOverdue(job, this.#clock.timestamp());
    if (error) this.#notify(jobId, { type: "pollingFailed", error });
  }

  #onProgress(jobId: string, data: unknown): void {
    const watchers = this.#listeners.get(jobId);
    if (watchers === undefined) return;
    try {
      const progress = parseProgress(data);
      for (const watcher of Array.from(watchers)) watcher.onProgress(progress);
    } catch (error) {
      this.#report(error);
    }
  }

  #onCompleted(jobId: string, returned: unknown): void {
    if (this.#listeners.has(jobId)) this.#notify(jobId, outcomeIn(returned));
  }

  #notify(jobId: string, outcome: Outcome<unknown>): void {
    for (const watcher of Array.from(this.#listeners.get(jobId) ?? [])) watcher.onOutcome(outcome);
  }
}

/** What a job returned is checked like all that comes from Redis. */
function outcomeIn(returned: unknown): Outcome<unknown> {
  try {
    // Events carry it as text.
    const value: unknown = typeof returned === "string" ? JSON.parse(returned) : returned;
    return parseOutcome(parseObject(value, "job.returnvalue"));
  } catch (error) {
    return { type: "pollingFailed", error };
  }
}

function rejected(reason: string): Outcome<never> {
  return {
    type: "pollingFailed",
    error: new PollingError(`The workers refused the job: ${reason}`, "JobRejected"),
  };
}

function notFound(jobId: string): Outcome<never> {
  const message = `The queue has no job ${jobId}: it was removed, its outcome was kept no longer, or it is another queue's`;
  return { type: "pollingFailed", error: new PollingError(message, "JobNotFound") };
}

function closed(jobId: string): Outcome<never> {
  const message = `Stopped waiting for job ${jobId}, because its queue was closed. The workers go on`;
  return { type: "disposed", error: new PollingError(message, "Disposed") };
}
