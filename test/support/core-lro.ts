import { createHttpPoller } from "@azure/core-lro";
import type { OperationResponse } from "@azure/core-lro";
import { RestError, createDefaultHttpClient, createPipelineRequest } from "@azure/core-rest-pipeline";
import type { Pipeline } from "@azure/core-rest-pipeline";

export type CoreLroPoller = ReturnType<typeof createHttpPoller>;

const httpClient = createDefaultHttpClient();

/** Creates a poller as Azure's clients do: it polls through a pipeline, and a response of 300 or above is a RestError. */
export function coreLroPoller(
  operationLocation: string,
  pipeline: Pipeline,
  intervalInMs: number,
): CoreLroPoller {
  const rawRequest = { method: "POST", url: operationLocation };
  const headers = { "operation-location": operationLocation };
  return createHttpPoller(
    {
      sendInitialRequest: () =>
        Promise.resolve({
          flatResponse: {},
          rawResponse: { statusCode: 202, headers, body: undefined, request: rawRequest },
        }),
      sendPollRequest: (path) => get(path, pipeline),
    },
    { intervalInMs },
  );
}

async function get(url: string, pipeline: Pipeline): Promise<OperationResponse> {
  const request = createPipelineRequest({ url, allowInsecureConnection: true });
  const response = await pipeline.sendRequest(httpClient, request);
  if (response.status >= 300) throw new RestError(`HTTP ${response.status}`, { request, response });
  const body: unknown = parse(response.bodyAsText ?? "", url);
  const rawRequest = { method: "GET", url };
  const rawResponse = {
    statusCode: response.status,
    headers: response.headers.toJSON(),
    body,
    request: rawRequest,
  };
  return { flatResponse: body, rawResponse };
}

function parse(text: string, url: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new RestError("invalid JSON", {
      code: RestError.PARSE_ERROR,
      request: createPipelineRequest({ url }),
    });
  }
}
