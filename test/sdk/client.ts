import type { Pipeline } from "@azure/core-rest-pipeline";
import type { AzurePoller, LegacyAzurePoller } from "lro-poller";
import { CountingCredential } from "../support/credential.ts";
import { certificate } from "./certificate.ts";
import type { Service } from "./service.ts";

/** The generations of the pollers of Azure SDKs. */
export const generations = {
  modular: "Modular clients, on core-lro 3",
  rest: "REST-level clients, on core-lro 3",
  generated: "Generated clients, on core-lro 2",
  handWritten: "Hand-written pollers",
} as const;

/** The client of an Azure SDK, one method of it that starts an operation, and its service. */
export interface SdkClient {
  /** The package. */
  readonly name: string;
  readonly method: string;
  readonly generation: keyof typeof generations;
  readonly service: Service;
  /** Default true. */
  readonly hasResult?: boolean;
  /** Starts an operation, or continues the one that has been serialized. */
  start(endpoint: string, serialized?: string): Promise<Started>;
}

/** An operation with its poller. */
export interface Started {
  readonly poller: SdkPoller;
  /** The pipeline of the client. */
  readonly pipeline: Pipeline;
  readonly serialize: () => string | Promise<string>;
}

/** Any poller of an Azure SDK. */
export type SdkPoller = (AzurePoller<unknown> | LegacyAzurePoller<unknown>) & {
  pollUntilDone(options?: { readonly abortSignal?: AbortSignal }): Promise<unknown>;
};

export const credential: CountingCredential = new CountingCredential();

/** Options of each client: the default retry policies, without their pauses. */
export const clientOptions = {
  tlsOptions: { ca: certificate.cert },
  retryOptions: { retryDelayInMs: 1, maxRetryDelayInMs: 1 },
};

/** Returns the pipeline of the generated client in a private field of a client. */
export function pipelineIn(client: object, field: string): Pipeline {
  const generated: unknown = Reflect.get(client, field);
  if (!hasPipeline(generated)) throw new TypeError(`expected a client with a pipeline in ${field}`);
  return generated.pipeline;
}

function hasPipeline(client: unknown): client is { readonly pipeline: Pipeline } {
  const isObject = typeof client === "object" && client !== null;
  const pipeline: unknown = isObject && "pipeline" in client ? client.pipeline : undefined;
  return typeof pipeline === "object" && pipeline !== null && "getOrderedPolicies" in pipeline;
}
