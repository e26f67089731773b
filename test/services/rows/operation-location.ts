import { on } from "../../azure/lro/support.ts";
import { canceled, differs, failed, polls } from "../row.ts";
import type { Expected, Row } from "../row.ts";

function at(url: string): { readonly headers: Record<string, string> } {
  return { headers: { "operation-location": `{origin}${url}` } };
}

function post(
  action: string,
  monitor: string,
  statuses: readonly unknown[],
  expected: Expected,
): Pick<Row, "exchanges" | "expected"> {
  return { exchanges: [on(`POST ${action}`, 202, at(monitor)), ...polls(monitor, ...statuses)], expected };
}

const analysis = "/documentintelligence/documentModels/m1:analyze?api-version=2024-11-30";
const analysisResult = "/documentintelligence/documentModels/m1/analyzeResults/r1?api-version=2024-11-30";
const analyzed = {
  status: "succeeded",
  createdDateTime: "2024-03-01T10:00:00Z",
  analyzeResult: { pages: [] },
};
const batchResult = "/documentintelligence/documentModels/m1/analyzeBatchResults/r1?api-version=2024-11-30";

const documentIntelligence: readonly Row[] = [
  {
    service: "Document Intelligence",
    shape: "lower case: notStarted, running, succeeded",
    source: "REST reference",
    ...post(analysis, analysisResult, [{ status: "notStarted" }, { status: "running" }, analyzed], {
      result: analyzed,
    }),
  },
  {
    service: "Document Intelligence",
    shape: "percentCompleted, and the model at `resourceLocation`",
    source: "REST reference",
    exchanges: [
      on("POST /documentintelligence/documentModels:build", 202, at("/documentintelligence/operations/o1")),
      ...polls(
        "/documentintelligence/operations/o1",
        { operationId: "o1", kind: "documentModelBuild", status: "running", percentCompleted: 40 },
        {
          operationId: "o1",
          kind: "documentModelBuild",
          status: "succeeded",
          percentCompleted: 100,
          resourceLocation: "/documentintelligence/documentModels/m1",
          result: { modelId: "m1" },
        },
      ),
      on("GET /documentintelligence/documentModels/m1", 200, { body: { modelId: "m1", docTypes: {} } }),
    ],
    expected: { result: { modelId: "m1", docTypes: {} } },
  },
  {
    service: "Document Intelligence batch",
    shape: "completed, and the result in `result`",
    source: "python PR#37197",
    ...post(
      analysis.replace("analyze", "analyzeBatch"),
      batchResult,
      [
        { status: "running", percentCompleted: 10 },
        { status: "completed", percentCompleted: 100, result: { succeededCount: 5, failedCount: 0 } },
      ],
      { result: { succeededCount: 5, failedCount: 0 } },
    ),
    coreLro: differs.endWord,
  },
  {
    service: "Document Intelligence batch",
    shape: "skipped ends where the caller says so",
    source: "REST reference",
    ...post(analysis, batchResult, [{ status: "running" }, { status: "skipped" }], {
      result: { status: "skipped" },
    }),
    options: { terminalStates: { succeeded: ["Skipped"] } },
    coreLro: differs.endWord,
  },
];

const jobs = "/language/analyze-text/jobs/j1?api-version=2023-04-01";
const batches = "/translator/document/batches/b1?api-version=2024-05-01";
const imports = "/imports/i1?api-version=2023-10-31";

const languages: readonly Row[] = [
  {
    service: "Language",
    shape: "partiallyCompleted is a success",
    source: "python textanalytics _lro.py",
    ...post(
      "/language/analyze-text/jobs?api-version=2023-04-01",
      jobs,
      [
        {
          jobId: "j1",
          status: "running",
          errors: [],
          tasks: { completed: 0, failed: 0, inProgress: 2, total: 2 },
        },
        {
          jobId: "j1",
          status: "partiallyCompleted",
          tasks: { completed: 1, failed: 1, inProgress: 0, total: 2 },
        },
      ],
      {
        result: {
          jobId: "j1",
          status: "partiallyCompleted",
          tasks: { completed: 1, failed: 1, inProgress: 0, total: 2 },
        },
      },
    ),
    coreLro: differs.endWord,
  },
  {
    service: "Language",
    shape: "failed, with a list of `errors`",
    source: "REST reference",
    ...post(
      "/language/analyze-text/jobs?api-version=2023-04-01",
      jobs,
      [
        { jobId: "j1", status: "running" },
        { jobId: "j1", status: "failed", errors: [{ code: "InvalidArgument", message: "Bad project." }] },
      ],
      failed("InvalidArgument", "Bad project."),
    ),
  },
  {
    service: "Language",
    shape: "cancelling runs, cancelled ends",
    source: "REST reference",
    ...post(
      "/language/analyze-text/jobs?api-version=2023-04-01",
      jobs,
      [{ status: "cancelling" }, { status: "cancelled" }],
      canceled("Canceled"),
    ),
  },
  {
    service: "Translation",
    shape: "ValidationFailed, the useful code in `innerError`",
    source: "python#17344",
    ...post(
      "/translator/document/batches?api-version=2024-05-01",
      batches,
      [
        { id: "b1", status: "NotStarted", summary: { total: 0 } },
        {
          id: "b1",
          status: "ValidationFailed",
          error: {
            code: "InvalidRequest",
            message: "Cannot access source document location.",
            target: "Operation",
            innerError: { code: "InvalidDocumentAccessLevel", message: "No read permission." },
          },
        },
      ],
      failed("InvalidRequest", "InvalidDocumentAccessLevel"),
    ),
  },
  {
    service: "Translation",
    shape: "Cancelling runs, though the Python SDK ends at it",
    source: "REST reference",
    ...post(
      "/translator/document/batches?api-version=2024-05-01",
      batches,
      [
        { id: "b1", status: "Cancelling", summary: { total: 9, cancelled: 1 } },
        { id: "b1", status: "Cancelled", summary: { total: 9, cancelled: 7 } },
      ],
      canceled("Canceled"),
    ),
  },
  {
    service: "Digital Twins",
    shape: "an import that was canceled, with `error: null`",
    source: "REST reference",
    ...post(
      imports.replace("i1?", "?"),
      imports,
      [
        { id: "i1", status: "notstarted", error: null },
        { id: "i1", status: "running", error: null },
        { id: "i1", status: "cancelling", error: null },
        { id: "i1", status: "cancelled", error: null },
      ],
      canceled("Canceled"),
    ),
  },
];

const others: readonly Row[] = [
  {
    service: "Maps Creator",
    shape: "a `Resource-Location` header leads to the result",
    source: "REST reference",
    exchanges: [
      on("POST /datasets?api-version=2.0", 202, at("/datasets/operations/o1?api-version=2.0")),
      on("GET /datasets/operations/o1?api-version=2.0", 200, {
        headers: { "resource-location": "{origin}/datasets/d1" },
        body: { operationId: "o1", status: "Succeeded", created: "2024-03-01T10:00:00Z" },
      }),
      on("GET /datasets/d1", 200, { body: { datasetId: "d1" } }),
    ],
    expected: { result: { datasetId: "d1" } },
    coreLro: differs.resultLocation,
  },
  {
    service: "Communication e-mail",
    shape: "`error: null` at the end",
    source: "REST reference",
    ...post(
      "/emails:send?api-version=2023-03-31",
      "/emails/operations/o1?api-version=2023-03-31",
      [
        { id: "o1", status: "Running", error: null },
        { id: "o1", status: "Succeeded", error: null },
      ],
      { result: { id: "o1", status: "Succeeded", error: null } },
    ),
  },
  {
    service: "Communication phone numbers",
    shape: "a relative monitor, and a Location for the result",
    source: "autorest#3765",
    exchanges: [
      on("POST /availablePhoneNumbers/countries/US/:search?api-version=2022-12-01", 202, {
        headers: {
          "operation-location": "/phoneNumbers/operations/search_s1?api-version=2022-12-01",
          location: "/availablePhoneNumbers/searchResults/s1?api-version=2022-12-01",
        },
      }),
      ...polls(
        "/phoneNumbers/operations/search_s1?api-version=2022-12-01",
        { status: "running", operationType: "search" },
        { status: "succeeded", operationType: "search" },
      ),
      on("GET /availablePhoneNumbers/searchResults/s1?api-version=2022-12-01", 200, {
        body: { searchId: "s1", phoneNumbers: ["+14255550123"] },
      }),
    ],
    expected: { result: { searchId: "s1", phoneNumbers: ["+14255550123"] } },
  },
  {
    service: "Device Update",
    shape: "a monitor relative to the service",
    source: "typespec-azure#5432",
    exchanges: [
      on("POST /deviceUpdate/i1/updates:import?api-version=2022-10-01", 202, {
        headers: { "operation-location": "/deviceUpdate/i1/updates/operations/o1?api-version=2022-10-01" },
      }),
      ...polls(
        "/deviceUpdate/i1/updates/operations/o1?api-version=2022-10-01",
        { operationId: "o1", status: "NotStarted" },
        { operationId: "o1", status: "Failed", error: { code: "ImportFailed", message: "Bad manifest." } },
      ),
    ],
    expected: failed("ImportFailed", "Bad manifest."),
  },
  {
    service: "App Configuration",
    shape: "PUT of a snapshot, its status without dates",
    source: "REST reference",
    exchanges: [
      on("PUT /snapshots/s1?api-version=2023-11-01", 201, {
        ...at("/operations?snapshot=s1&api-version=2023-11-01"),
        body: { name: "s1", status: "provisioning" },
      }),
      ...polls(
        "/operations?snapshot=s1&api-version=2023-11-01",
        { id: "s1", status: "Running", error: null },
        { id: "s1", status: "Succeeded", error: null },
      ),
      on("GET /snapshots/s1?api-version=2023-11-01", 200, { body: { name: "s1", status: "ready" } }),
    ],
    expected: { result: { name: "s1", status: "ready" } },
  },
  {
    service: "Health deidentification",
    shape: "PartialFailed is a partial success",
    source: "REST reference",
    ...post(
      "/jobs/j1?api-version=2024-11-15",
      "/jobs/j1/status?api-version=2024-11-15",
      [{ status: "Running" }, { status: "PartialFailed", summary: { successful: 9, failed: 1 } }],
      { result: { status: "PartialFailed", summary: { successful: 9, failed: 1 } } },
    ),
    coreLro: differs.substring,
  },
  {
    service: "Azure OpenAI images",
    shape: "notRunning runs, the result in `result`",
    source: "Azure OpenAI REST reference, 2023-06-01-preview",
    ...post(
      "/openai/images/generations:submit?api-version=2023-06-01-preview",
      "/openai/operations/images/o1?api-version=2023-06-01-preview",
      [
        { created: 1_685_064_331, id: "o1", status: "notRunning" },
        {
          created: 1_685_064_331,
          id: "o1",
          status: "succeeded",
          result: { data: [{ url: "https://image" }] },
        },
      ],
      { result: { data: [{ url: "https://image" }] } },
    ),
    coreLro: differs.resultIsProperties,
  },
  {
    service: "A data plane",
    shape: "aborted is a cancellation",
    source: "copy states of blobs",
    ...post("/copies", "/copies/c1", [{ status: "pending" }, { status: "aborted" }], canceled("Canceled")),
    coreLro: differs.endWord,
  },
  {
    service: "OneNote",
    shape: "Completed, percentComplete is a text",
    source: "REST reference",
    exchanges: [
      on("POST /v1.0/me/onenote/sections/s1/copyToNotebook", 202, at("/v1.0/me/onenote/operations/copy-1")),
      ...polls(
        "/v1.0/me/onenote/operations/copy-1",
        { id: "copy-1", status: "Running", percentComplete: "50" },
        {
          id: "copy-1",
          status: "Completed",
          percentComplete: "100",
          resourceLocation: "/v1.0/me/onenote/sections/s2",
        },
      ),
      on("GET /v1.0/me/onenote/sections/s2", 200, { body: { id: "s2" } }),
    ],
    expected: { result: { id: "s2" } },
    coreLro: differs.endWord,
  },
];

export const operationLocationRows: readonly Row[] = [...documentIntelligence, ...languages, ...others];
