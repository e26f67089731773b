import { createHttpHeaders, RestError } from "@azure/core-rest-pipeline";
import type { HttpClient, PipelineRequest, PipelineResponse } from "@azure/core-rest-pipeline";
import { systemClock } from "../index.ts";
import type { Clock } from "../index.ts";
import { checkDeploymentOptions } from "./deployment-checks.ts";
import { Deployments } from "./deployment-service.ts";
import type { AddDeploymentOptions, AddedDeployment, DeploymentOptions } from "./deployment-options.ts";
import { checkNumber } from "./validation.ts";

/** Options of {@link emulateDeployments}. */
export interface DeploymentEmulatorOptions extends DeploymentOptions {
  /** The clock. Default: the real one. */
  readonly clock?: Clock;
  /** Milliseconds of a plan for each millisecond of the clock. Default 1. */
  readonly speed?: number;
  /** The origin of added deployments. Default `https://management.azure.com`. */
  readonly endpoint?: string;
  /** How long each request takes, in milliseconds of the clock. Default 0. */
  readonly latencyInMs?: number;
}

/** The deployments of Azure Resource Manager, without a server. */
export interface DeploymentEmulator {
  /** The origin of added deployments. */
  readonly endpoint: string;
  /** The transport of a client: it sends requests to the emulator, not to the network. */
  readonly httpClient: HttpClient;
  /** Every request so far, as `GET https://…`. */
  readonly requests: readonly string[];
  /**
   * Adds a deployment, which starts now by default.
   *
   * @throws TypeError or RangeError that names the part of the plan that is wrong
   */
  readonly addDeployment: (options?: AddDeploymentOptions) => AddedDeployment;
}

/**
 * Emulates the deployments of Azure Resource Manager without a server, so that hours pass at once with a virtual clock.
 *
 * @example
 * ```ts
 * const clock = createVirtualClock();
 * const { addDeployment, httpClient, endpoint } = emulateDeployments({ clock });
 * const { operationLocation } = addDeployment({ resources: [{ type: "Microsoft.Storage/storageAccounts", name: "s1" }] });
 * const client = new LroClient(endpoint, undefined, { httpClient });
 * await clock.runUntilSettled(pollUntilDone(client.operationAt(operationLocation), { clock }));
 * ```
 * @throws TypeError or RangeError that names the option that is wrong
 */
export function emulateDeployments(options: DeploymentEmulatorOptions = {}): DeploymentEmulator {
  checkDeploymentOptions("options", options);
  const { clock = systemClock, speed = 1, latencyInMs = 0 } = options;
  const { endpoint = "https://management.azure.com" } = options;
  checkNumber("speed", speed, { min: Number.MIN_VALUE });
  checkNumber("latencyInMs", latencyInMs);
  const deployments = new Deployments(options, clock, speed);
  const requests: string[] = [];
  return {
    endpoint,
    requests,
    addDeployment: (added = {}) => deployments.add(endpoint, added),
    httpClient: {
      async sendRequest(request) {
        requests.push(`${request.method} ${request.url}`);
        if (latencyInMs > 0) await elapsed(clock, latencyInMs);
        if (request.abortSignal?.aborted) throw aborted();
        return respond(deployments, clock, request);
      },
    },
  };
}

function aborted(): Error {
  return Object.assign(new Error("The request was aborted."), { name: "AbortError" });
}

function elapsed(clock: Clock, durationInMs: number): Promise<void> {
  return new Promise((resolve) => void clock.setTimer(resolve, durationInMs));
}

async function respond(
  deployments: Deployments,
  clock: Clock,
  request: PipelineRequest,
): Promise<PipelineResponse> {
  const { method, url, body } = request;
  const reply = deployments.respondTo({
    method,
    url: new URL(url),
    headers: request.headers.toJSON(),
    bodyText: typeof body === "string" ? body : "",
  });
  if (reply?.deliveryFault?.kind === "late") await elapsed(clock, reply.deliveryFault.delayInMs);
  if (reply?.deliveryFault?.kind === "reset")
    throw new RestError("The connection was reset.", { code: "ECONNRESET", request });
  const { status, headers, body: bodyAsText } = reply?.response ?? { status: 404, headers: {}, body: "" };
  const added = reply?.deliveryFault?.kind === "headers" ? reply.deliveryFault.headers : {};
  const date = new Date(clock.timestamp()).toUTCString();
  return { request, status, headers: createHttpHeaders({ date, ...headers, ...added }), bodyAsText };
}
