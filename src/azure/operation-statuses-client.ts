import type { TokenCredential } from "@azure/core-auth";
import type { Operation, TracingOptions } from "../operation/operation.ts";
import type { OperationStatus } from "../operation/status.ts";
import { createPoller } from "../poller/poller.ts";
import type { CallOptions } from "../poller/poller.ts";
import { DevCenterOperations } from "./dev-center.ts";
import { audienceAt } from "./http/audiences.ts";
import type { SdkPipeline } from "./http/origin-bound-pipeline.ts";
import {
  checkOperationId,
  checkProjectName,
  defaultApiVersion,
  isLoopback,
  parseUrl,
  referenceAt,
} from "./http/validation.ts";
import type { OperationReference } from "./http/validation.ts";
import type { ConditionOptions, LroClientOptions, OperationAtOptions } from "./lro-client.ts";
import { StatusOperation, devCenterContext, resourceProvider } from "./lro/status-operation.ts";
import type { DevCenterContext } from "./lro/status-operation.ts";

/** Options of an {@link OperationStatusesClient}. */
export interface OperationStatusesClientOptions extends LroClientOptions {
  /** The api-version of all requests. Default `2025-02-01`; the newest that the library knows is `2026-01-01-preview`. */
  readonly apiVersion?: string;
  /** The scopes of the tokens. Default `https://devcenter.azure.com/.default`, for hosts of DevCenter alone. */
  readonly scopes?: string | readonly string[];
}

/** Options of {@link OperationStatusesClient.getOperationStatus}. */
export interface GetOperationStatusOptions extends CallOptions {
  /** The parent of the call's span. Default: the active span. */
  readonly tracingOptions?: TracingOptions;
}

const devCenterAudience = "https://devcenter.azure.com";

/**
 * A client for the operations of one DevCenter: it starts them, polls them and resumes waits.
 *
 * @example
 * ```ts
 * const client = new OperationStatusesClient(endpoint, new DefaultAzureCredential());
 * const properties = await pollUntilDone(client.operation("my-project", operationId));
 * ```
 */
export class OperationStatusesClient extends DevCenterOperations {
  readonly #context: DevCenterContext;

  /**
   * @param endpoint - the DevCenter's own URI, `https://{tenantId}-{devcenter}.{region}.devcenter.azure.com`
   * @param credential - any of `@azure/identity`, or `{ pipeline }` of an Azure SDK's client; without one, requests have
   * no token. An endpoint outside of devcenter.azure.com needs `scopes`
   * @throws TypeError or RangeError that names the argument. A credential needs https; plain http is for this machine
   */
  constructor(
    endpoint: string,
    credential?: TokenCredential | SdkPipeline,
    options: OperationStatusesClientOptions = {},
  ) {
    const { apiVersion = defaultApiVersion } = options;
    super(endpoint, credential, {
      ...options,
      apiVersion,
      ...(hasToken(credential) && scopesOf(endpoint, options)),
    });
    this.#context = devCenterContext(this.context, apiVersion);
  }

  /** The api-version of the requests. */
  override get apiVersion(): string {
    return this.#context.apiVersion;
  }

  /**
   * Polls an operation once, for at most 30 s, the wait for the rate limiter included. Rejects at once with the code
   * `Throttled` if the service accepts no request for longer than that.
   *
   * @example
   * ```ts
   * const { status } = await client.getOperationStatus("my-project", operationId);
   * ```
   * @throws {@link OperationNotFoundError} if there is no such operation, {@link PollingError} for any other failure,
   * TypeError or RangeError that names an argument that breaks the contract
   */
  async getOperationStatus<P = unknown>(
    projectName: string,
    operationId: string,
    { abortSignal, tracingOptions }: GetOperationStatusOptions = {},
  ): Promise<OperationStatus<P>> {
    checkProjectName(projectName);
    checkOperationId(operationId);
    const context = { ...this.#context, spanName: "OperationStatusesClient.getOperationStatus" };
    const poller = createPoller(new StatusOperation<P>(context, projectName, operationId), {
      notFoundGraceInMs: 0,
      ...(tracingOptions && { tracingOptions }),
    });
    const { operation } = await poller.poll(abortSignal ? { abortSignal } : {});
    return operation;
  }

  /**
   * Returns an operation to poll.
   *
   * @throws TypeError or RangeError that names an argument that breaks the contract
   */
  operation<P = unknown>(projectName: string, operationId: string): Operation<P> {
    checkProjectName(projectName);
    checkOperationId(operationId);
    return new StatusOperation<P>(this.#context, projectName, operationId);
  }

  /** @internal */
  protected override get resourceProvider(): string {
    return resourceProvider;
  }

  /** @internal Resumed operations share what those of the client share; the token's api-version is the client's. */
  protected override operationOf<P>({ projectName, operationId }: OperationReference): Operation<P> {
    return new StatusOperation<P>(this.#context, projectName, operationId);
  }

  /**
   * Returns an operation to poll, from the value of an `Operation-Location` or `Location` header. Polls of an operation
   * status use the client's own api-version.
   *
   * @example
   * ```ts
   * const operation = client.operationAt(response.headers.get("operation-location") ?? "");
   * ```
   * @throws TypeError or RangeError if it is no URL of this client's endpoint
   */
  override operationAt<P = unknown>(
    operationLocation: string,
    options: OperationAtOptions<P> | ConditionOptions<P> = {},
  ): Operation<P> {
    if (Object.keys(options).length > 0) return super.operationAt<P>(operationLocation, options);
    const { endpoint } = this.#context;
    const url = parseUrl("operationLocation", operationLocation, endpoint);
    // Behind one gateway there may be many services.
    if (!new URL(url).pathname.startsWith(endpoint.pathname)) {
      throw new RangeError(
        `operationLocation: expected a URL below ${endpoint.href}, got another path there`,
      );
    }
    const reference = referenceAt(url, endpoint);
    return reference === undefined
      ? super.operationAt<P>(operationLocation)
      : this.operation<P>(reference.projectName, reference.operationId);
  }
}

/** The pipeline of an SDK's client has scopes of its own. */
function hasToken(credential: TokenCredential | SdkPipeline | undefined): boolean {
  return typeof credential === "object" && !("pipeline" in credential);
}

/** A token of DevCenter is safe with its own hosts, and stays on this machine. */
function scopesOf(
  endpoint: unknown,
  { scopes }: OperationStatusesClientOptions,
): Pick<OperationStatusesClientOptions, "scopes"> {
  if (scopes !== undefined) return { scopes };
  const url = typeof endpoint === "string" && URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url === undefined) return {};
  const isDevCenter = isLoopback(url) || audienceAt(url) === devCenterAudience;
  if (isDevCenter) return { scopes: `${devCenterAudience}/.default` };
  throw new RangeError(
    `scopes: expected the scopes of the token, because ${url.host} is no host of DevCenter that this library knows`,
  );
}
