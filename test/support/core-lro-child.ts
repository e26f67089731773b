import { createHttpPoller } from "@azure/core-lro";
import type { CreateHttpPollerOptions, OperationResponse } from "@azure/core-lro";
import { RestError, createDefaultHttpClient, createPipelineRequest } from "@azure/core-rest-pipeline";
import type { Pipeline, PipelineRequest, PipelineResponse } from "@azure/core-rest-pipeline";
import type { InitialRequest } from "lro-poller";
import type { CoreLroPoller } from "./core-lro.ts";

type Options = CreateHttpPollerOptions<unknown, NonNullable<CoreLroPoller["operationState"]>>;

const httpClient = createDefaultHttpClient();

/** Starts an operation as Azure's clients do: core-lro over a pipeline. A response of 300 or above is a RestError. */
export function startWithCoreLro(
  { method, url }: Pick<InitialRequest, "method" | "url">,
  pipeline: Pipeline,
  options: Options = {},
): CoreLroPoller {
  return createHttpPoller(
    {
      sendInitialRequest: () => send(method, url, pipeline),
      sendPollRequest: (path, call) => send("GET", new URL(path, url).href, pipeline, call?.abortSignal),
    },
    { intervalInMs: 1, ...options },
  );
}

async function send(
  method: InitialRequest["method"],
  url: string,
  pipeline: Pipeline,
  abortSignal?: PipelineRequest["abortSignal"],
): Promise<OperationResponse> {
  const request = createPipelineRequest({ method, url, allowInsecureConnection: url.startsWith("http:") });
  if (abortSignal) request.abortSignal = abortSignal;
  const response = await pipeline.sendRequest(httpClient, request);
  if (response.status >= 300) throw new RestError(`HTTP ${response.status}`, { request, response });
  const body: unknown = bodyOf(request, response);
  const headers = response.headers.toJSON();
  return {
    flatResponse: body,
    rawResponse: { statusCode: response.status, headers, body, request: { method, url } },
  };
}

/** Parses a body by the rules of `@azure-rest/core-client`: invalid JSON is text, unless its type is JSON. */
function bodyOf(request: PipelineRequest, response: PipelineResponse): unknown {
  const text = response.bodyAsText ?? "";
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    const type = response.headers.get("content-type") ?? "";
    if (!type.startsWith("application/json")) return text;
    throw new RestError("invalid JSON", { code: RestError.PARSE_ERROR, request, response });
  }
}
