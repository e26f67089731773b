import { createHttpPoller } from "@azure/core-lro";
import type {
  CreateHttpPollerOptions,
  OperationResponse,
  OperationState as CoreLroState,
  PollerLike,
  RunningOperation,
} from "@azure/core-lro";
import { RestError, createDefaultHttpClient, createPipelineRequest } from "@azure/core-rest-pipeline";
import type { HttpMethods, Pipeline } from "@azure/core-rest-pipeline";
import type { Route, RouteServer } from "../../support/route-server.ts";
import { pipelineWithoutRetries, requestOf } from "../lro/support.ts";

export const at = "/operations/7";
export const statusRequest = `GET ${at}`;
export const monitor = { headers: { "operation-location": `{origin}${at}` } };
export const running = { body: { status: "Running" } };
export const succeeded = { body: { status: "Succeeded" } };
export const box = { body: { id: "b1", provisioningState: "Succeeded" } };
export const busy = { body: { error: { code: "Busy", message: "Come back." } } };

/** A resource, or the response that a REST-level client makes of it. */
export interface Box {
  readonly id?: string;
  readonly status?: unknown;
  readonly headers?: unknown;
  readonly body?: unknown;
}

/** How a generated client sends and reads its polls. */
export interface ClientStyle {
  readonly pipeline?: Pipeline;
  /** Whether a status code of 300 or above is a RestError. REST-level clients have none. Default true. */
  readonly throwsOnFailure?: boolean;
  /** Whether that RestError has the body. Modular clients keep its code and message alone. Default true. */
  readonly keepsBody?: boolean;
}

/** The operation that Azure's generated clients pass to core-lro: with one `AbortController` for all polls. */
export function lroOf(
  server: RouteServer,
  initialRequest: string,
  { pipeline = pipelineWithoutRetries(), throwsOnFailure = true, keepsBody = true }: ClientStyle = {},
): RunningOperation<Box> {
  const httpClient = createDefaultHttpClient();
  const send = async (
    method: HttpMethods,
    url: string,
    abortSignal?: AbortSignal,
  ): Promise<OperationResponse<Box>> => {
    const request = createPipelineRequest({
      method,
      url: new URL(url, server.origin).href,
      allowInsecureConnection: true,
      ...(abortSignal && { abortSignal }),
    });
    const response = await pipeline.sendRequest(httpClient, request);
    const { status: statusCode, bodyAsText, headers } = response;
    const body: unknown = parsed(bodyAsText ?? "");
    if (throwsOnFailure && statusCode >= 300) {
      const { code, message = `HTTP ${statusCode}` } = errorIn(body);
      const kept = keepsBody ? response : { status: statusCode, headers, request };
      throw new RestError(message, { statusCode, request, response: kept, ...(code && { code }) });
    }
    const resource: Box = typeof body === "object" && body !== null ? body : {};
    const flatResponse = throwsOnFailure
      ? resource
      : { status: String(statusCode), headers: headers.toJSON(), body };
    const rawResponse = { statusCode, headers: headers.toJSON(), body, request: { method, url } };
    return { flatResponse, rawResponse };
  };
  const { method, url } = requestOf(server, initialRequest);
  const controller = new AbortController();
  return {
    sendInitialRequest: () => send(method, url),
    sendPollRequest(path, options) {
      if (options?.abortSignal?.aborted) controller.abort();
      options?.abortSignal?.addEventListener("abort", () => controller.abort());
      return send("GET", path, controller.signal);
    },
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text === "" ? {} : text;
  }
}

function errorIn(body: unknown): { readonly code?: string; readonly message?: string } {
  return typeof body === "object" && body !== null && "error" in body && typeof body.error === "object"
    ? { ...body.error }
    : {};
}

/** Without the responses a failure is believed when three polls have reported it. */
export function threeTimes(route: Route): readonly Route[] {
  return [route, route, route];
}

/** A real poller of core-lro, as the methods of Azure's clients return it. */
export function azurePoller(
  server: RouteServer,
  initialRequest = "PUT /boxes/b1",
  options: CreateHttpPollerOptions<Box, CoreLroState<Box>> & ClientStyle = {},
): PollerLike<CoreLroState<Box>, Box> {
  return createHttpPoller(lroOf(server, initialRequest, options), options);
}
