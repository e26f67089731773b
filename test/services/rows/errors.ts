import { on } from "../../azure/lro/support.ts";
import { differs, impatient, polls } from "../row.ts";
import type { Row } from "../row.ts";

const monitor = { headers: { "operation-location": "{origin}/operations/1" } };

/** Responses that name no outcome, or that reject the request. */
export const errorRows: readonly Row[] = [
  {
    service: "OpenAI batch",
    shape: "POST answers 200 without a URL, and the batch runs",
    source: "issue 15, kind 2",
    exchanges: [
      on("POST /openai/batches?api-version=2024-10-21", 200, { body: { id: "b1", status: "validating" } }),
    ],
    options: impatient,
    expected: { error: { name: "PollingError", message: "URL", status: undefined } },
    coreLro: differs.noUrl,
  },
  {
    service: "Batch",
    shape: "DELETE of a pool answers 202 without a URL",
    source: "azcore, 202 POST and DELETE",
    exchanges: [on("DELETE /pools/p1?api-version=2024-07-01.20.0", 202)],
    options: impatient,
    expected: { error: { name: "PollingError", message: "URL", status: undefined } },
    coreLro: differs.noUrl,
  },
  {
    service: "Anomaly Detector",
    shape: "a monitor without a status at the root",
    source: "specs PR#23233",
    exchanges: [
      on("POST /models", 202, monitor),
      ...polls("/operations/1", { modelInfo: { status: "CREATED" } }),
    ],
    options: impatient,
    expected: { error: { name: "PollingError", status: "NotStarted" } },
    coreLro: differs.noStatus,
  },
  {
    service: "Video Indexer",
    shape: "400 with ErrorType and Message while it runs",
    source: "REST reference",
    exchanges: [
      on("POST /videos", 202, monitor),
      on("GET /operations/1", 400, {
        body: { ErrorType: "VIDEO_INDEXING_IN_PROGRESS", Message: "The video is being indexed." },
      }),
    ],
    expected: { error: { name: "PollingError", code: "VIDEO_INDEXING_IN_PROGRESS", status: "NotStarted" } },
  },
  {
    service: "Network",
    shape: "429 RetryableErrorDueToAnotherOperation starts nothing yet",
    source: "REST reference",
    exchanges: [
      on("PUT /subnets/s1", 429, {
        body: { error: { code: "RetryableErrorDueToAnotherOperation", message: "Locked.", details: [] } },
      }),
      on("PUT /subnets/s1", 200, { body: { id: "s1", properties: { provisioningState: "Succeeded" } } }),
    ],
    expected: { result: { id: "s1", properties: { provisioningState: "Succeeded" } } },
    coreLro: differs.failedPoll,
  },
  {
    service: "Network",
    shape: "404 with a message and no code",
    source: "go PR#19385",
    exchanges: [
      on("PUT /ipGroups/g1", 404, { body: { error: { message: "The resource group was not found." } } }),
    ],
    expected: {
      error: {
        name: "OperationStartError",
        message: "The resource group was not found.",
        status: undefined,
      },
    },
  },
  {
    service: "App Configuration",
    shape: "problem+json: `status` is the HTTP code",
    source: "REST reference",
    exchanges: [
      on("PUT /snapshots/s1", 409, {
        headers: { "content-type": "application/problem+json" },
        body: {
          type: "https://azconfig.io/errors/already-exists",
          title: "The snapshot exists.",
          status: 409,
        },
      }),
    ],
    expected: { error: { name: "OperationStartError", status: undefined } },
  },
  {
    service: "Resources",
    shape: "503, an HTML page and an empty body are failed polls",
    source: "issue 15, kind 3",
    exchanges: [
      on("POST /move", 202, monitor),
      on("GET /operations/1", 503, { body: { error: { code: "ServerBusy", message: "Later." } } }),
      on("GET /operations/1", 200, { headers: { "content-type": "text/html" }, body: "<html></html>" }),
      on("GET /operations/1", 200),
      ...polls("/operations/1", { status: "Succeeded" }),
    ],
    expected: { result: { status: "Succeeded" } },
    coreLro: differs.failedPoll,
    fromPollerLike: "same",
  },
];
