import stringWidth from "string-width";
import type { JobDescription } from "../../bullmq/index.ts";
import { LroError } from "../../index.ts";
import { clockText } from "../input/duration.ts";
import { padTo, truncate } from "./layout.ts";
import { printable, singleLine, stateText, toJson } from "./text.ts";
import { causeCodeOf, errorData } from "./wait-outcome.ts";
import { toError } from "./to-error.ts";

const heads = ["JOB", "STATE", "STATUS", "POLLS", "NEXT", "PROBLEM", "OPERATION"] as const;

/** A reason of a worker is a sentence; all of it is in {@link jobText}. */
const maxCellWidth = 40;

/**
 * Returns a table of jobs, with a line for each.
 *
 * @param now - milliseconds since 1970
 * @param columns - the width of the terminal
 */
export function jobTable(jobs: readonly JobDescription[], now: number, columns: number): string {
  const rows = [heads, ...jobs.map((job) => cellsOf(job, now))];
  const widths = heads.map((_, column) => Math.max(...rows.map((cells) => stringWidth(cells[column] ?? ""))));
  const lines = rows.map((cells) => {
    const padded = cells.map((cell, column) => padTo(cell, widths[column] ?? 0));
    return `${truncate(padded.join("  ").trimEnd(), columns)}\n`;
  });
  return lines.join("");
}

function cellsOf(job: JobDescription, now: number): readonly string[] {
  const { jobId, state, pollCount, failedPollCount, nextPollAt, operationId } = job;
  const cells = [
    jobId,
    state,
    statusOf(job) ?? "-",
    pollsText(pollCount, failedPollCount) ?? "-",
    nextPollAt === undefined ? "-" : clockText(nextPollAt.getTime() - now),
    problemOf(job) ?? "-",
  ];
  return [...cells.map((cell) => truncate(singleLine(cell), maxCellWidth)), singleLine(operationId ?? "-")];
}

function statusOf({ status, percentComplete }: JobDescription): string | undefined {
  return status === undefined ? undefined : stateText(status, percentComplete);
}

function pollsText(pollCount: number | undefined, failedPollCount = 0): string | undefined {
  if (pollCount === undefined) return undefined;
  return failedPollCount === 0 ? String(pollCount) : `${pollCount} (${failedPollCount} failed)`;
}

/** Returns what an operator looks for: why polls fail, why polling stopped, or why the operation failed. */
function problemOf({
  rejectionReason,
  unclaimedSince,
  lastFailure,
  outcome,
}: JobDescription): string | undefined {
  if (rejectionReason !== undefined) return rejectionReason;
  if (unclaimedSince && outcome === undefined) return "no worker has a client for it";
  const error = outcome?.type === "succeeded" ? undefined : (outcome?.error ?? lastFailure);
  return error instanceof LroError ? causeCodeOf(error) : error && toError(error).message;
}

/** Returns all that is known of a job, on several lines. */
export function jobText(job: JobDescription, now: number): string {
  const { outcome, lastFailure, nextPollAt } = job;
  const lines = [
    `job ${job.jobId} ${job.state}`,
    field("operation", job.operationId),
    field("url", job.url),
    field("status", statusOf(job)),
    field("polls", pollsText(job.pollCount, job.failedPollCount)),
    field(
      "next poll",
      nextPollAt && `${nextPollAt.toISOString()} (in ${clockText(nextPollAt.getTime() - now)})`,
    ),
    field("added", timeText(job.createdAt, now)),
    field("started", timeText(job.startedAt, now)),
    field("deadline", job.deadline?.toISOString()),
    field("finished", timeText(job.finishedAt, now)),
    field("attempts", String(job.attempts)),
    field(
      "unclaimed",
      job.unclaimedSince && `no worker has a client for it, since ${timeText(job.unclaimedSince, now)}`,
    ),
    field("failure", lastFailure && failureText(lastFailure)),
    field("rejected", job.rejectionReason),
    field("outcome", outcome && outcomeText(outcome)),
    ...(outcome?.type === "succeeded" ? [jsonField("result", outcome.result)] : []),
    ...(outcome?.type === "failed" ? [jsonField("error", errorData(toError(outcome.error)))] : []),
  ];
  return lines.filter((line) => line !== undefined).join("\n");
}

/** The message of a response with an error has its code. */
function failureText({ code, message }: NonNullable<JobDescription["lastFailure"]>): string {
  return message.includes(code) ? message : `${code}: ${message}`;
}

function outcomeText(outcome: NonNullable<JobDescription["outcome"]>): string {
  return outcome.type === "succeeded" ? outcome.type : `${outcome.type}: ${toError(outcome.error).message}`;
}

function timeText(time: Date | undefined, now: number): string | undefined {
  return time && `${time.toISOString()} (${clockText(now - time.getTime())} ago)`;
}

function field(name: string, value: string | undefined): string | undefined {
  return value === undefined ? undefined : `  ${name.padEnd(10)}${singleLine(value)}`;
}

/** Puts JSON on lines of its own, so that it can be copied. */
function jsonField(name: string, value: unknown): string | undefined {
  return value === undefined ? undefined : printable(`  ${name}\n${toJson(value, 2)}`);
}

/** Converts a job into an object for JSON. */
export function jobData({ lastFailure, outcome, ...job }: JobDescription): object {
  return {
    ...job,
    lastFailure: lastFailure && errorData(lastFailure),
    outcome: outcome && outcomeData(outcome),
  };
}

function outcomeData(outcome: NonNullable<JobDescription["outcome"]>): object {
  if (outcome.type === "succeeded") return outcome;
  return { type: outcome.type, error: errorData(toError(outcome.error)) };
}
