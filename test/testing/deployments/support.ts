import { createHttpHeaders, createPipelineRequest } from "@azure/core-rest-pipeline";
import type { HttpMethods } from "@azure/core-rest-pipeline";
import { createVirtualClock, emulateDeployments } from "lro-poller/testing";
import type { DeploymentEmulator, DeploymentEmulatorOptions, VirtualClock } from "lro-poller/testing";

export const group = "/subscriptions/s1/resourceGroups/g1";
export const deployments = "/providers/Microsoft.Resources/deployments";
export const root = `${group}${deployments}/d1`;
export const version = "?api-version=2025-04-01";
export const storage = "Microsoft.Storage/storageAccounts";

/** A response: the status code, the headers and the parsed body. */
export interface Received {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** An emulator with a virtual clock, and the requests of a test to it. */
export interface Emulation extends DeploymentEmulator {
  readonly clock: VirtualClock;
  readonly send: (method: HttpMethods, pathOrUrl: string, body?: unknown) => Promise<Received>;
  /** Lists the names and states of the rows of a deployment. */
  readonly rows: (id: string) => Promise<readonly string[]>;
}

export function emulate(options: DeploymentEmulatorOptions = {}): Emulation {
  const clock = createVirtualClock();
  const emulator = emulateDeployments({ clock, ...options });
  const send = async (method: HttpMethods, pathOrUrl: string, body?: unknown): Promise<Received> => {
    const url = new URL(pathOrUrl, emulator.endpoint).href;
    const init = { method, url, headers: createHttpHeaders() };
    const request = createPipelineRequest(
      body === undefined ? init : { ...init, body: JSON.stringify(body) },
    );
    const { status, headers, bodyAsText } = await emulator.httpClient.sendRequest(request);
    const parsed: unknown = (bodyAsText ?? "") === "" ? undefined : JSON.parse(bodyAsText ?? "");
    return { status, headers: headers.toJSON(), body: parsed };
  };
  const rows = async (id: string): Promise<readonly string[]> => {
    const { body } = await send("GET", `${id}/operations${version}`);
    return operationsOf(body).map(({ properties: { targetResource, provisioningState } }) =>
      [targetResource?.resourceName ?? "(outputs)", provisioningState].join(" "),
    );
  };
  return { ...emulator, clock, send, rows };
}

/** A row of a list of operations, as far as tests read it. */
export interface Row {
  readonly operationId: string;
  readonly properties: {
    readonly provisioningState: string;
    readonly timestamp: string;
    readonly duration: string;
    readonly statusCode: string;
    readonly statusMessage?: { readonly error?: unknown };
    readonly targetResource?: {
      readonly id: string;
      readonly resourceType: string;
      readonly resourceName: string;
    };
  };
}

export function operationsOf(body: unknown): readonly Row[] {
  const { value }: { value?: readonly Row[] } = Object(body);
  return value ?? [];
}
