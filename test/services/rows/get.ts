import { on } from "../../azure/lro/support.ts";
import { differs, failed, polls } from "../row.ts";
import type { Expected, Row } from "../row.ts";

/** A GET of a URL that has no header for polling, and the same again. */
function get(
  path: string,
  bodies: readonly [unknown, ...unknown[]],
  expected: Expected,
): Pick<Row, "exchanges" | "expected"> {
  const [first, ...rest] = bodies;
  return { exchanges: [on(`GET ${path}`, 200, { body: first }), ...polls(path, ...rest)], expected };
}

const transcription = "/speechtotext/v3.2/transcriptions/t1";
const transcribed = {
  self: transcription,
  links: { files: `${transcription}/files` },
  properties: { diarizationEnabled: false, durationInTicks: 420_000_000 },
};
const build = "/org/project/_apis/build/builds/7?api-version=7.1";
const spark = "/livyApi/versions/2019-11-01-preview/sparkPools/p1/batches/1";
const index = "/westeurope/Accounts/a1/Videos/v1/Index";

export const getRows: readonly Row[] = [
  {
    service: "DevCenter",
    shape: "the status URL: InProgress, then Succeeded",
    source: "issue 15, kind 2",
    ...get("/operationStatuses/o1", [{ status: "InProgress" }, { status: "Succeeded" }], {
      result: { status: "Succeeded" },
    }),
    coreLro: differs.getIsNoPoll,
  },
  {
    service: "DevCenter",
    shape: "the status URL: Failed at once",
    source: "issue 15, kind 2",
    ...get(
      "/operationStatuses/o2",
      [{ status: "Failed", error: { code: "NoCapacity", message: "Try later." } }],
      failed("NoCapacity", "Try later."),
    ),
    coreLro: differs.getIsNoPoll,
  },
  {
    service: "A resource provider",
    shape: "its own status is no state: Enabled",
    source: "issue 15, kind 1",
    ...get("/resources/r1", [{ id: "r1", status: "Enabled" }], { result: { id: "r1", status: "Enabled" } }),
  },
  {
    service: "A resource provider",
    shape: "provisioningState Updating, then Succeeded",
    source: "issue 15, kind 2",
    ...get(
      "/resources/r2",
      [{ properties: { provisioningState: "Updating" } }, { properties: { provisioningState: "Succeeded" } }],
      { result: { properties: { provisioningState: "Succeeded" } } },
    ),
    coreLro: differs.getIsNoPoll,
  },
  {
    service: "Discovery",
    shape: "no monitor header: the run's operation is polled",
    source: "specs#46596",
    ...get(
      "/runs/r1/operations/o1?api-version=2026-02-01",
      [
        { id: "o1", status: "Running", error: null },
        { id: "o1", status: "Succeeded", error: null },
      ],
      { result: { id: "o1", status: "Succeeded", error: null } },
    ),
    coreLro: differs.getIsNoPoll,
  },
  {
    service: "Speech",
    shape: "the transcription itself is polled",
    source: "REST reference",
    ...get(
      transcription,
      [
        { self: transcription, status: "NotStarted" },
        { self: transcription, status: "Running" },
        { ...transcribed, status: "Succeeded" },
      ],
      { result: { ...transcribed, status: "Succeeded" } },
    ),
    coreLro: differs.getIsNoPoll,
  },
  {
    service: "Speech",
    shape: "the error is at `properties.error`",
    source: "REST reference",
    ...get(
      transcription,
      [
        {
          self: transcription,
          status: "Failed",
          properties: { durationInTicks: 0, error: { code: "InvalidUri", message: "No such file." } },
        },
      ],
      failed("InvalidUri", "No such file."),
    ),
    coreLro: differs.getIsNoPoll,
  },
  {
    service: "Azure DevOps",
    shape: "a build: completed, the verdict in `result` is failed",
    source: "REST reference",
    ...get(
      build,
      [
        { id: 7, status: "inProgress" },
        { id: 7, status: "completed", result: "failed" },
      ],
      failed("Failed"),
    ),
    coreLro: differs.getIsNoPoll,
    command: "not applicable: DevCenter has no verdict in `result`",
  },
  {
    service: "Azure DevOps",
    shape: "a build: completed, the verdict in `result` is partiallySucceeded",
    source: "REST reference",
    ...get(
      build,
      [
        { id: 7, status: "inProgress" },
        { id: 7, status: "completed", result: "partiallySucceeded" },
      ],
      { result: { id: 7, status: "completed", result: "partiallySucceeded" } },
    ),
    coreLro: differs.getIsNoPoll,
  },
  {
    service: "OpenAI batch",
    shape: "validating, in_progress, finalizing, completed",
    source: "REST reference",
    ...get(
      "/openai/batches/b1?api-version=2024-10-21",
      [
        { id: "b1", status: "validating" },
        { id: "b1", status: "in_progress", request_counts: { total: 9, completed: 1, failed: 0 } },
        { id: "b1", status: "finalizing" },
        { id: "b1", status: "completed", output_file_id: "f1" },
      ],
      { result: { id: "b1", status: "completed", output_file_id: "f1" } },
    ),
    coreLro: differs.getIsNoPoll,
  },
  {
    service: "OpenAI batch",
    shape: "expired is a failure, with a list of errors",
    source: "REST reference",
    ...get(
      "/openai/batches/b2?api-version=2024-10-21",
      [
        {
          id: "b2",
          status: "expired",
          errors: { object: "list", data: [{ code: "batch_expired", message: "Too slow.", line: null }] },
        },
      ],
      failed("batch_expired", "Too slow."),
    ),
    coreLro: differs.getIsNoPoll,
  },
  {
    service: "Synapse Spark",
    shape: "Livy: the state is `state` at the root",
    source: "REST reference",
    ...get(
      spark,
      [
        { id: 1, state: "starting" },
        { id: 1, state: "running" },
        { id: 1, state: "success" },
      ],
      { result: { id: 1, state: "success" } },
    ),
    coreLro: differs.getIsNoPoll,
  },
  {
    service: "Video Indexer",
    shape: "`state` and `processingProgress` with a percent sign",
    source: "REST reference",
    ...get(
      index,
      [
        { id: "v1", state: "Processing", videos: [{ processingProgress: "40%" }] },
        { id: "v1", state: "Failed", failureCode: "General" },
      ],
      { error: { name: "OperationFailedError", status: "Failed" } },
    ),
    coreLro: differs.getIsNoPoll,
  },
  {
    service: "Machine Learning",
    shape: "a job: the state is `properties.status`",
    source: "REST reference",
    ...get(
      "/workspaces/w1/jobs/j1?api-version=2024-04-01",
      [
        { id: "j1", properties: { jobType: "Command", status: "Preparing" } },
        { id: "j1", properties: { jobType: "Command", status: "Running" } },
        { id: "j1", properties: { jobType: "Command", status: "Completed" } },
      ],
      { result: { id: "j1", properties: { jobType: "Command", status: "Completed" } } },
    ),
    coreLro: differs.getIsNoPoll,
  },
];
