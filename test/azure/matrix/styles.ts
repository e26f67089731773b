import type { InitialRequest } from "lro-poller";
import type { OperationStyle } from "lro-poller/testing";

/** A way in which services report operations, and what waits for one give. */
export interface WireStyle {
  readonly name: string;
  /** `graph`: the recorded monitor of a copy, which the emulator does not have. */
  readonly service: OperationStyle | "graph";
  readonly method: InitialRequest["method"];
  /** The path of the initial request, with its query. */
  readonly path: string;
  /** The header of the initial response with the URL to poll. Default: none, the request's own URL. */
  readonly header?: "azure-asyncoperation" | "operation-location" | "location";
  /** The result of a wait that started the operation. */
  readonly result: object;
  /** The result of a wait by URL, which does not know the initial request. Default: the same. */
  readonly resultByUrl?: object;
}

/** The `properties` of each operation that has succeeded. */
export const properties = { size: 2 };

const vm = "/subscriptions/s1/resourceGroups/g1/providers/Microsoft.Compute/virtualMachines/vm1";
const armVersion = "api-version=2024-07-01";
const version = "api-version=2024-11-30";

export const styles: readonly WireStyle[] = [
  {
    name: "DevCenter",
    service: "devcenter",
    method: "PUT",
    path: "/projects/myProject/users/me/devboxes/b1?api-version=2025-02-01",
    header: "operation-location",
    result: { name: "b1", provisioningState: "Succeeded" },
    resultByUrl: properties,
  },
  {
    name: "Resource Manager, Azure-AsyncOperation of a PUT",
    service: "arm",
    method: "PUT",
    path: `${vm}?${armVersion}`,
    header: "azure-asyncoperation",
    result: { id: vm, properties: { ...properties, provisioningState: "Succeeded" } },
    resultByUrl: properties,
  },
  {
    name: "Resource Manager, Azure-AsyncOperation of a POST with its result at Location",
    service: "arm",
    method: "POST",
    path: `${vm}/start?${armVersion}`,
    header: "azure-asyncoperation",
    result: properties,
  },
  {
    name: "Resource Manager, Azure-AsyncOperation of a DELETE",
    service: "arm",
    method: "DELETE",
    path: `${vm}?${armVersion}`,
    header: "azure-asyncoperation",
    result: properties,
  },
  {
    name: "Operation-Location with the result in the monitor",
    service: "operation-location",
    method: "POST",
    path: `/jobs/1:run?${version}`,
    header: "operation-location",
    result: properties,
  },
  {
    name: "Operation-Location with a resourceLocation",
    service: "operation-location",
    method: "PUT",
    path: `/models/m1?${version}`,
    header: "operation-location",
    result: { name: "m1", ...properties },
  },
  {
    name: "Document Intelligence",
    service: "operation-location",
    method: "POST",
    path: `/documentintelligence/documentModels/prebuilt-read:analyze?${version}`,
    header: "operation-location",
    result: { status: "succeeded", analyzeResult: properties },
  },
  {
    name: "Location",
    service: "location",
    method: "POST",
    path: `/jobs/1:run?${version}`,
    header: "location",
    result: properties,
  },
  {
    name: "a resource with a provisioningState",
    service: "resource",
    method: "PUT",
    path: `/things/t1?${version}`,
    result: { id: "/things/t1", properties: { ...properties, provisioningState: "Succeeded" } },
  },
  {
    name: "Fabric",
    service: "fabric",
    method: "POST",
    path: "/v1/workspaces/w1/items",
    header: "location",
    result: properties,
  },
  {
    name: "Key Vault certificate",
    service: "key-vault",
    method: "POST",
    path: "/certificates/c1/create?api-version=7.6",
    header: "location",
    result: { status: "completed", cancellation_requested: false },
  },
  {
    name: "Graph copy, 202 to the end",
    service: "graph",
    method: "POST",
    path: "/v1.0/me/drive/items/i1/copy",
    header: "location",
    result: { status: "completed", resourceId: "01MOWKYVJML57KN2ANMB" },
  },
];
