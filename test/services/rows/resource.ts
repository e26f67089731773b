import { on } from "../../azure/lro/support.ts";
import { canceled, differs, failed, polls } from "../row.ts";
import type { Row } from "../row.ts";

function resource(provisioningState: string, more: object = {}): object {
  return { id: "/resources/r1", name: "r1", properties: { provisioningState, ...more } };
}

const put = "PUT /resources/r1?api-version=2024-01-01";
const path = "/resources/r1?api-version=2024-01-01";

export const resourceRows: readonly Row[] = [
  {
    service: "Service Fabric nodes",
    shape: "Created is no end",
    source: "gas PR#871",
    exchanges: [on(put, 201, { body: resource("Created") }), ...polls(path, resource("Succeeded"))],
    expected: { result: resource("Succeeded") },
  },
  {
    service: "Event Grid",
    shape: "Active is no end of a creation",
    source: "REST reference",
    exchanges: [on(put, 201, { body: resource("Active") }), ...polls(path, resource("Succeeded"))],
    expected: { result: resource("Succeeded") },
  },
  {
    service: "A resource provider",
    shape: "Deleting, Online and Completed are words of the resource",
    source: "api-guidelines#310",
    exchanges: [
      on(put, 201, { body: resource("Online") }),
      ...polls(path, resource("Completed"), resource("Deleting"), resource("Succeeded")),
    ],
    expected: { result: resource("Succeeded") },
  },
  {
    service: "AKS",
    shape: "the resource ends Failed, with an error",
    source: "AKS#1972",
    exchanges: [
      on(put, 201, { body: resource("Creating") }),
      ...polls(path, resource("Failed", { error: { code: "VMExtensionError", message: "No route." } })),
    ],
    expected: failed("VMExtensionError", "No route."),
  },
  {
    service: "Reservations",
    shape: "provisioningState Cancelled",
    source: "go#20342",
    exchanges: [on(put, 202, { body: resource("Creating") }), ...polls(path, resource("Cancelled"))],
    expected: canceled("Canceled"),
  },
  {
    service: "A resource provider",
    shape: "provisioningState at the root of the resource",
    source: "core-lro getProvisioningState",
    exchanges: [
      on(put, 201, { body: { id: "r1", provisioningState: "Accepted" } }),
      ...polls(path, { id: "r1", provisioningState: "Succeeded" }),
    ],
    expected: { result: { id: "r1", provisioningState: "Succeeded" } },
  },
  {
    service: "A resource provider",
    shape: "a PATCH polls the resource",
    source: "azcore, PUT and PATCH without headers",
    exchanges: [
      on("PATCH /resources/r1?api-version=2024-01-01", 200, { body: resource("Updating") }),
      ...polls(path, resource("Succeeded")),
    ],
    expected: { result: resource("Succeeded") },
    coreLro: differs.patch,
  },
  {
    service: "A resource provider",
    shape: "no provisioningState is success, whatever `status` says",
    source: "rpc v1.0/async-api-reference.md",
    exchanges: [on(put, 200, { body: { id: "r1", status: "Active", properties: { status: "Running" } } })],
    expected: { result: { id: "r1", status: "Active", properties: { status: "Running" } } },
  },
  {
    service: "A resource provider",
    shape: "201 without a body and without headers",
    source: "issue 15, kind 10; azcore, azure-core for Python",
    exchanges: [on(put, 201), ...polls(path, resource("Activating"), resource("Succeeded"))],
    expected: { result: resource("Succeeded") },
    coreLro: differs.noBody,
  },
  {
    service: "A resource provider",
    shape: "202 without a body and without headers",
    source: "azcore, PUT and PATCH without headers",
    exchanges: [on(put, 202), ...polls(path, resource("ResolvingDns"), resource("Succeeded"))],
    expected: { result: resource("Succeeded") },
  },
];
