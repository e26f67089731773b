import { randomUUID } from "node:crypto";
import { dataPlaneVersions, keyVaultVersions } from "./api-version.ts";
import { asObject, errorResponse, jsonResponse } from "./responses.ts";
import type { ErrorResponder } from "./responses.ts";
import type { EndpointRule, StartRule } from "./start-rule.ts";
import type { Shown, Style } from "./style.ts";

const monitor: EndpointRule = {
  role: "monitor",
  path: "/operations/{operationId}",
  header: "operation-location",
};

const analyzeDocument: StartRule = {
  request: /^POST \/documentintelligence\/documentModels\/(?<model>[^/]+):analyze$/i,
  endpoints: [
    { ...monitor, path: "/documentintelligence/documentModels/{model}/analyzeResults/{operationId}" },
  ],
  resultField: "analyzeResult",
  defaultResult: { stringIndexType: "utf16CodeUnit", content: "", pages: [] },
};

/** Data planes by Azure's REST guidelines, and Document Intelligence. */
export const operationLocation: Style = {
  apiVersions: dataPlaneVersions,
  ownApiVersion: "2024-11-30",
  starts: [
    analyzeDocument,
    { request: /^(?:PUT|PATCH|DELETE) \/.+$/i, endpoints: [monitor], resource: "{path}" },
    { request: /^POST \/.+$/i, endpoints: [monitor] },
  ],
  sample: { method: "POST", path: "/jobs/{operationId}:run" },
  cancelSuffix: ":cancel",
  errorResponse,
  statusBody: ({ status, started, origin, result }) => {
    const { rule, operationId, method, resourcePath, apiVersion } = started;
    const { percentComplete, error, startTime, endTime } = status;
    const hasResource = resourcePath !== undefined && method !== "DELETE" && status.status === "Succeeded";
    return {
      id: operationId,
      status: rule === analyzeDocument ? lowerFirst(status.status) : status.status,
      createdDateTime: startTime,
      lastUpdatedDateTime: endTime ?? startTime,
      percentComplete,
      error,
      [rule.resultField ?? "result"]: hasResource ? undefined : result,
      resourceLocation: hasResource ? `${origin}${resourcePath}?api-version=${apiVersion}` : undefined,
    };
  },
  resourceBody: plainResourceBody,
};

/** Services that name a polling location. */
export const location: Style = {
  ...operationLocation,
  starts: ["PUT|PATCH|DELETE", "POST"].map((methods) => ({
    request: new RegExp(`^(?:${methods}) /.+$`, "i"),
    endpoints: [{ role: "location", path: "/operationResults/{operationId}", header: "location" }],
    ...(methods !== "POST" && { resource: "{path}" }),
  })),
};

function plainResourceBody(
  fields: object,
  provisioningState: string,
  { status, started: { resourcePath = "" } }: Shown,
): object {
  const name = resourcePath.slice(resourcePath.lastIndexOf("/") + 1);
  return { name, ...fields, ...asObject(status.properties), provisioningState };
}

const fabricErrorResponse: ErrorResponder = (status, errorCode, message, options) =>
  jsonResponse(
    status,
    { errorCode, message, requestId: randomUUID() },
    { "x-ms-public-api-error-code": errorCode, ...options?.headers },
  );

/** Microsoft Fabric. */
export const fabric: Style = {
  starts: [
    {
      request: /^(?:PUT|PATCH|POST|DELETE) \/v1\/.+$/i,
      endpoints: [
        { role: "monitor", path: "/v1/operations/{operationId}", header: "location" },
        { role: "result", path: "/v1/operations/{operationId}/result", header: "location" },
      ],
    },
  ],
  sample: { method: "POST", path: "/v1/workspaces/{operationId}/items" },
  retryAfter: 1,
  idHeader: "x-ms-operation-id",
  errorResponse: fabricErrorResponse,
  statusBody: ({ status: { status, startTime, endTime, percentComplete, error } }) => ({
    status,
    createdTimeUtc: startTime,
    lastUpdatedTimeUtc: endTime ?? startTime,
    percentComplete: percentComplete ?? null,
    error: error === undefined ? null : { errorCode: error.code, message: error.message },
  }),
  resourceBody: plainResourceBody,
};

/** Certificates of Key Vault. */
export const keyVault: Style = {
  apiVersions: keyVaultVersions,
  ownApiVersion: "7.6",
  starts: [
    {
      request: /^POST \/certificates\/(?<name>[^/]+)\/create$/i,
      endpoints: [{ role: "monitor", path: "/certificates/{name}/pending", header: "location" }],
      initialBody: "status",
      resource: "/certificates/{name}",
    },
  ],
  sample: { method: "POST", path: "/certificates/{operationId}/create" },
  challenge:
    'Bearer authorization="https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000", resource="https://vault.azure.net"',
  errorResponse,
  statusBody: ({ status, started: { operationId, resourcePath = "" }, origin }) => ({
    id: `${origin}${resourcePath}/pending`,
    issuer: { name: "Self" },
    csr: Buffer.from("request").toString("base64"),
    cancellation_requested: false,
    status: certificateWords.get(status.status) ?? status.status,
    status_details: null,
    request_id: operationId.replaceAll("-", ""),
    target: status.status === "Succeeded" ? `${origin}${resourcePath}` : undefined,
    error: status.error,
  }),
  resourceBody: (fields, _, { status, started: { operationId, resourcePath = "" }, origin }) => {
    const version = operationId.replaceAll("-", "");
    return {
      id: `${origin}${resourcePath}/${version}`,
      kid: `${origin}${resourcePath.replace("/certificates/", "/keys/")}/${version}`,
      sid: `${origin}${resourcePath.replace("/certificates/", "/secrets/")}/${version}`,
      cer: Buffer.from("certificate").toString("base64"),
      ...fields,
      attributes: { enabled: status.status === "Succeeded" },
      ...asObject(status.properties),
    };
  },
};

const certificateWords: ReadonlyMap<string, string> = new Map([
  ["NotStarted", "inProgress"],
  ["Running", "inProgress"],
  ["Succeeded", "completed"],
  ["Failed", "failed"],
  ["Canceled", "cancelled"],
]);

function lowerFirst(word: string): string {
  return word.slice(0, 1).toLowerCase() + word.slice(1);
}
