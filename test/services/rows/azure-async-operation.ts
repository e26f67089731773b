import { on } from "../../azure/lro/support.ts";
import { canceled, differs, failed, impatient, polls } from "../row.ts";
import type { Expected, Row } from "../row.ts";

const group = "/subscriptions/s1/resourceGroups/g1";

function locations(provider: string, rest: string): string {
  return `/subscriptions/s1/providers/${provider}/locations/westeurope/${rest}`;
}

function at(url: string): { readonly headers: Record<string, string> } {
  return { headers: { "azure-asyncoperation": `{origin}${url}` } };
}

/** A PUT that answers 201, its status monitor, and the resource at the end. */
function put(
  resource: string,
  monitor: string,
  statuses: readonly unknown[],
  body: object,
): Pick<Row, "exchanges" | "expected"> {
  return {
    exchanges: [
      on(`PUT ${resource}`, 201, at(monitor)),
      ...polls(monitor, ...statuses),
      on(`GET ${resource}`, 200, { body }),
    ],
    expected: { result: body },
  };
}

/** An action that answers 202, and its status monitor. */
function post(
  action: string,
  monitor: string,
  statuses: readonly unknown[],
  expected: Expected,
): Pick<Row, "exchanges" | "expected"> {
  return { exchanges: [on(`POST ${action}`, 202, at(monitor)), ...polls(monitor, ...statuses)], expected };
}

const vm = `${group}/providers/Microsoft.Compute/virtualMachines/vm1?api-version=2024-07-01`;
const vmMonitor = `${locations("Microsoft.Compute", "operations/o1")}?api-version=2024-07-01`;
const vmBody = { id: vm.split("?")[0], name: "vm1", properties: { provisioningState: "Succeeded" } };
const started = { startTime: "2024-03-01T10:00:00.1234567+00:00", name: "o1" };
const vmDone = { ...started, endTime: "2024-03-01T10:01:00.7654321+00:00", status: "Succeeded" };

const account = `${group}/providers/Microsoft.Storage/storageAccounts/a1?api-version=2023-05-01`;
const accountMonitor = `${locations("Microsoft.Storage", "asyncoperations/o1")}?monitor=true`;
function accountBody(provisioningState: string): object {
  return {
    id: account.split("?")[0],
    name: "a1",
    type: "Microsoft.Storage/storageAccounts",
    properties: { provisioningState, statusOfPrimary: "available" },
  };
}

const instance = `${group}/providers/Microsoft.Sql/managedInstances/mi1?api-version=2023-08-01`;
const instanceMonitor = `${group}/providers/Microsoft.Sql/managedInstances/mi1/operations/o1?api-version=2023-08-01`;
const instanceBody = { id: instance.split("?")[0], name: "mi1", properties: { state: "Ready" } };
function instanceOperation(properties: object): object {
  return {
    id: instanceMonitor.split("?")[0],
    name: "o1",
    type: "Microsoft.Sql/managedInstances/operations",
    properties: { managedInstanceName: "mi1", operation: "UpsertManagedServer", ...properties },
  };
}

const api = `${group}/providers/Microsoft.ApiManagement/service/apim/apis/a?api-version=2022-08-01`;
const apiBody = {
  id: api.split("?")[0],
  name: "a",
  type: "Microsoft.ApiManagement/service/apis",
  properties: { displayName: "a" },
};

const compute: readonly Row[] = [
  {
    service: "Compute",
    shape: "the guidelines' own: InProgress, then Succeeded, seven decimals of a second",
    source: "rpc v1.0/async-api-reference.md",
    ...put(vm, vmMonitor, [{ ...started, status: "InProgress" }, vmDone], vmBody),
  },
  {
    service: "Compute",
    shape: "Canceled with the error OperationPreempted",
    source: "net#3396",
    ...post(
      vm.replace("?", "/start?"),
      vmMonitor,
      [
        { ...started, status: "InProgress" },
        {
          ...vmDone,
          status: "Canceled",
          error: { code: "OperationPreempted", message: "Operation execution has been preempted." },
        },
      ],
      canceled("OperationPreempted"),
    ),
  },
  {
    service: "Compute",
    shape: "a result in `properties.output`",
    source: "rpc v1.0/async-api-reference.md",
    ...post(
      vm.replace("?", "/runCommand?"),
      vmMonitor,
      [{ ...vmDone, properties: { output: { value: [{ code: "ComponentStatus/StdOut/succeeded" }] } } }],
      { result: { output: { value: [{ code: "ComponentStatus/StdOut/succeeded" }] } } },
    ),
    coreLro: differs.resultIsProperties,
  },
  {
    service: "A resource provider",
    shape: "one 404 of the monitor right after the start",
    source: "gas poller_lro.go 2026",
    exchanges: [
      on(`PUT ${vm}`, 201, at(vmMonitor)),
      on(`GET ${vmMonitor}`, 404, {
        body: { error: { code: "NotFound", message: "The entity was not found in this Azure location." } },
      }),
      ...polls(vmMonitor, vmDone),
      on(`GET ${vm}`, 200, { body: vmBody }),
    ],
    expected: { result: vmBody },
    coreLro: differs.failedPoll,
    fromPollerLike: "same",
  },
];

const states: readonly Row[] = [
  {
    service: "Resources",
    shape: "Accepted and Running before the end",
    source: "rpc v1.0/async-api-reference.md",
    ...put(
      `${group}/providers/Microsoft.Resources/deployments/d1?api-version=2024-07-01`,
      `${group}/providers/Microsoft.Resources/deployments/d1/operationStatuses/o1?api-version=2024-07-01`,
      [{ status: "Accepted" }, { status: "Running" }, { status: "Succeeded" }],
      { id: "d1", properties: { provisioningState: "Succeeded", outputs: {} } },
    ),
  },
  {
    service: "SQL Database",
    shape: "Cancelled at 100 percent",
    source: "rpc#144",
    ...post(
      `${group}/providers/Microsoft.Sql/servers/s1/databases/db1/failover?api-version=2023-08-01`,
      `${locations("Microsoft.Sql", "databaseAzureAsyncOperation/o1")}?api-version=2023-08-01`,
      [
        { name: "o1", status: "InProgress", startTime: "2024-03-01T10:00:00Z" },
        { name: "o1", status: "Cancelled", startTime: "2024-03-01T10:00:00Z", percentComplete: 100 },
      ],
      canceled("Canceled"),
    ),
  },
  {
    service: "AVS",
    shape: "Cancelled with an error",
    source: "rpc#144",
    ...post(
      `${group}/providers/Microsoft.AVS/privateClouds/c1/rotateVcenterPassword?api-version=2023-09-01`,
      `${locations("Microsoft.AVS", "operationStatuses/o1")}?api-version=2023-09-01`,
      [{ status: "Cancelled", error: { code: "UserCanceled", message: "Canceled by the user." } }],
      canceled("UserCanceled"),
    ),
  },
  {
    service: "Cost Management",
    shape: "Completed, with an error whose code is 0",
    source: "go#20342",
    ...post(
      "/subscriptions/s1/providers/Microsoft.CostManagement/generateDetailedCostReport?api-version=2022-10-01",
      "/subscriptions/s1/providers/Microsoft.CostManagement/operationStatus/o1?api-version=2022-10-01",
      [
        { name: "o1", status: "InProgress", error: null, properties: null },
        {
          name: "o1",
          status: "Completed",
          error: { code: "0", message: null },
          properties: { expiry: "2024-03-02T10:00:00Z", downloadUrl: "https://report" },
        },
      ],
      { result: { expiry: "2024-03-02T10:00:00Z", downloadUrl: "https://report" } },
    ),
    coreLro: differs.endWord,
  },
  {
    service: "Data Protection",
    shape: "Completed, without anything else",
    source: "REST reference",
    ...post(
      `${group}/providers/Microsoft.DataProtection/backupVaults/v1/backupInstances/b1/backup?api-version=2024-04-01`,
      `${locations("Microsoft.DataProtection", "operationStatus/o1")}?api-version=2024-04-01`,
      [{ status: "Inprogress" }, { status: "Completed" }],
      { result: { status: "Completed" } },
    ),
    coreLro: differs.endWord,
  },
  {
    service: "Recovery Services",
    shape: "the zero value Invalid runs",
    source: "REST reference",
    ...post(
      `${group}/providers/Microsoft.RecoveryServices/vaults/v1/backup?api-version=2024-04-01`,
      `${group}/providers/Microsoft.RecoveryServices/vaults/v1/operations/o1?api-version=2024-04-01`,
      [
        { id: "o1", name: "o1", status: "Invalid", startTime: "0001-01-01T00:00:00Z" },
        { id: "o1", name: "o1", status: "Succeeded", properties: { jobId: "j1" } },
      ],
      { result: { jobId: "j1" } },
    ),
    coreLro: differs.resultIsProperties,
  },
  {
    service: "Recovery Services",
    shape: "CompletedWithWarnings is a success",
    source: "REST reference",
    ...post(
      `${group}/providers/Microsoft.RecoveryServices/vaults/v1/restore?api-version=2024-04-01`,
      `${group}/providers/Microsoft.RecoveryServices/vaults/v1/operations/o2?api-version=2024-04-01`,
      [{ status: "InProgress" }, { status: "CompletedWithWarnings", jobId: "j1" }],
      { result: { status: "CompletedWithWarnings", jobId: "j1" } },
    ),
    coreLro: differs.endWord,
  },
  {
    service: "Service Fabric",
    shape: "the state is InProgress, a colon and a JSON document",
    source: "tf#27839, tf#28923",
    ...put(
      `${group}/providers/Microsoft.ServiceFabric/managedClusters/c1?api-version=2024-04-01`,
      `${locations("Microsoft.ServiceFabric", "managedClusterOperations/o1")}?api-version=2024-04-01`,
      [{ status: 'InProgress:{"succeeded":1,"failed":0}' }, { status: "Succeeded" }],
      { id: "c1", properties: { provisioningState: "Succeeded", clusterState: "Ready" } },
    ),
    coreLro: differs.substring,
  },
  {
    service: "Cosmos DB copy",
    shape: "Faulted is a failure",
    source: "azure-cli#28449",
    ...post(
      `${group}/providers/Microsoft.DocumentDB/databaseAccounts/c1/copyJobs/j1/resume?api-version=2025-02-01`,
      `${locations("Microsoft.DocumentDB", "operationsStatus/o3")}?api-version=2025-02-01`,
      [
        { status: "Running" },
        { status: "Faulted", error: { code: "SourceUnavailable", message: "Too slow." } },
      ],
      failed("SourceUnavailable", "Too slow."),
    ),
    coreLro: differs.endWord,
  },
  {
    service: "Cosmos DB",
    shape: "Dequeued runs",
    source: "REST reference",
    ...put(
      `${group}/providers/Microsoft.DocumentDB/databaseAccounts/c1?api-version=2024-05-15`,
      `${locations("Microsoft.DocumentDB", "operationsStatus/o1")}?api-version=2024-05-15`,
      [{ status: "Dequeued" }, { status: "Succeeded" }],
      { id: "c1", properties: { provisioningState: "Succeeded" } },
    ),
  },
  {
    service: "Service Fabric",
    shape: "ForceCancelled is a cancellation",
    source: "OperationState",
    ...post(
      "/$/StartClusterConfigurationUpgrade?api-version=6.0",
      "/Faults/o1?api-version=6.0",
      [{ status: "InProgress" }, { status: "ForceCancelled" }],
      canceled("Canceled"),
    ),
    coreLro: differs.endWord,
  },
  {
    service: "Event Grid",
    shape: "AwaitingManualAction runs, for hours",
    source: "REST reference",
    ...put(
      `${group}/providers/Microsoft.EventGrid/partnerTopics/t1?api-version=2022-06-15`,
      `${locations("Microsoft.EventGrid", "operationsStatus/o1")}?api-version=2022-06-15`,
      [{ status: "AwaitingManualAction" }, { status: "Succeeded" }],
      { id: "t1", properties: { provisioningState: "Succeeded" } },
    ),
  },
  {
    service: "Purview",
    shape: "TransientFailure runs",
    source: "REST reference",
    ...put(
      `${group}/providers/Microsoft.Purview/accounts/p1?api-version=2021-12-01`,
      `${locations("Microsoft.Purview", "operationStatus/o1")}?api-version=2021-12-01`,
      [{ status: "TransientFailure" }, { status: "Succeeded" }],
      { id: "p1", properties: { provisioningState: "Succeeded" } },
    ),
    coreLro: differs.substring,
  },
  {
    service: "A resource provider",
    shape: "states that look final: Canceling, CancelRequested, Finalizing",
    source: "REST reference",
    ...post(
      `${group}/providers/Microsoft.Network/loadBalancers/l1/migrate?api-version=2024-01-01`,
      `${locations("Microsoft.Network", "operations/o1")}?api-version=2024-01-01`,
      [
        { status: "Canceling" },
        { status: "CancelRequested" },
        { status: "Finalizing" },
        { status: "Canceled" },
      ],
      canceled("Canceled"),
    ),
  },
  {
    service: "SAP on Azure",
    shape: "a phrase with spaces runs",
    source: "REST reference",
    ...post(
      `${group}/providers/Microsoft.Workloads/sapVirtualInstances/x/start?api-version=2023-10-01`,
      `${locations("Microsoft.Workloads", "operationStatuses/o1")}?api-version=2023-10-01`,
      [{ status: "Starting of HANA has failed over" }, { status: " succeeded " }],
      { result: { status: " succeeded " } },
    ),
    coreLro: differs.substring,
  },
];

const places: readonly Row[] = [
  {
    service: "Storage",
    shape: "the monitor returns the resource with a provisioningState",
    source: "gas storage, REST reference",
    exchanges: [
      on(`PUT ${account}`, 202, at(accountMonitor)),
      ...polls(accountMonitor, accountBody("ResolvingDns"), accountBody("Succeeded")),
      on(`GET ${account}`, 200, { body: accountBody("Succeeded") }),
    ],
    expected: { result: accountBody("Succeeded") },
    coreLro: differs.place,
  },
  {
    service: "Storage",
    shape: "DELETE: the monitor ends with 204",
    source: "net#44640",
    exchanges: [
      on(`DELETE ${account}`, 202, at(accountMonitor)),
      on(`GET ${accountMonitor}`, 202),
      on(`GET ${accountMonitor}`, 204),
    ],
    expected: { result: undefined },
  },
  {
    service: "Quota",
    shape: "DELETE: the first poll is 204",
    source: "net#52402",
    exchanges: [
      on(
        "DELETE /providers/Microsoft.Quota/groupQuotas/q1?api-version=2025-03-01",
        202,
        at("/providers/q1/o1"),
      ),
      on("GET /providers/q1/o1", 204),
    ],
    expected: { result: undefined },
  },
  {
    service: "SQL Managed Instance",
    shape: "`properties.state` and `properties.percentComplete`",
    source: "REST reference",
    ...put(
      instance,
      instanceMonitor,
      [
        instanceOperation({ state: "Pending", percentComplete: 0 }),
        instanceOperation({ state: "InProgress", percentComplete: 21 }),
        instanceOperation({ state: "Succeeded", percentComplete: 100 }),
      ],
      instanceBody,
    ),
    coreLro: differs.place,
  },
  {
    service: "SQL Managed Instance",
    shape: "`properties.errorCode` is a number beside errorDescription",
    source: "REST reference",
    ...post(
      instance.replace("?", "/failover?"),
      instanceMonitor,
      [
        instanceOperation({ state: "InProgress" }),
        instanceOperation({
          state: "Failed",
          errorCode: 45161,
          errorDescription: "The subnet is too small.",
          errorSeverity: 16,
        }),
      ],
      failed("45161", "The subnet is too small."),
    ),
    coreLro: differs.place,
  },
  {
    service: "SQL Managed Instance",
    shape: "CancelInProgress runs, Cancelled ends",
    source: "REST reference",
    ...post(
      instance.replace("?", "/failover?"),
      instanceMonitor,
      [instanceOperation({ state: "CancelInProgress" }), instanceOperation({ state: "Cancelled" })],
      canceled("Canceled"),
    ),
    coreLro: differs.place,
  },
  {
    service: "API Management",
    shape: "the monitor's last body is the entity, without a status",
    source: "tf#30217",
    exchanges: [
      on(`PUT ${api}`, 202, at(`${api}&asyncId=a1&asyncCode=201`)),
      on(`GET ${api}&asyncId=a1&asyncCode=201`, 202),
      ...polls(`${api}&asyncId=a1&asyncCode=201`, apiBody),
      on(`GET ${api}`, 200, { body: apiBody }),
    ],
    expected: { result: apiBody },
  },
  {
    service: "API Management",
    shape: "the monitor's last body is an empty list",
    source: "tf#22771",
    exchanges: [
      on(`POST ${api}`, 202, at("/operationStatuses/o1")),
      ...polls("/operationStatuses/o1", { status: "InProgress" }, { value: [] }),
    ],
    options: impatient,
    expected: { error: { name: "PollingError", status: "InProgress" } },
    coreLro: differs.noStatus,
  },
  {
    service: "API Management",
    shape: "200 with a status monitor while it runs",
    source: "apiops-cli PR#243",
    exchanges: [
      on(`PUT ${api}`, 200, { ...at("/operationStatuses/o2"), body: apiBody }),
      ...polls("/operationStatuses/o2", { status: "InProgress" }, { status: "Succeeded" }),
      on(`GET ${api}`, 200, { body: apiBody }),
    ],
    expected: { result: apiBody },
  },
  {
    service: "AKS",
    shape: "signed query, and an api-version of its own",
    source: "autorest.csharp#2571, tf#28878",
    ...put(
      `${group}/providers/Microsoft.ContainerService/managedClusters/k1?api-version=2024-09-01`,
      `${locations("Microsoft.ContainerService", "operations/o1")}?api-version=2016-03-30&t=638&c=MIIH%2BzCC&s=a%2Fb&h=x%3D`,
      [
        { name: "o1", status: "InProgress" },
        { name: "o1", status: "Succeeded" },
      ],
      { id: "k1", properties: { provisioningState: "Succeeded", powerState: { code: "Running" } } },
    ),
    options: { apiVersion: "2024-09-01" },
  },
  {
    service: "QnA Maker",
    shape: "the monitor's URL lacks the api-version",
    source: "specs#16807",
    exchanges: [
      on("POST /query-knowledgebases?api-version=2021-10-01", 202, at("/query-knowledgebases/jobs/j1")),
      ...polls("/query-knowledgebases/jobs/j1?api-version=2021-10-01", { status: "succeeded", jobId: "j1" }),
    ],
    options: { apiVersion: "2021-10-01" },
    expected: { result: { status: "succeeded", jobId: "j1" } },
    coreLro: differs.apiVersion,
  },
  {
    service: "Managed Network Fabric",
    shape: "an asterisk in the path of the monitor",
    source: "REST reference",
    ...put(
      `${group}/providers/Microsoft.ManagedNetworkFabric/networkFabrics/f1?api-version=2023-06-15`,
      `${locations("Microsoft.ManagedNetworkFabric", "operationStatuses/0f0f*A1B2C3")}?api-version=2023-06-15`,
      [{ status: "Accepted" }, { status: "Succeeded" }],
      { id: "f1", properties: { provisioningState: "Succeeded" } },
    ),
  },
];

const oddFields: readonly Row[] = [
  {
    service: "A resource provider",
    shape: "dates with a space and an offset without a colon",
    source: "gas date formats, issue 15",
    ...put(
      `${group}/providers/Microsoft.Network/virtualNetworks/n1?api-version=2024-01-01`,
      `${locations("Microsoft.Network", "operations/o2")}?api-version=2024-01-01`,
      [
        { status: "InProgress", startTime: "2023-07-13 06:10:30 +0000" },
        { status: "Succeeded", startTime: "2023-07-13 06:10:30 +0000", endTime: "2023-07-13 06:11:30 +0000" },
      ],
      { id: "n1", properties: { provisioningState: "Succeeded" } },
    ),
  },
  {
    service: "A resource provider",
    shape: "the code of the error is a number",
    source: "issue 15, kind 3",
    ...post(
      `${group}/providers/Microsoft.Network/virtualNetworkGateways/g1/reset?api-version=2024-01-01`,
      `${locations("Microsoft.Network", "operations/o3")}?api-version=2024-01-01`,
      [{ status: "Failed", error: { code: 500, message: "x" } }],
      failed("500", "x"),
    ),
  },
  {
    service: "A resource provider",
    shape: "the error is a text",
    source: "issue 15, kind 3",
    ...post(
      `${group}/providers/Microsoft.Network/virtualNetworkGateways/g1/reset?api-version=2024-01-01`,
      `${locations("Microsoft.Network", "operations/o4")}?api-version=2024-01-01`,
      [{ status: "Failed", error: "The gateway did not start." }],
      failed("Failed", "The gateway did not start."),
    ),
  },
  {
    service: "A resource provider",
    shape: "resourceId, percentComplete and dates of other types",
    source: "issue 15, kind 3",
    ...post(
      `${group}/providers/Microsoft.Network/networkWatchers/w1/topology?api-version=2024-01-01`,
      `${locations("Microsoft.Network", "operations/o5")}?api-version=2024-01-01`,
      [
        { status: "InProgress", percentComplete: "40%", resourceId: 7, startTime: true, error: [] },
        { status: "Succeeded", percentComplete: 100.4, resourceId: { id: "w1" }, endTime: "yesterday" },
      ],
      {
        result: {
          status: "Succeeded",
          percentComplete: 100.4,
          resourceId: { id: "w1" },
          endTime: "yesterday",
        },
      },
    ),
  },
  {
    service: "Machine Learning",
    shape: "percentComplete is on a scale of 0 to 1",
    source: "autorest#960",
    ...put(
      `${group}/providers/Microsoft.MachineLearningServices/workspaces/w1?api-version=2024-04-01`,
      `${locations("Microsoft.MachineLearningServices", "workspaceOperationsStatus/o1")}?api-version=2024-04-01`,
      [
        { status: "InProgress", percentComplete: 0.5 },
        { status: "Succeeded", percentComplete: 1.0 },
      ],
      { id: "w1", properties: { provisioningState: "Succeeded" } },
    ),
  },
  {
    service: "Managed HSM",
    shape: "Unix times, and an error of nulls while it runs",
    source: "js recordings of keyvault-admin",
    ...post(
      "/backup?api-version=7.5",
      "/backup/ea8fe7ac2b9244f3bc33b6edebb617c6/pending",
      [
        {
          status: "InProgress",
          statusDetails: null,
          error: { code: null, message: null, innererror: null },
          startTime: 1_668_018_697,
          endTime: null,
          jobId: "ea8f",
        },
        {
          status: "Succeeded",
          statusDetails: null,
          startTime: 1_668_018_697,
          endTime: 1_668_018_719,
          jobId: "ea8f",
        },
      ],
      {
        result: {
          status: "Succeeded",
          statusDetails: null,
          startTime: 1_668_018_697,
          endTime: 1_668_018_719,
          jobId: "ea8f",
        },
      },
    ),
  },
  {
    service: "Managed HSM",
    shape: "Success, and `status_details` beside it",
    source: "specs#23035",
    ...post(
      "/securitydomain/upload?api-version=7.5",
      "/securitydomain/upload/pending",
      [
        { status: "InProgress", status_details: "Waiting for security domain upload" },
        { status: "Success", status_details: null },
      ],
      { result: { status: "Success", status_details: null } },
    ),
    coreLro: differs.endWord,
  },
  {
    service: "Managed HSM",
    shape: "Failed, the reason in `status_details`",
    source: "specs#23035",
    ...post(
      "/securitydomain/upload?api-version=7.5",
      "/securitydomain/upload/pending",
      [{ status: "Failed", status_details: "The security domain is of another HSM." }],
      failed("Failed", "The security domain is of another HSM."),
    ),
  },
];

export const azureAsyncOperationRows: readonly Row[] = [...compute, ...states, ...places, ...oddFields];
