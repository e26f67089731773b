import { on } from "../../azure/lro/support.ts";
import { differs, failed, polls } from "../row.ts";
import type { Row, RowOptions } from "../row.ts";

const noGrace: RowOptions = { notFoundGraceInMs: 0 };

const hub = "/namespaces/n1/eventhubs/h1?api-version=2024-01-01";
const hubMonitor = "/namespaces/n1/eventhubs/h1/operationStatuses/o1?api-version=2024-01-01";
const gone = { body: { error: { code: "ResourceNotFound", message: "The resource was not found." } } };
const unknown = { body: { error: { code: "OperationNotFound", message: "The operation has expired." } } };

function asyncOperation(url: string): { readonly headers: Record<string, string> } {
  return { headers: { "azure-asyncoperation": `{origin}${url}` } };
}

function location(url: string): { readonly headers: Record<string, string> } {
  return { headers: { location: `{origin}${url}` } };
}

export const deleteRows: readonly Row[] = [
  {
    service: "Event Hubs",
    shape: "the monitor lies under the resource and is gone with it",
    source: "go-autorest#596",
    exchanges: [
      on(`DELETE ${hub}`, 202, asyncOperation(hubMonitor)),
      ...polls(hubMonitor, { status: "Deleting" }),
      on(`GET ${hubMonitor}`, 404, gone),
    ],
    options: noGrace,
    expected: { result: undefined },
    coreLro: differs.failedPoll,
    fromPollerLike: "not applicable: core-lro's poller does not tell that it deletes",
  },
  {
    service: "Event Hubs",
    shape: "404 about the operation is no success",
    source: "issue 15, kind 8",
    exchanges: [
      on(`DELETE ${hub}`, 202, asyncOperation(hubMonitor)),
      ...polls(hubMonitor, { status: "Deleting" }),
      on(`GET ${hubMonitor}`, 404, unknown),
    ],
    options: noGrace,
    expected: { error: { name: "OperationNotFoundError", status: "Deleting" } },
  },
  {
    service: "Event Hubs",
    shape: "404 before the monitor has answered is no success",
    source: "issue 15, kind 8",
    exchanges: [
      on(`DELETE ${hub}`, 202, asyncOperation(hubMonitor)),
      on(`GET ${hubMonitor}`, 404, gone),
      ...polls(hubMonitor, { status: "Succeeded" }),
    ],
    expected: { result: { status: "Succeeded" } },
    coreLro: differs.failedPoll,
    fromPollerLike: "same",
  },
  {
    service: "A resource provider",
    shape: "the Location is the resource: Deleting, then 404",
    source: "gas poller_delete.go, azapi PR#54",
    exchanges: [
      on("DELETE /accounts/a1", 202, location("/accounts/a1")),
      ...polls("/accounts/a1", { id: "a1", properties: { provisioningState: "Deleting" } }),
      on("GET /accounts/a1", 404, gone),
    ],
    options: noGrace,
    expected: { result: undefined },
    coreLro: differs.stateInBody,
  },
  {
    service: "A resource provider",
    shape: "the Location is the resource: Deleting, then Failed",
    source: "issue 15, kind 1",
    exchanges: [
      on("DELETE /accounts/a1", 202, location("/accounts/a1")),
      ...polls(
        "/accounts/a1",
        { id: "a1", properties: { provisioningState: "Deleting" } },
        { id: "a1", properties: { provisioningState: "Failed", error: { code: "InUse", message: "Used." } } },
      ),
    ],
    expected: failed("InUse", "Used."),
    coreLro: differs.stateInBody,
  },
  {
    service: "Resources",
    shape: "a resource group: 202 at the Location, then 200 without a body",
    source: "rpc v1.0/async-api-reference.md",
    exchanges: [
      on(
        "DELETE /resourcegroups/g1?api-version=2021-04-01",
        202,
        location("/operationresults/eyJq?api-version=2021-04-01"),
      ),
      on("GET /operationresults/eyJq?api-version=2021-04-01", 202),
      on("GET /operationresults/eyJq?api-version=2021-04-01", 202),
      on("GET /operationresults/eyJq?api-version=2021-04-01", 200),
    ],
    expected: { result: undefined },
  },
  {
    service: "Recovery Services",
    shape: "the resource is gone before the operation has ended",
    source: "pandora#2696",
    exchanges: [
      on("DELETE /vaults/v1/protectedItems/i1", 202, asyncOperation("/vaults/v1/operations/o1")),
      ...polls("/vaults/v1/operations/o1", { status: "InProgress" }, { status: "Succeeded" }),
    ],
    expected: { result: { status: "Succeeded" } },
  },
  {
    service: "Recovery Services",
    shape: "an undelete whose monitor is gone has not succeeded",
    source: "gas#886",
    exchanges: [
      on("POST /vaults/v1/protectedItems/i1/undelete", 202, asyncOperation("/vaults/v1/operations/o2")),
      ...polls("/vaults/v1/operations/o2", { status: "InProgress" }),
      on("GET /vaults/v1/operations/o2", 404, gone),
    ],
    options: noGrace,
    expected: { error: { name: "OperationNotFoundError", status: "InProgress" } },
  },
  {
    service: "A resource provider",
    shape: "one 404 in the middle of a wait",
    source: "issue 15, kind 8",
    exchanges: [
      on("POST /virtualMachines/vm1/restart", 202, asyncOperation("/operations/o1")),
      ...polls("/operations/o1", { status: "InProgress" }),
      on("GET /operations/o1", 404, gone),
      ...polls("/operations/o1", { status: "Succeeded" }),
    ],
    expected: { result: { status: "Succeeded" } },
    coreLro: differs.failedPoll,
    fromPollerLike: "same",
  },
  {
    service: "Key Vault secrets",
    shape: "DELETE answers 200 with the deleted secret at once",
    source: "typespec-azure#5432",
    exchanges: [
      on("DELETE /secrets/s1?api-version=7.5", 200, { body: { recoveryId: "/deletedsecrets/s1" } }),
    ],
    expected: { result: { recoveryId: "/deletedsecrets/s1" } },
  },
];
