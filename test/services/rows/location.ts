import { on } from "../../azure/lro/support.ts";
import type { Route } from "../../support/route-server.ts";
import { canceled, differs, failed, impatient, polls } from "../row.ts";
import type { Expected, Row } from "../row.ts";

function at(url: string): { readonly headers: Record<string, string> } {
  return { headers: { location: `{origin}${url}` } };
}

/** A request that answers 202 with a Location, and the responses there. */
function via(
  requestLine: string,
  location: string,
  responses: readonly Pick<Route, "status" | "headers" | "body">[],
  expected: Expected,
): Pick<Row, "exchanges" | "expected"> {
  const routes = responses.map((response) => ({ method: "GET", path: location, ...response }));
  return { exchanges: [on(requestLine, 202, at(location)), ...routes], expected };
}

const resource = "/subscriptions/s1/resourceGroups/g1/providers/Microsoft.Sample/samples/s1";
const networkAcls = {
  id: "/subscriptions/s1/locations/westeurope/operationResults/o1",
  name: "o1",
  status: "Failed",
  error: { code: "NetworkAclsValidationFailure", message: "The subnet has no service endpoint." },
};

const armLocation: readonly Row[] = [
  {
    service: "A resource provider",
    shape: "200 with a status that says Failed",
    source: "issue 15, kind 1",
    ...via(
      `PUT ${resource}`,
      "/operationResults/o1",
      [{ status: 202 }, { status: 200, body: networkAcls }],
      failed("NetworkAclsValidationFailure", "The subnet has no service endpoint."),
    ),
    coreLro: differs.stateInBody,
  },
  {
    service: "A resource provider",
    shape: "the Location is a status monitor that answers 200 while running",
    source: "msrestazure-for-python#157, issue 15",
    ...via(
      `POST ${resource}/upgrade`,
      "/operationStatuses/o1",
      [
        { status: 200, body: { status: "Running", percentComplete: 40 } },
        { status: 200, body: { status: "InProgress", percentComplete: 80 } },
        { status: 200, body: { status: "Succeeded", percentComplete: 100 } },
      ],
      { result: { status: "Succeeded", percentComplete: 100 } },
    ),
    coreLro: differs.stateInBody,
  },
  {
    service: "A resource provider",
    shape: "the Location is a status monitor that says Failed",
    source: "go-autorest PR#705",
    ...via(
      `POST ${resource}/move`,
      "/operationStatuses/o2",
      [{ status: 200, body: { status: "Failed", error: { code: "MoveFailed", message: "Busy." } } }],
      failed("MoveFailed", "Busy."),
    ),
    coreLro: differs.stateInBody,
  },
  {
    service: "A resource provider",
    shape: "the Location is a status monitor that says Canceled",
    source: "go-autorest PR#705",
    ...via(
      `POST ${resource}/move`,
      "/operationStatuses/o3",
      [{ status: 200, body: { status: "Canceled" } }],
      canceled("Canceled"),
    ),
    coreLro: differs.stateInBody,
  },
  {
    service: "A resource provider",
    shape: "201, the Location is the resource, which is Creating",
    source: "issue 15, kind 1",
    exchanges: [
      on("PUT /redis/r1", 201, {
        ...at("/redis/r1"),
        body: { id: "/redis/r1", properties: { provisioningState: "Creating" } },
      }),
      ...polls(
        "/redis/r1",
        { id: "/redis/r1", properties: { provisioningState: "Creating" } },
        { id: "/redis/r1", properties: { provisioningState: "Succeeded" } },
      ),
    ],
    expected: { result: { id: "/redis/r1", properties: { provisioningState: "Succeeded" } } },
    coreLro: differs.stateInBody,
  },
  {
    service: "A resource provider",
    shape: "the resource at its Location ends Failed",
    source: "issue 15, kind 1",
    exchanges: [
      on("PUT /virtualHubs/h1", 201, at("/virtualHubs/h1")),
      ...polls(
        "/virtualHubs/h1",
        { id: "/virtualHubs/h1", properties: { provisioningState: "Updating" } },
        {
          id: "/virtualHubs/h1",
          properties: { provisioningState: "Failed", error: { code: "HubBusy", message: "Retry." } },
        },
      ),
    ],
    expected: failed("HubBusy", "Retry."),
    coreLro: differs.stateInBody,
  },
  {
    service: "API Management",
    shape: "the monitor is the resource with asyncId and asyncCode",
    source: "tf#24379, tf#23322",
    ...via(
      "PUT /service/apim/apis/a?api-version=2022-08-01",
      "/service/apim/apis/a?api-version=2022-08-01&asyncId=5f0c&asyncCode=201",
      [{ status: 202 }, { status: 200, body: { id: "a", properties: { displayName: "a" } } }],
      { result: { id: "a", properties: { displayName: "a" } } },
    ),
  },
  {
    service: "API Management",
    shape: "git save: 200 InProgress at operationResults",
    source: "specs#19397, apiops PR#640",
    ...via(
      "POST /service/apim/tenant/configuration/save?api-version=2022-08-01",
      "/service/apim/tenant/configuration/operationResults/o1?api-version=2022-08-01",
      [
        { status: 200, body: { id: "o1", status: "InProgress", error: null, actionLog: [] } },
        { status: 200, body: { id: "o1", status: "Succeeded", error: null, actionLog: [] } },
      ],
      { result: { id: "o1", status: "Succeeded", error: null, actionLog: [] } },
    ),
    coreLro: differs.stateInBody,
  },
  {
    service: "Cost Management",
    shape: "the result of a report says Completed",
    source: "specs CostDetailsOperationResultsBySubscriptionScope.json",
    ...via(
      "POST /providers/Microsoft.CostManagement/generateCostDetailsReport?api-version=2025-03-01",
      "/providers/Microsoft.CostManagement/costDetailsOperationResults/o1?api-version=2025-03-01",
      [
        { status: 202 },
        { status: 200, body: { id: "o1", name: "o1", status: "Completed", manifest: { blobCount: 1 } } },
      ],
      { result: { id: "o1", name: "o1", status: "Completed", manifest: { blobCount: 1 } } },
    ),
  },
  {
    service: "Cost Management",
    shape: "the result of a report says Complete",
    source: "specs GenerateBenefitUtilizationSummariesReportByReservation.json",
    ...via(
      "POST /providers/Microsoft.CostManagement/generateBenefitUtilizationSummariesReport?api-version=2025-03-01",
      "/providers/Microsoft.CostManagement/benefitUtilizationSummariesOperationResults/o1?api-version=2025-03-01",
      [{ status: 202 }, { status: 200, body: { status: "Complete", input: { grain: "Daily" } } }],
      { result: { status: "Complete", input: { grain: "Daily" } } },
    ),
    command: "not applicable: there the status code decides",
  },
  {
    service: "Synapse artifacts",
    shape: "202 with `state: Creating` and an operationId",
    source: "specs#14285",
    exchanges: [
      on("PUT /notebooks/n1?api-version=2020-12-01", 202, {
        ...at("/operationResults/o1?api-version=2020-12-01"),
        body: { recordId: 1, state: "Creating", operationId: "o1" },
      }),
      on("GET /operationResults/o1?api-version=2020-12-01", 202, {
        body: { recordId: 1, state: "Creating", operationId: "o1" },
      }),
      on("GET /operationResults/o1?api-version=2020-12-01", 200, { body: { id: "n1", name: "n1" } }),
    ],
    expected: { result: { id: "n1", name: "n1" } },
  },
  {
    service: "Automation",
    shape: "publish: the last response is an empty text/plain",
    source: "gas#559",
    ...via(
      "POST /automationAccounts/a1/runbooks/r1/publish?api-version=2023-11-01",
      "/automationAccounts/a1/runbooks/r1/operationResults/o1?api-version=2023-11-01",
      [{ status: 202 }, { status: 200, headers: { "content-type": "text/plain" } }],
      { result: undefined },
    ),
  },
  {
    service: "Automation",
    shape: "the result is a script, no JSON",
    source: "issue 15, kind 7",
    ...via(
      "POST /automationAccounts/a1/runbooks/r1/draft/export?api-version=2023-11-01",
      "/automationAccounts/a1/runbooks/r1/operationResults/o2?api-version=2023-11-01",
      [
        { status: 202 },
        { status: 200, headers: { "content-type": "text/powershell" }, body: 'Write-Output "done"\n' },
      ],
      { result: 'Write-Output "done"\n' },
    ),
  },
  {
    service: "Network Manager",
    shape: "the last response is empty and has no type",
    source: "tf#32527",
    ...via(
      "POST /networkManagers/m1/commit?api-version=2024-01-01",
      "/locations/westeurope/operationResults/o1?api-version=2024-01-01",
      [{ status: 202 }, { status: 200 }],
      { result: undefined },
    ),
  },
  {
    service: "A gateway in front of Azure",
    shape: "an HTML page with 200 is no result",
    source: "issue 15, kind 7",
    ...via(
      "POST /jobs",
      "/jobs/1",
      [
        { status: 202 },
        { status: 200, headers: { "content-type": "text/html" }, body: "<html>Maintenance</html>" },
      ],
      { error: { name: "PollingError", status: "Running" } },
    ),
    options: impatient,
    coreLro: differs.stateInBody,
  },
  {
    service: "A resource provider",
    shape: "the resource's own status is no state: Online",
    source: "issue 15, kind 1",
    ...via(
      "POST /resources/r1/restore",
      "/resources/r1",
      [
        { status: 202 },
        { status: 200, body: { id: "r1", status: "Online", properties: { status: "Disabled" } } },
      ],
      { result: { id: "r1", status: "Online", properties: { status: "Disabled" } } },
    ),
    command: "not applicable: there the status is the operation's",
  },
  {
    service: "A resource provider",
    shape: "a numeric status is an HTTP code and no state",
    source: "issue 15, kind 6",
    ...via(
      "POST /kv/restore",
      "/kv/restore/1",
      [{ status: 202 }, { status: 200, body: { status: 200, title: "OK" } }],
      { result: { status: 200, title: "OK" } },
    ),
  },
  {
    service: "A resource provider",
    shape: "200 with an `error` at the root and no state",
    source: "issue 15, kind 6",
    ...via(
      "POST /resources/r1/rotate",
      "/operationResults/o9",
      [
        { status: 202 },
        { status: 200, body: { error: { code: "ScopeLocked", message: "The scope is locked." } } },
      ],
      failed("ScopeLocked", "The scope is locked."),
    ),
    coreLro: differs.stateInBody,
  },
];

const dataset = "/v1.0/myorg/groups/g1/datasets/d1/refreshes/87f31ef7";
const refreshing = {
  startTime: "2021-12-10T08:40:31.57",
  type: "Full",
  status: "Unknown",
  extendedStatus: "InProgress",
};
const refreshed = {
  startTime: "2021-12-10T08:40:31.57",
  endTime: "2021-12-10T08:40:43.87",
  type: "Full",
  status: "Completed",
  extendedStatus: "Completed",
  objects: [{ table: "t", status: "Completed" }],
};

const operation = "/v1/operations/cfafbeb1-8037-4d0c-896e-a46fb27ff227";
const operationState = {
  status: "Running",
  createdTimeUtc: "2023-09-13T14:56:18.477Z",
  lastUpdatedTimeUtc: "2023-09-13T15:01:10.532Z",
  percentComplete: 25,
};
const operationDone = { ...operationState, status: "Succeeded", percentComplete: 100 };
const job = "/v1/workspaces/w1/items/i1/jobs/instances/j1";

const fabric: readonly Row[] = [
  {
    service: "Power BI",
    shape: "refresh: 202 Unknown, then 200 Completed",
    source: "Datasets - Get Refresh Execution Details",
    ...via(
      "POST /v1.0/myorg/groups/g1/datasets/d1/refreshes",
      dataset,
      [
        { status: 202, body: refreshing },
        { status: 200, body: refreshed },
      ],
      { result: refreshed },
    ),
  },
  {
    service: "Power BI",
    shape: "refresh: 200 for Failed too, dates without a zone",
    source: "Datasets - Get Refresh Execution Details",
    ...via(
      "POST /v1.0/myorg/groups/g1/datasets/d1/refreshes",
      dataset,
      [
        { status: 202, body: refreshing },
        { status: 200, body: { ...refreshed, status: "Failed", extendedStatus: "Failed" } },
      ],
      failed("Failed"),
    ),
    coreLro: differs.stateInBody,
  },
  {
    service: "Power BI",
    shape: "refresh: 200 for Cancelled",
    source: "Datasets - Get Refresh Execution Details",
    ...via(
      "POST /v1.0/myorg/groups/g1/datasets/d1/refreshes",
      dataset,
      [{ status: 200, body: { ...refreshed, status: "Cancelled", extendedStatus: "Cancelled" } }],
      canceled("Canceled"),
    ),
    coreLro: differs.stateInBody,
  },
  {
    service: "Fabric",
    shape: "200 with its own Location while running, `/result` at the end",
    source: "Long Running Operations - Get Operation State",
    exchanges: [
      on("POST /v1/workspaces/w1/notebooks", 202, { ...at(operation), body: null }),
      on(`GET ${operation}`, 200, { ...at(operation), body: operationState }),
      on(`GET ${operation}`, 200, { ...at(`${operation}/result`), body: operationDone }),
      on(`GET ${operation}/result`, 200, { body: { id: "n1", type: "Notebook" } }),
    ],
    expected: { result: { id: "n1", type: "Notebook" } },
    coreLro: differs.stateInBody,
  },
  {
    service: "Fabric",
    shape: "no Location at the end, hence no result",
    source: "fabric-cli PR#69",
    exchanges: [
      on("POST /v1/workspaces/w1/git/commitToGit", 202, at(operation)),
      ...polls(operation, { ...operationState, percentComplete: null }, operationDone),
    ],
    expected: { result: operationDone },
    coreLro: differs.stateInBody,
  },
  {
    service: "Fabric",
    shape: "Undefined runs, Failed has an errorCode",
    source: "Long Running Operations - Get Operation State",
    exchanges: [
      on("POST /v1/workspaces/w1/items", 202, at(operation)),
      ...polls(
        operation,
        { ...operationState, status: "Undefined", percentComplete: null },
        {
          ...operationState,
          status: "Failed",
          percentComplete: null,
          error: { errorCode: "ItemDisplayNameAlreadyInUse", message: "Choose another name." },
        },
      ),
    ],
    expected: failed("ItemDisplayNameAlreadyInUse", "Choose another name."),
    coreLro: differs.stateInBody,
  },
  {
    service: "Fabric",
    shape: "the result is an octet-stream",
    source: "Long Running Operations - Get Operation Result",
    exchanges: [
      on("POST /v1/workspaces/w1/items/i1/getDefinition", 202, at(operation)),
      on(`GET ${operation}`, 200, { ...at(`${operation}/result`), body: operationDone }),
      on(`GET ${operation}/result`, 200, {
        headers: { "content-type": "application/octet-stream" },
        body: "model\n  culture: en-US\n",
      }),
    ],
    expected: { result: "model\n  culture: en-US\n" },
    coreLro: differs.resultLocation,
  },
  {
    service: "Fabric jobs",
    shape: "an instance of a job: InProgress, Completed",
    source: "Job Scheduler - Get Item Job Instance",
    exchanges: [
      on("POST /v1/workspaces/w1/items/i1/jobs/instances?jobType=RunNotebook", 202, at(job)),
      ...polls(
        job,
        { id: "j1", status: "NotStarted", startTimeUtc: "0001-01-01T00:00:00", failureReason: null },
        { id: "j1", status: "InProgress", startTimeUtc: "2024-06-22T06:35:00.7812154", failureReason: null },
        { id: "j1", status: "Completed", endTimeUtc: "2024-06-22T06:40:00.8033333", failureReason: null },
      ),
    ],
    expected: {
      result: {
        id: "j1",
        status: "Completed",
        endTimeUtc: "2024-06-22T06:40:00.8033333",
        failureReason: null,
      },
    },
    coreLro: differs.stateInBody,
  },
  {
    service: "Fabric jobs",
    shape: "Failed, the error is `failureReason`",
    source: "Job Scheduler - Get Item Job Instance",
    exchanges: [
      on("POST /v1/workspaces/w1/items/i1/jobs/instances?jobType=Pipeline", 202, at(job)),
      ...polls(job, {
        id: "j1",
        status: "Failed",
        failureReason: { requestId: "r1", errorCode: "ServiceUnavailable", message: "Temporary failure." },
      }),
    ],
    expected: failed("ServiceUnavailable", "Temporary failure."),
    coreLro: differs.stateInBody,
  },
  {
    service: "Fabric jobs",
    shape: "Deduped ends as canceled where the caller says so",
    source: "REST reference",
    exchanges: [
      on("POST /v1/workspaces/w1/items/i1/jobs/instances?jobType=Pipeline", 202, at(job)),
      ...polls(job, { id: "j1", status: "InProgress" }, { id: "j1", status: "Deduped" }),
    ],
    options: { terminalStates: { canceled: ["deduped"] } },
    expected: canceled("Canceled"),
    coreLro: differs.stateInBody,
  },
];

const copy = "/personal/user/_api/v2.0/monitor/4A3407B5-88FC-4504-8B21-0AABD3412717";

const graph: readonly Row[] = [
  {
    service: "Graph copy",
    shape: "the monitor ends with HTTP 202 and `status: completed`",
    source: "Graph docs, long-running actions overview",
    ...via(
      "POST /v1.0/me/drive/items/i1/copy",
      copy,
      [
        { status: 202, body: { operation: "ItemCopy", percentageComplete: 0, status: "notStarted" } },
        { status: 202, body: { operation: "ItemCopy", percentageComplete: 27.8, status: "inProgress" } },
        {
          status: 202,
          body: { percentageComplete: 100, resourceId: "01MOWKYVJML57KN2ANMB", status: "completed" },
        },
      ],
      { result: { percentageComplete: 100, resourceId: "01MOWKYVJML57KN2ANMB", status: "completed" } },
    ),
    coreLro: differs.stateInBody,
  },
  {
    service: "Graph copy",
    shape: "failed, with HTTP 200",
    source: "Graph docs, monitor long-running actions",
    ...via(
      "POST /v1.0/me/drive/items/i1/copy",
      copy,
      [
        { status: 202, body: { status: "waiting", percentageComplete: 0 } },
        {
          status: 200,
          body: { status: "failed", error: { code: "nameAlreadyExists", message: "The name exists." } },
        },
      ],
      failed("nameAlreadyExists", "The name exists."),
    ),
    coreLro: differs.stateInBody,
  },
  {
    service: "Graph Teams",
    shape: "the Location is relative, the result `targetResourceLocation`",
    source: "Graph docs, teamsAsyncOperation",
    exchanges: [
      on("POST /v1.0/teams", 202, { headers: { location: "/v1.0/teams('t1')/operations('o1')" } }),
      ...polls(
        "/v1.0/teams('t1')/operations('o1')",
        { id: "o1", operationType: "createTeam", status: "inProgress", error: null },
        { id: "o1", status: "succeeded", targetResourceLocation: "/teams('t1')", error: null },
      ),
    ],
    expected: {
      result: { id: "o1", status: "succeeded", targetResourceLocation: "/teams('t1')", error: null },
    },
    coreLro: differs.stateInBody,
  },
  {
    service: "Graph Teams",
    shape: "the zero value `invalid`, then failed",
    source: "Graph docs, teamsAsyncOperation",
    exchanges: [
      on("POST /v1.0/teams/t1/clone", 202, at("/v1.0/teams/t1/operations/o2")),
      on("GET /v1.0/teams/t1/operations/o2", 202, { body: { id: "o2", status: "invalid" } }),
      ...polls("/v1.0/teams/t1/operations/o2", {
        id: "o2",
        status: "failed",
        error: { code: "BadRequest", message: "The mail nickname is taken." },
      }),
    ],
    expected: failed("BadRequest", "The mail nickname is taken."),
    coreLro: differs.stateInBody,
  },
  {
    service: "Graph security",
    shape: "caseOperation: partiallySucceeded is a success",
    source: "Graph docs, caseOperation",
    ...via(
      "POST /v1.0/security/cases/ediscoveryCases/c1/searches/s1/estimateStatistics",
      "/v1.0/security/cases/ediscoveryCases/c1/operations/o1",
      [
        { status: 200, body: { id: "o1", status: "running", percentProgress: 20 } },
        { status: 200, body: { id: "o1", status: "partiallySucceeded", percentProgress: 100 } },
      ],
      { result: { id: "o1", status: "partiallySucceeded", percentProgress: 100 } },
    ),
    coreLro: differs.stateInBody,
  },
  {
    service: "Graph security",
    shape: "caseOperation: submissionFailed is a failure",
    source: "Graph docs, caseOperation",
    ...via(
      "POST /v1.0/security/cases/ediscoveryCases/c1/searches/s1/purgeData",
      "/v1.0/security/cases/ediscoveryCases/c1/operations/o2",
      [{ status: 200, body: { id: "o2", status: "submissionFailed", resultInfo: { code: 400 } } }],
      failed("Failed"),
    ),
    coreLro: differs.stateInBody,
  },
];

const pending = "/certificates/c1/pending?api-version=7.5&request_id=6d4f";
const pendingCertificate = {
  id: "/certificates/c1/pending",
  issuer: { name: "Self" },
  cancellation_requested: false,
};

const keyVault: readonly Row[] = [
  {
    service: "Key Vault certificates",
    shape: "inProgress at the Location, then completed with `target`",
    source: "REST reference",
    ...via(
      "POST /certificates/c1/create?api-version=7.5",
      pending,
      [
        { status: 200, body: { ...pendingCertificate, status: "inProgress", status_details: "Pending." } },
        { status: 200, body: { ...pendingCertificate, status: "completed", target: "/certificates/c1" } },
      ],
      { result: { ...pendingCertificate, status: "completed", target: "/certificates/c1" } },
    ),
    coreLro: differs.stateInBody,
  },
  {
    service: "Key Vault certificates",
    shape: "failed, with an error and `status_details`",
    source: "REST reference",
    ...via(
      "POST /certificates/c1/create?api-version=7.5",
      pending,
      [
        {
          status: 200,
          body: {
            ...pendingCertificate,
            status: "failed",
            status_details: "The issuer rejected it.",
            error: { code: "IssuerRejected", message: "The issuer rejected the request." },
          },
        },
      ],
      failed("IssuerRejected", "The issuer rejected the request."),
    ),
    coreLro: differs.stateInBody,
  },
];

export const locationRows: readonly Row[] = [...armLocation, ...fabric, ...graph, ...keyVault];
