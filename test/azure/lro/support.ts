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

/** Polls a thousand times as fast as it says, bears every passing fault, and gives up on none by the clock. */
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
export function on(ask: string, status: number, answer: Pick<Route, "headers" | "body"> = {}): Route {
  const [method = "", path = ""] = ask.split(" ");
  return { method, path, status, ...answer };
}

export function pipelineWithoutRetries(): Pipeline {
  return createPipelineFromOptions({ retryOptions: { maxRetries: 0 } });
}

/** Begins the request that the server's first route is for, through a pipeline. */
export function begin<TResult>(
  server: RouteServer,
  ask: string,
  options: StartOperationOptions<TResult> & { readonly apiVersion?: string } = {},
  request: Partial<InitialRequest> = {},
): StartedPoller<TResult> {
  const { apiVersion, ...rest } = options;
  const sender = { pipeline: createEmptyPipeline(), ...(apiVersion !== undefined && { apiVersion }) };
  return startOperation<TResult>(requestOf(server, ask, request), { ...fast(rest), ...sender });
}

/** The request that `POST /path` says, to the server. */
export function requestOf(
  server: RouteServer,
  ask: string,
  request: Partial<InitialRequest> = {},
): InitialRequest {
  const [method = "", path = ""] = ask.split(" ");
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

/** An answer of the simulated service, or how the request fails. */
export type Simulated = Pick<Route, "status" | "headers" | "body"> | Error;

/** An answer, or how to come by it. */
export type SimulatedReply = Simulated | ((request: PipelineRequest) => Simulated | Promise<Simulated>);

/** A service without sockets, so that a virtual clock can drive it. */
export interface Simulation {
  readonly clock: VirtualClock;
  readonly httpClient: HttpClient;
  /** Each request, and when it came: `[0, "POST /act"]`. */
  readonly asked: [number, string][];
  /** As they were handed to the HTTP client. */
  readonly requests: PipelineRequest[];
  /** Their URLs, byte for byte. */
  readonly urls: string[];
}

/** Answers request after request. */
export function simulate(...answers: SimulatedReply[]): Simulation {
  const clock = createVirtualClock();
  const asked: [number, string][] = [];
  const requests: PipelineRequest[] = [];
  const urls: string[] = [];
  const sendRequest = async (request: PipelineRequest): ReturnType<HttpClient["sendRequest"]> => {
    requests.push(request);
    urls.push(request.url);
    const { pathname, search } = new URL(request.url);
    asked.push([clock.now(), `${request.method} ${pathname}${search}`]);
    const reply = answers[asked.length - 1];
    if (reply === undefined) throw new Error(`no answer left for ${request.method} ${request.url}`);
    const answer = typeof reply === "function" ? await reply(request) : reply;
    if (answer instanceof Error) throw answer;
    const { status, headers = {}, body } = answer;
    const bodyAsText = body === undefined ? "" : JSON.stringify(body);
    return { request, status, headers: createHttpHeaders(headers), bodyAsText };
  };
  return { clock, httpClient: { sendRequest }, asked, requests, urls };
}
