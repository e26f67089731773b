import { armVersions } from "./api-version.ts";
import { asObject, jsonResponse } from "./responses.ts";
import type { ErrorResponder } from "./responses.ts";
import type { OperationState } from "../../index.ts";
import type { EndpointRule } from "./start-rule.ts";
import type { Shown, Style } from "./style.ts";

const subscription = "/subscriptions/00000000-0000-0000-0000-000000000000";

/** The path of the sample resource. */
const samplePath = `${subscription}/resourceGroups/myGroup/providers/Microsoft.Compute/virtualMachines/{operationId}`;

const location = "/subscriptions/{subscription}/providers/{namespace}/locations/{location}";

const endpoints: readonly EndpointRule[] = [
  { role: "monitor", path: `${location}/operationStatuses/{operationId}`, header: "azure-asyncoperation" },
  { role: "location", path: `${location}/operationResults/{operationId}`, header: "location" },
];

/** Azure Resource Manager sends no `target` with its own errors, and their code in no header. */
const errorResponse: ErrorResponder = (status, code, message, options) =>
  jsonResponse(status, { error: { code, message } }, options?.headers);

const changes = String.raw`/subscriptions/(?<subscription>[^/]+)/(?:.*/)?(?:providers/(?<namespace>[^/]+)/.+|resourceGroups/[^/]+)`;

/** Azure Resource Manager. */
export const arm: Style = {
  apiVersions: armVersions,
  ownApiVersion: "2024-07-01",
  starts: [
    {
      request: new RegExp(`^(?:PUT|PATCH) ${changes}$`, "i"),
      endpoints,
      resource: "{path}",
      initialBody: "resource",
    },
    { request: new RegExp(`^DELETE ${changes}$`, "i"), endpoints, resource: "{path}" },
    { request: new RegExp(`^POST ${changes}/[^/]+$`, "i"), endpoints },
  ],
  sample: { method: "PUT", path: samplePath },
  retryAfter: 1,
  // The clients of Microsoft.Compute accept no 204.
  noResultStatus: 200,
  remainingHeader: "x-ms-ratelimit-remaining-subscription-reads",
  errorResponse,
  statusBody: ({ status: { resourceId: _resourceId, result, properties, ...status } }) => ({
    ...status,
    properties: properties ?? result,
  }),
  resourceBody: armResourceBody,
};

/** Resources that are polled at their own URL, as those of older resource providers. */
export const resource: Style = {
  ...arm,
  starts: [
    { request: /^(?:PUT|PATCH) \/.+$/i, endpoints: [], resource: "{path}", initialBody: "resource" },
    { request: /^DELETE \/.+$/i, endpoints: [], resource: "{path}", initialBody: "resource" },
  ],
};

/** The `properties` of an operation that has succeeded are those that it has given the resource. */
function armResourceBody(
  fields: object,
  provisioningState: OperationState,
  { status, started: { resourcePath = "" } }: Shown,
): object {
  const given = "properties" in fields ? fields.properties : undefined;
  const properties = { ...asObject(given), ...asObject(status.properties), provisioningState };
  const error = status.error && { error: status.error };
  return { ...identity(resourcePath), ...fields, properties: { ...properties, ...error } };
}

function identity(id: string): object {
  return { id, name: id.slice(id.lastIndexOf("/") + 1), type: typeOf(id) };
}

/** Returns the type of a resource by its id: `Microsoft.Compute/virtualMachines`. */
function typeOf(id: string): string | undefined {
  const [, path] = /.*\/providers\/(.+)$/i.exec(id) ?? [];
  if (path === undefined)
    return /\/resourceGroups\/[^/]+$/i.test(id) ? "Microsoft.Resources/resourceGroups" : undefined;
  const [namespace = "", ...segments] = path.split("/");
  return [namespace, ...segments.filter((_, index) => index % 2 === 0)].join("/");
}
