import { QueueEvents } from "bullmq";
import type { Job, Queue } from "bullmq";
import { systemClock } from "../clock.ts";
import { PollingError, messageOf } from "../errors.ts";
import type { Outcome } from "../outcome.ts";
import { parseObject } from "../parse.ts";
import type { Progress } from "../progress.ts";
import { parseOutcome } from "./ending-record.ts";
import { parseProgress } from "./progress-record.ts";
import type { QueueLocation } from "./queue-options.ts";
import { redisTimeInMs } from "./redis-look.ts";

/** Who is told of one job. */
export interface Watcher {
  readonly jobId: string;
  onProgress(progress: Progress): void;
  onOutcome(outcome: Outcome<unknown>): void;
}

/** Redis keeps some thousand events: whoever was cut off for longer has missed some, and looks at the jobs themselves. */
const lookAgainAfterInMs = 30_000;

/** Tells of the jobs of a queue, as long as somebody wants to know: over one connection, however many they are. */
export class Watch {
  readonly #queue: Queue;
  readonly #location: QueueLocation & { readonly queueName: string };
  readonly #report: (error: unknown) => void;
  readonly #watchers = new Map<string, Set<Watcher>>();
  #events: Promise<QueueEvents> | undefined;
  #callOffLook: (() => void) | undefined;

  constructor(
    queue: Queue,
    location: QueueLocation & { readonly queueName: string },
    report: (error: unknown) => void,
  ) {
    this.#queue = queue;
    this.#location = location;
    this.#report = report;
  }

  add(watcher: Watcher): void {
    const others = this.#watchers.get(watcher.jobId) ?? new Set();
    this.#watchers.set(watcher.jobId, others.add(watcher));
    this.#callOffLook ??= systemClock.setTimer(() => void this.#lookAtAll(), lookAgainAfterInMs);
    void this.#begin(watcher.jobId);
  }

  remove(watcher: Watcher): void {
    const others = this.#watchers.get(watcher.jobId);
    others?.delete(watcher);
    if (others?.size === 0) this.#watchers.delete(watcher.jobId);
    if (this.#watchers.size === 0) void this.#letGo();
  }

  /** Lets everybody go, who then rejects with a {@link PollingError}, and the connection. */
  async close(): Promise<void> {
    for (const jobId of Array.from(this.#watchers.keys())) this.#tell(jobId, closed(jobId));
    await this.#letGo();
  }

  /** Lets go of the connection; the next watcher opens another. */
  async #letGo(): Promise<void> {
    this.#callOffLook?.();
    this.#callOffLook = undefined;
    const events = this.#events;
    this.#events = undefined;
    await events?.then((open) => open.close()).catch(this.#report);
  }

  /** First the events, then the job: what comes in between is told, at worst twice. */
  async #begin(jobId: string): Promise<void> {
    const events = (this.#events ??= this.#open());
    try {
      await events;
      await this.#lookAt(jobId);
    } catch (error) {
      // The next look, or the next watcher, tries again.
      if (this.#events === events) this.#events = undefined;
      this.#report(error);
    }
  }

  async #open(): Promise<QueueEvents> {
    const { connection, queueName, prefix } = this.#location;
    // From now on, and not from when Redis hears of it: else what came in between would be lost.
    const since = Math.floor(await redisTimeInMs(this.#queue));
    const options = { connection, lastEventId: `${since}-0`, ...(prefix !== undefined && { prefix }) };
    const events = new QueueEvents(queueName, options);
    events.on("error", this.#report);
    events.on("progress", ({ jobId, data }) => this.#onProgress(jobId, data));
    events.on("completed", ({ jobId, returnvalue }) => this.#onCompleted(jobId, returnvalue));
    events.on("failed", ({ jobId, failedReason }) => this.#tell(jobId, refused(failedReason)));
    events.on("removed", ({ jobId }) => this.#tell(jobId, gone(jobId)));
    return events;
  }

  async #lookAtAll(): Promise<void> {
    try {
      // One after the other: of a hundred thousand, all at once would keep Redis from everything else.
      await (this.#events ??= this.#open());
      for (const jobId of Array.from(this.#watchers.keys())) await this.#lookAt(jobId);
    } catch (error) {
      this.#events = undefined;
      this.#report(error);
    }
    if (this.#callOffLook === undefined) return;
    this.#callOffLook = systemClock.setTimer(() => void this.#lookAtAll(), lookAgainAfterInMs);
  }

  async #lookAt(jobId: string): Promise<void> {
    if (!this.#watchers.has(jobId)) return;
    const job: Job | undefined = await this.#queue.getJob(jobId);
    if (job === undefined) return this.#tell(jobId, gone(jobId));
    if (job.progress !== 0) this.#onProgress(jobId, job.progress);
    if (job.finishedOn === undefined) return;
    if (job.failedReason) this.#tell(jobId, refused(job.failedReason));
    else this.#onCompleted(jobId, job.returnvalue);
  }

  #onProgress(jobId: string, data: unknown): void {
    const watchers = this.#watchers.get(jobId);
    if (watchers === undefined) return;
    try {
      const progress = parseProgress(data);
      for (const watcher of Array.from(watchers)) watcher.onProgress(progress);
    } catch (error) {
      this.#report(error);
    }
  }

  #onCompleted(jobId: string, returned: unknown): void {
    if (this.#watchers.has(jobId)) this.#tell(jobId, outcomeIn(returned));
  }

  #tell(jobId: string, outcome: Outcome<unknown>): void {
    for (const watcher of Array.from(this.#watchers.get(jobId) ?? [])) watcher.onOutcome(outcome);
  }
}

/** What a job returned is checked like all that comes from Redis. */
function outcomeIn(returned: unknown): Outcome<unknown> {
  try {
    // Events carry it as text.
    const value: unknown = typeof returned === "string" ? JSON.parse(returned) : returned;
    return parseOutcome(parseObject(value, "job.returnvalue"));
  } catch (error) {
    return { type: "gaveUp", error };
  }
}

function refused(reason: string): Outcome<never> {
  return { type: "gaveUp", error: new PollingError(`The workers refused the job: ${reason}`, "JobRefused") };
}

function gone(jobId: string): Outcome<never> {
  const message = `The queue has no job ${jobId} any more: it was removed, or its outcome was kept no longer`;
  return { type: "gaveUp", error: new PollingError(message, "JobNotFound") };
}

function closed(jobId: string): Outcome<never> {
  const message = `Stopped waiting for job ${jobId}, because its queue was closed. The workers go on`;
  return { type: "disposed", error: new PollingError(message, "Disposed") };
}

/** What is told to the log of whatever was thrown. */
export function lineOf(error: unknown): string {
  return `The queue's connection: ${messageOf(error)}`;
}
