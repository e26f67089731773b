import { createEmptyPipeline, createHttpHeaders, createPipelineFromOptions } from "@azure/core-rest-pipeline";
import type { HttpClient, Pipeline, PipelineRequest } from "@azure/core-rest-pipeline";
import { onTestFinished } from "vitest";
import { OperationStatusesClient, fixed, startOperation, systemClock } from "lro-poller";
import type {
  Clock,
  InitialRequest,
  OperationStatusesClientOptions,
  StartOperationOptions,
  StartedPoller,
} from "lro-poller";
import { createVirtualClock } from "lro-poller/testing";
import type { VirtualClock } from "lro-poller/testing";
import { fastClock } from "../../support/clock.ts";
import { startRouteServer } from "../../support/route-server.ts";
import type { Route, RouteServer } from "../../support/route-server.ts";

/** Polls with a clock that is a thousand times faster, retries every transient error, and has no time limits. */
export function fast<TResult>(
  options: StartOperationOptions<TResult> = {},
): StartOperationOptions<TResult> & { readonly clock: Clock } {
  return {
    schedule: fixed(1000),
    requestTimeoutInMs: Infinity,
    outageToleranceInMs: Infinity,
    notFoundGraceInMs: Infinity,
    clock: fastClock(systemClock),
    ...options,
  };
}

/** A server that is closed after the test. */
export async function serve(
  routes: readonly Route[] = [],
  tls?: { readonly key: string; readonly cert: string },
): Promise<RouteServer> {
  const server = await startRouteServer(routes, tls);
  onTestFinished(() => server.close());
  return server;
}

/** `on("PUT /box", 201, { headers, body })` */
export function on(
  requestLine: string,
  status: number,
  response: Pick<Route, "headers" | "body"> = {},
): Route {
  const [method = "", path = ""] = requestLine.split(" ");
  return { method, path, status, ...response };
}

export function pipelineWithoutRetries(): Pipeline {
  return createPipelineFromOptions({ retryOptions: { maxRetries: 0 } });
}

/** Starts an operation through a pipeline, by the request `POST /path` to the server. */
export function start<TResult>(
  server: RouteServer,
  requestLine: string,
  options: StartOperationOptions<TResult> & { readonly apiVersion?: string } = {},
  request: Partial<InitialRequest> = {},
): StartedPoller<TResult> {
  const { apiVersion, ...rest } = options;
  const sender = { pipeline: createEmptyPipeline(), ...(apiVersion !== undefined && { apiVersion }) };
  return startOperation<TResult>(requestOf(server, requestLine, request), { ...fast(rest), ...sender });
}

/** The request `POST /path` to the server. */
export function requestOf(
  server: RouteServer,
  requestLine: string,
  request: Partial<InitialRequest> = {},
): InitialRequest {
  const [method = "", path = ""] = requestLine.split(" ");
  return { method: methodOf(method), url: `${server.origin}${path}`, ...request };
}

export function clientOf(
  server: RouteServer,
  options: OperationStatusesClientOptions = {},
): OperationStatusesClient {
  return new OperationStatusesClient(server.origin, undefined, options);
}

const methods = ["DELETE", "GET", "PATCH", "POST", "PUT"] as const;

function methodOf(word: string): InitialRequest["method"] {
  const method = methods.find((known) => known === word);
  if (method === undefined) throw new Error(`expected one of ${methods.join(", ")}, got ${word}`);
  return method;
}

/** A response of the simulated service, or the error of the request. */
export type Simulated = Pick<Route, "status" | "headers" | "body"> | Error;

/** A response, or a function that returns it. */
export type SimulatedReply = Simulated | ((request: PipelineRequest) => Simulated | Promise<Simulated>);

/** A service without sockets, so that a virtual clock can drive it. */
export interface Simulation {
  readonly clock: VirtualClock;
  readonly httpClient: HttpClient;
  /** Each request, and when it came: `[0, "POST /act"]`. */
  readonly requestLog: [number, string][];
  /** As the HTTP client got them. */
  readonly requests: PipelineRequest[];
  /** Their URLs, byte for byte. */
  readonly urls: string[];
}

/** Creates a service that responds to request after request. */
export function simulate(...replies: SimulatedReply[]): Simulation {
  const clock = createVirtualClock();
  const requestLog: [number, string][] = [];
  const requests: PipelineRequest[] = [];
  const urls: string[] = [];
  const sendRequest = async (request: PipelineRequest): ReturnType<HttpClient["sendRequest"]> => {
    requests.push(request);
    urls.push(request.url);
    const { pathname, search } = new URL(request.url);
    requestLog.push([clock.now(), `${request.method} ${pathname}${search}`]);
    const reply = replies[requestLog.length - 1];
    if (reply === undefined) throw new Error(`no response left for ${request.method} ${request.url}`);
    const response = typeof reply === "function" ? await reply(request) : reply;
    if (response instanceof Error) throw response;
    const { status, headers = {}, body } = response;
    const bodyAsText = body === undefined ? "" : JSON.stringify(body);
    return { request, status, headers: createHttpHeaders(headers), bodyAsText };
  };
  return { clock, httpClient: { sendRequest }, requestLog, requests, urls };
}
