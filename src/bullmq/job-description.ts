import type { Job, Queue } from "bullmq";
import { nameOf } from "../azure/lro/protocol.ts";
import { OperationCanceledError, OperationFailedError } from "../operation/errors.ts";
import type { RequestError } from "../operation/errors.ts";
import { parseObject } from "../operation/json-fields.ts";
import { withoutQuery } from "../redaction.ts";
import { parseToken } from "../state/resume-token.ts";
import type { ResumeToken } from "../state/resume-token.ts";
import { parseFailure } from "../durable/failure-record.ts";
import { endStateOf } from "./job-return-value.ts";
import { monitorUrlOf } from "../durable/operation-url.ts";
import { parseOutcome, parsePollState, parseProgress } from "../durable/step-outcome.ts";
import { parseStepState } from "../durable/step-state.ts";
import type { StepState } from "../durable/step-state.ts";

/**
 * The state of a job: `delayed` until its next poll, `waiting` for a worker, `active` while a worker polls it,
 * `completed` when it has an outcome, `rejected` when no worker may poll it.
 */
export type JobState = "delayed" | "waiting" | "active" | "completed" | "rejected";

/** How the wait of a job ended. `stopped`: polling has stopped, and the operation may continue. */
export type JobOutcome =
  | { readonly type: "succeeded"; readonly result: unknown }
  | { readonly type: "failed" | "canceled" | "stopped"; readonly error: unknown };

/** One job of a queue, as Redis has it. A field is `undefined` if it is not known, or the job's data is damaged. */
export interface JobDescription {
  /** The id of the job. */
  readonly jobId: string;
  /** The state of the job, which is not that of its operation. */
  readonly state: JobState;
  /** The id of the operation, or the last part of its URL. */
  readonly operationId: string | undefined;
  /** The URL that workers poll, without its query, in which services sign. */
  readonly url: string | undefined;
  /** The latest status word of the service. */
  readonly status: string | undefined;
  /** The latest percentage, 0 to 100. */
  readonly percentComplete: number | undefined;
  /** The polls so far, failed ones included. */
  readonly pollCount: number | undefined;
  /** The failed polls so far. */
  readonly failedPollCount: number | undefined;
  /** The failure of the latest poll, if it failed. */
  readonly lastFailure: RequestError | undefined;
  /** Since when no worker that got the job has had a client for it. */
  readonly unclaimedSince: Date | undefined;
  /** When the next poll is due, if the job is delayed. */
  readonly nextPollAt: Date | undefined;
  /** When the job was added. */
  readonly createdAt: Date;
  /** When the wait started: before `createdAt` if a resume token was added. */
  readonly startedAt: Date | undefined;
  /** When the `timeoutInMs` of the wait passes. */
  readonly deadline: Date | undefined;
  /** When the job completed or was rejected. */
  readonly finishedAt: Date | undefined;
  /** How often workers have ended the job: by an outcome, by a rejection, or because Redis or a bug made them fail. */
  readonly attempts: number;
  /** Why a worker rejected the job, if it is rejected. */
  readonly rejectionReason: string | undefined;
  /** The outcome, if the job is completed. */
  readonly outcome: JobOutcome | undefined;
}

/** Describes a job; `undefined` if the queue has none with this id. */
export async function describeJob(queue: Queue, jobId: string): Promise<JobDescription | undefined> {
  // The state comes first: if the job ends in between, the job itself says so.
  const state = await queue.getJobState(jobId);
  const job: Job | undefined = await queue.getJob(jobId);
  return job && descriptionOf(job, state === "delayed" || state === "active" ? state : "waiting");
}

/**
 * Describes a job.
 *
 * @param place - where it was found. A job that was in no such place any more when it was read waits for a worker.
 */
export function descriptionOf(job: Job, place: JobState): JobDescription {
  const state = endStateOf(job) ?? (place === "delayed" || place === "active" ? place : "waiting");
  const data = optionally(() => parseStepState(job.data, false).state);
  const token = data && optionally(() => parseToken({ ...data.token }));
  const url = token && urlOf(token);
  return {
    jobId: job.id ?? "",
    state,
    operationId: (token && operationIdOf(token)) ?? (url && nameOf(url)),
    url: url && withoutQuery(url),
    ...((state === "completed" && factsOfResult(job)) || factsOfWait(job, data?.outage, token)),
    unclaimedSince: dateOf(data?.unclaimed?.since),
    nextPollAt: state === "delayed" ? dateOf(data?.dueAt) : undefined,
    createdAt: new Date(job.timestamp),
    startedAt: dateOf(token?.startedAt),
    deadline: dateOf(token?.deadline),
    finishedAt: dateOf(job.finishedOn),
    attempts: job.attemptsMade,
    rejectionReason: state === "rejected" ? job.failedReason : undefined,
    outcome: state === "completed" ? outcomeOf(job.returnvalue) : undefined,
  };
}

type PollFacts = Pick<
  JobDescription,
  "status" | "percentComplete" | "pollCount" | "failedPollCount" | "lastFailure"
>;

function factsOfWait(job: Job, outage: StepState["outage"], token: ResumeToken | undefined): PollFacts {
  const progress = job.progress === 0 ? undefined : optionally(() => parseProgress(job.progress));
  return {
    // A token has no word of more than 32 bytes.
    status: progress?.status ?? token?.status,
    percentComplete: progress?.percentComplete ?? token?.percentComplete,
    pollCount: token?.pollCount,
    failedPollCount: token?.failedPollCount,
    lastFailure: outage && parseFailure(outage.failure, "state.outage.failure"),
  };
}

function factsOfResult({ returnvalue }: Job): PollFacts | undefined {
  return optionally(() => {
    const state = parsePollState(
      parseObject(returnvalue, "job.returnvalue")["state"],
      "job.returnvalue.state",
    );
    const { status, percentComplete, pollCount, failedPollCount, consecutiveFailures, failure } = state;
    const lastFailure = consecutiveFailures > 0 ? failure : undefined;
    return { status, percentComplete, pollCount, failedPollCount, lastFailure };
  });
}

function outcomeOf(returnvalue: unknown): JobOutcome {
  try {
    const outcome = parseOutcome(returnvalue);
    if (outcome.type === "succeeded") return outcome;
    return { type: endOf(outcome.error), error: outcome.error };
  } catch (error) {
    return { type: "stopped", error };
  }
}

function endOf(error: unknown): "failed" | "canceled" | "stopped" {
  if (error instanceof OperationFailedError) return "failed";
  return error instanceof OperationCanceledError ? "canceled" : "stopped";
}

function operationIdOf({ operation }: ResumeToken): string | undefined {
  const { operationId }: { readonly operationId?: unknown } = operation;
  return typeof operationId === "string" ? operationId : undefined;
}

/** Returns the URL that workers poll. */
function urlOf(token: ResumeToken): string | undefined {
  const { endpoint, projectName, operationId }: Record<string, unknown> = { ...token.operation };
  const ofDevCenter = `${String(endpoint)}projects/${String(projectName)}/operationstatuses/${String(operationId)}`;
  return (monitorUrlOf(token) ?? URL.parse(ofDevCenter))?.href;
}

/** A timeout may be longer than a date can hold. */
function dateOf(timestamp: number | undefined): Date | undefined {
  const date = new Date(timestamp ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** Anyone with write access to Redis may have damaged a job, and a worker then rejects it: it can still be described. */
function optionally<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}
