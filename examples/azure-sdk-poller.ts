import { createHttpPoller } from "@azure/core-lro";
import type { OperationResponse } from "@azure/core-lro";
import {
  bearerTokenAuthenticationPolicy,
  createDefaultHttpClient,
  createPipelineFromOptions,
  createPipelineRequest,
} from "@azure/core-rest-pipeline";
import { fromPollerLike, pollUntilDone } from "lro-poller";
import { connect } from "./connect.ts";

const { endpoint, credential, projectName, operationId, close } = await connect();

const pipeline = createPipelineFromOptions({});
const scopes = "https://devcenter.azure.com/.default";
if (credential) pipeline.addPolicy(bearerTokenAuthenticationPolicy({ credential, scopes }));

// A poller as Azure's SDKs create it. With one of theirs, such as that of `client.beginCreate…()`, start at the last
// lines.
const url = new URL(
  `projects/${projectName}/operationstatuses/${operationId}?api-version=2025-02-01`,
  endpoint,
);
const azurePoller = createHttpPoller({
  sendInitialRequest: async () => {
    const request = { method: "POST", url: url.href };
    const headers = { "operation-location": url.href };
    return { flatResponse: {}, rawResponse: { statusCode: 202, headers, body: {}, request } };
  },
  sendPollRequest: get,
});

// With core-lro alone one failed poll ends the wait. This library retries it.
const result = await pollUntilDone(fromPollerLike(azurePoller, { pipeline }), {
  onProgress: ({ status, elapsedInMs }) => console.log(`${Math.round(elapsedInMs / 1000)} s: ${status}`),
});
console.log(result);

await close();

async function get(path: string): Promise<OperationResponse> {
  const request = createPipelineRequest({ url: path, allowInsecureConnection: credential === undefined });
  const response = await pipeline.sendRequest(createDefaultHttpClient(), request);
  const body: unknown = JSON.parse(response.bodyAsText ?? "");
  const headers = response.headers.toJSON();
  const rawRequest = { method: "GET", url: path };
  return {
    flatResponse: body,
    rawResponse: { statusCode: response.status, headers, body, request: rawRequest },
  };
}
