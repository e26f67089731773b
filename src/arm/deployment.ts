import { contextOfClient, LroClient } from "../azure/lro-client.ts";
import { LroOperation } from "../azure/lro/lro-operation.ts";
import { parseTokenFor } from "../azure/lro/resume.ts";
import { startAndFollow } from "../azure/lro/start-operation.ts";
import type { StartOperationOptions, StartedPoller } from "../azure/lro/start-operation.ts";
import type { PollingLocation } from "../azure/lro/protocol.ts";
import type { ClientContext } from "../azure/lro/status-operation.ts";
import { absoluteUrl, checkApiVersion, withApiVersion } from "../azure/http/validation.ts";
import { logger } from "../azure/telemetry/logger.ts";
import { systemClock } from "../clock.ts";
import { OperationStartError, RequestError } from "../operation/errors.ts";
import { isObject } from "../operation/json-object.ts";
import type { Operation } from "../operation/operation.ts";
import type { PollOptions } from "../poller/options.ts";
import { resumePoller } from "../poller/poller.ts";
import type { Poller } from "../poller/poller.ts";
import { describeValue } from "../redaction.ts";
import type { ResumeToken } from "../state/resume-token.ts";
import { factsIn, parseDeploymentResult, parseValidation } from "./deployment-documents.ts";
import type { DeploymentResult } from "./deployment-documents.ts";
import { deploymentId } from "./deployment-id.ts";
import type { DeploymentName } from "./deployment-id.ts";
import { DeploymentOperation } from "./deployment-operation.ts";
import { listReader } from "./list-operations.ts";
import { pastOfTypes } from "./past-durations.ts";
import type { PastDurationsOptions } from "./past-durations.ts";
import { lastSegment } from "./row.ts";

/** Options of {@link deployment}. */
export interface DeploymentOptions extends PastDurationsOptions {
  /** The api-version of all requests. Default `2025-04-01`. */
  readonly apiVersion?: string;
  /**
   * The ids of all resources that the deployment will have, such as `validatedResources` of a validation or the
   * `resourceId` of each change of a what-if. With them the total of the parts is known. Default: unknown.
   */
  readonly expectedResources?: readonly string[];
}

/** A deployment to start. */
export interface NewDeployment extends DeploymentName {
  /** The template, as an object. One of `template` and `templateLink` is required. */
  readonly template?: object;
  /** The link to a template, such as `{ id }` of a template spec or `{ uri }`. */
  readonly templateLink?: object;
  /** The values of the template's parameters: `{ name: { value } }`, as in a parameters file. */
  readonly parameters?: Readonly<Record<string, object>>;
  /** `Complete` deletes the resources of the group that the template does not have. Default `Incremental`. */
  readonly mode?: "Incremental" | "Complete";
  /** Required by scopes other than a resource group. */
  readonly location?: string;
  /** The tags of the deployment itself. */
  readonly tags?: Readonly<Record<string, string>>;
}

/** Options of {@link startDeployment}, and of the wait. */
export interface StartDeploymentOptions<TOutputs = Readonly<Record<string, unknown>>>
  extends
    DeploymentOptions,
    Omit<StartOperationOptions<DeploymentResult<TOutputs>>, "parseResult" | "finalStateVia"> {
  /**
   * Whether to wait for a deployment of this name that is active already, in place of failing with `DeploymentActive`.
   * Its template may be another one. Default false.
   */
  readonly attachToActive?: boolean;
}

const defaultApiVersion = "2025-04-01";
const resourceProvider = "Microsoft.Resources";

/** The end of the path of a deployment's status monitor. */
const statusMonitor = /\/operationStatuses\/[^/]+\/?$/i;

/**
 * Returns a deployment of Azure Resource Manager to wait for. Sends nothing.
 *
 * Its status has the parts while a listener or an iteration follows the progress. An `OperationFailedError` names the
 * part that failed first.
 *
 * @example
 * ```ts
 * const { outputs } = await pollUntilDone(deployment(client, resourceId), {
 *   onProgress: ({ operation: { partsDone, partsTotal } }) => console.log(partsDone, partsTotal),
 * });
 * ```
 * @param client - a client for `https://management.azure.com`
 * @param resource - the deployment's resource id, or its scope and name
 * @throws TypeError or RangeError that names the argument
 */
export function deployment<TOutputs = Readonly<Record<string, unknown>>>(
  client: LroClient,
  resource: string | DeploymentName,
  options: DeploymentOptions = {},
): Operation<DeploymentResult<TOutputs>> {
  const context = contextIn(client);
  const id = deploymentId(resource);
  const { apiVersion } = checkOptions(options);
  const monitorUrl = urlOf(context, id, apiVersion);
  return new Following<TOutputs>(context, id, options).at({ kind: "resource", monitorUrl });
}

/**
 * Starts a deployment at once, and returns its poller.
 *
 * @throws TypeError or RangeError that names the argument, before anything is sent
 */
export function startDeployment<TOutputs = Readonly<Record<string, unknown>>>(
  client: LroClient,
  newDeployment: NewDeployment,
  options: StartDeploymentOptions<TOutputs> = {},
): StartedPoller<DeploymentResult<TOutputs>> {
  const context = contextIn(client);
  const id = deploymentId({ scope: newDeployment.scope, name: newDeployment.name });
  const { apiVersion } = checkOptions(options);
  const { attachToActive = false, ...waitOptions } = options;
  const url = urlOf(context, id, apiVersion);
  const following = new Following<TOutputs>(context, id, options);
  const recover = async (error: unknown): ReturnType<ClientContext["pipeline"]["send"]> => {
    if (!(error instanceof OperationStartError) || !error.hasCode("DeploymentActive")) throw error;
    if (attachToActive) return context.pipeline.send({ method: "GET", url });
    throw activeError(id, error);
  };
  return startAndFollow(
    context.pipeline,
    { method: "PUT", url, body: bodyOf(newDeployment) },
    { ...waitOptions, parseResult: parseDeploymentResult<TOutputs> },
    { endpoint: context.endpoint, apiVersion, resourceProvider, onResponse: following.onResponse },
    { recover, follow: (operation) => following.of(operation) },
  );
}

/** The result of {@link validateDeployment}. */
export interface ValidatedDeployment {
  /** The ids of the resources of all levels, for `expectedResources`. */
  readonly resources: readonly string[];
  /** Whether these are all: Azure leaves out some of the nested deployments of a large template. */
  readonly isComplete: boolean;
}

/**
 * Asks Azure whether it would accept a deployment, and for the resources that it would have. The request changes nothing,
 * counts as a write, and may take a minute.
 *
 * @example
 * ```ts
 * const { resources, isComplete } = await validateDeployment(client, newDeployment);
 * const options = isComplete ? { expectedResources: resources } : {};
 * await startDeployment(client, newDeployment, options).pollUntilDone();
 * ```
 * @throws `OperationStartError` or `OperationFailedError` with the cause, if it would be rejected
 */
export async function validateDeployment(
  client: LroClient,
  newDeployment: NewDeployment,
  options: Pick<DeploymentOptions, "apiVersion"> &
    Omit<StartOperationOptions<ValidatedDeployment>, "parseResult" | "finalStateVia"> = {},
): Promise<ValidatedDeployment> {
  const context = contextIn(client);
  const id = deploymentId({ scope: newDeployment.scope, name: newDeployment.name });
  const { apiVersion } = checkOptions(options);
  const request = {
    method: "POST",
    url: urlOf(context, `${id}/validate`, apiVersion),
    body: bodyOf(newDeployment),
  } as const;
  const waitOptions = { ...options, parseResult: parseValidation, finalStateVia: "location" } as const;
  const { pipeline, endpoint } = context;
  const service = { endpoint, apiVersion, resourceProvider };
  return startAndFollow(pipeline, request, waitOptions, service).pollUntilDone();
}

/**
 * Returns a poller that continues a wait for a deployment, with its parts. `client.resume` continues it without
 * them. Sends nothing until a caller waits.
 *
 * @throws `ContractError`, TypeError or RangeError if the token is not that of a deployment of this client
 */
export function resumeDeployment<TOutputs = Readonly<Record<string, unknown>>>(
  client: LroClient,
  token: string | ResumeToken,
  options: DeploymentOptions & PollOptions<DeploymentResult<TOutputs>> = {},
): Poller<DeploymentResult<TOutputs>> {
  const { operation, token: parsed } = parseDeploymentToken<TOutputs>(client, token, options);
  return resumePoller(operation, parsed, options);
}

/**
 * Parses the resume token of a deployment without a poller: for a queue's worker, for example.
 *
 * @throws like {@link resumeDeployment}
 */
export function parseDeploymentToken<TOutputs = Readonly<Record<string, unknown>>>(
  client: LroClient,
  token: string | object,
  options: DeploymentOptions = {},
): { readonly token: ResumeToken; readonly operation: Operation<DeploymentResult<TOutputs>> } {
  const context = contextIn(client);
  const target = { endpoint: context.endpoint, isAllowed: () => false };
  const parsed = parseTokenFor(token, target, systemClock.timestamp());
  const { operation } = parsed;
  if (!("kind" in operation)) throw notOfDeployment(operation);
  checkOptions(options);
  const fields: { readonly deployment?: unknown } = parsed.token.operation;
  const saved = isObject(fields.deployment) ? fields.deployment : {};
  // A client that continues the wait without the parts keeps the URL only.
  const id = saved["id"] ?? new URL(operation.monitorUrl).pathname.replace(statusMonitor, "");
  if (typeof id !== "string") throw notOfDeployment(id);
  const following = new Following<TOutputs>(context, deploymentId(id), options);
  const startedAt = saved["startedAt"];
  if (typeof startedAt === "number") following.startedAt = startedAt;
  return { token: parsed.token, operation: following.at(operation) };
}

function notOfDeployment(value: unknown): TypeError {
  return new TypeError(`token: expected that of a deployment, got ${describeValue(value)}`);
}

/** Makes the operation of one deployment, and passes on the facts in its responses. */
class Following<TOutputs> {
  readonly #context: ClientContext;
  readonly #id: string;
  readonly #options: DeploymentOptions;
  #operation: DeploymentOperation<DeploymentResult<TOutputs>> | undefined;
  startedAt: number | undefined;

  constructor(context: ClientContext, id: string, options: DeploymentOptions) {
    this.#context = context;
    this.#id = id;
    this.#options = options;
  }

  readonly onResponse = (response: Parameters<typeof factsIn>[0]): void => {
    const facts = factsIn(response);
    this.startedAt ??= facts.startedAt;
    this.#operation?.note({ ...facts, startedAt: this.startedAt });
  };

  at(location: PollingLocation): Operation<DeploymentResult<TOutputs>> {
    const { pipeline } = this.#context;
    const { apiVersion = defaultApiVersion } = this.#options;
    const inner = new LroOperation<DeploymentResult<TOutputs>>(
      {
        pipeline,
        apiVersion,
        resourceProvider,
        logger,
        onResponse: this.onResponse,
        parseResult: parseDeploymentResult<TOutputs>,
      },
      location,
    );
    return this.of(inner);
  }

  of(inner: Operation<DeploymentResult<TOutputs>>): Operation<DeploymentResult<TOutputs>> {
    const { apiVersion = defaultApiVersion, expectedResources } = this.#options;
    const id = this.#id;
    this.#operation = new DeploymentOperation({
      inner,
      id,
      name: lastSegment(id) ?? id,
      readList: listReader(this.#context, apiVersion),
      expectedIds: expectedResources,
      past: pastOfTypes(this.#options),
      sharedBy: Object.keys(this.#options).length === 0 ? this.#context.pipeline : undefined,
      tokenFields: () => ({ deployment: { id, startedAt: this.startedAt } }),
    });
    if (this.startedAt !== undefined) this.#operation.note({ startedAt: this.startedAt });
    return this.#operation;
  }
}

function contextIn(client: unknown): ClientContext {
  if (client instanceof LroClient) return contextOfClient(client);
  throw new TypeError(`client: expected an LroClient, got ${describeValue(client)}`);
}

function checkOptions(options: DeploymentOptions): { readonly apiVersion: string } {
  const { apiVersion = defaultApiVersion, expectedResources } = options;
  const isList =
    expectedResources === undefined ||
    (Array.isArray(expectedResources) && expectedResources.every((id) => typeof id === "string"));
  if (!isList) throw new TypeError("expectedResources: expected a list of resource ids");
  return { apiVersion: checkApiVersion(apiVersion) };
}

function urlOf({ endpoint }: ClientContext, id: string, apiVersion: string): string {
  return withApiVersion(absoluteUrl(id, endpoint) ?? id, apiVersion);
}

/** @throws TypeError that names the argument */
function bodyOf({ template, templateLink, parameters, mode, location, tags }: NewDeployment): object {
  if ((template === undefined) === (templateLink === undefined)) {
    const got = template === undefined ? "neither" : "both";
    throw new TypeError(`template: expected one of template and templateLink, got ${got}`);
  }
  const properties = { template, templateLink, parameters, mode: mode ?? "Incremental" };
  return { location, tags, properties };
}

function activeError(id: string, error: OperationStartError): OperationStartError {
  const advice = "To wait for it, use deployment() or attachToActive. To replace it, cancel it first.";
  const { cause } = error;
  const known =
    cause instanceof RequestError ? cause : new RequestError(error.message, { kind: "permanent" });
  return new OperationStartError(
    `Deployment ${id} was not started: a deployment of this name is active. ${advice}`,
    known,
  );
}
