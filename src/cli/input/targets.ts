import { ContractError, createPoller } from "../../index.ts";
import type { Condition, LroClient, Operation, PollOptions, Poller } from "../../index.ts";
import { parseDeploymentToken, resumeDeployment } from "../../arm/index.ts";
import { clientOfToken, clientsFor, isPlainHttp } from "./clients.ts";
import type { ClientOptions, Clients } from "./clients.ts";
import { conditionOf } from "./condition.ts";
import type { ResourceConditionOptions } from "./condition.ts";
import { UsageError } from "./context.ts";
import type { CliContext } from "./context.ts";
import { deploymentAt, deploymentIdIn } from "./deployments.ts";
import { readLocations } from "./location-list.ts";
import { parseNamed } from "./names.ts";
import type { NamedText, OperationName } from "./names.ts";
import { placeIn, readTokens } from "./resume-token.ts";
import { withoutQuery } from "../../redaction.ts";

/** The options that name operations. */
export interface TargetOptions extends ClientOptions, ResourceConditionOptions {
  readonly endpoint?: string;
  readonly project?: string;
  readonly operation?: readonly string[];
  readonly from?: string;
  readonly resume?: readonly string[];
}

/** An operation to wait for. */
export interface Target extends OperationName {
  /** `undefined` for a resumed wait, whose state is in its poller. */
  readonly operation?: Operation;
  /** Whether a request is known that cancels it. */
  readonly canCancel: boolean;
  /** The kind of operation, for the history of durations, if its status names no resource. */
  readonly kind: string;
  createPoller(options: PollOptions): Poller;
}

/**
 * Resolves the operations that the command line names, each once for each name. Sends nothing.
 *
 * @throws UsageError that names the argument
 */
export async function resolveTargets(
  locations: readonly string[],
  options: TargetOptions,
  context: CliContext,
): Promise<Target[]> {
  const setting = { options, clients: clientsFor(context, options), condition: conditionOf(options) };
  checkStdin(options);
  const listed = options.from === undefined ? [] : await readLocations(options.from, context);
  const tokens = await Promise.all((options.resume ?? []).map((source) => readTokens(source, context)));
  const located = [...locations.map((argument) => ({ argument, source: locationName })), ...listed];
  const targets = [
    ...located.map(({ argument, source }) => targetAt(argument, source, setting)),
    ...namedTargets(
      setting,
      located.some(({ argument }) => isResourceId(parseNamed(argument).text)),
    ),
    ...tokens.flat().map((token) => resumedTarget(token, setting)),
  ];
  if (targets.length > 0) return withoutRepetition(targets);
  throw new UsageError(
    "operation-location: expected at least one operation, got none. Name it by its URL, or by --endpoint, --project and --operation. lro wait and lro queue add also take --from, lro wait and lro cancel --resume.",
  );
}

/** Stdin can be read only once. */
function checkStdin({ from, resume = [] }: TargetOptions): void {
  if (from !== "-" || !resume.includes("-")) return;
  throw new UsageError("--from: expected a file, because --resume reads stdin, got -");
}

/** A target, and the key that identifies its operation. */
type Found = readonly [key: string, target: Target];

/** An operation without a name is the same as one with any name. */
function withoutRepetition(all: readonly Found[]): Target[] {
  const keysWithName = new Set(all.flatMap(([key, { name }]) => (name === undefined ? [] : [key])));
  const wanted = all.filter(([key, { name }]) => name !== undefined || !keysWithName.has(key));
  const byKeyAndName = wanted.map(([key, target]) => [JSON.stringify([key, target.name]), target] as const);
  return Array.from(new Map(byKeyAndName).values());
}

const locationName = "operation-location";

/** The parts that all targets of a command share. */
interface TargetSetting {
  readonly options: TargetOptions;
  readonly clients: Clients;
  readonly condition: Condition | undefined;
}

/** @param source - the argument or the line of a file, as errors name it */
function targetAt(argument: string, source: string, { options, clients, condition }: TargetSetting): Found {
  const { name, text } = parseNamed(argument);
  const location = isResourceId(text) ? urlOfResource(text, source, options) : text;
  if (!/^https?:/i.test(location) || !URL.canParse(location)) {
    // A line of a file may hold any secret, such as one of a log: only a short word is none.
    const isShown = source === locationName || /^[\w.:/-]{1,24}$/.test(argument);
    const got = isShown ? `, got ${JSON.stringify(withoutQuery(argument))}` : "";
    throw new UsageError(
      `${source}: expected an https URL, or http on this machine, or an Azure resource id${got}`,
    );
  }
  // Without the query: it may be a signature.
  const { origin, pathname } = new URL(location);
  const within = source === locationName ? "" : `${source}: `;
  const argumentNames = {
    endpoint: source,
    url: source,
    operationLocation: source,
    scopes: `${source}: --scope`,
    projectName: `${within}project name in ${origin}${pathname}`,
    operationId: `${within}operation id in ${origin}${pathname}`,
  };
  return named(argumentNames, () => {
    const client = clients.at(location);
    const watched = condition === undefined ? deploymentAt(client, location, options.apiVersion) : undefined;
    if (watched) return watchedTarget(location, watched, name);
    return targetOf(location, client.operationAt(location, condition), name);
  });
}

function isResourceId(text: string): boolean {
  return /^\/(subscriptions|providers)\//i.test(text);
}

const resourceManager = "https://management.azure.com";

function urlOfResource(id: string, source: string, options: TargetOptions): string {
  const { endpoint = resourceManager, project, operation, apiVersion } = options;
  if (apiVersion === undefined && !/[?&]api-version=/i.test(id) && deploymentIdIn(id) === undefined) {
    throw new UsageError(`--api-version: expected a value, because ${source} is an Azure resource id`);
  }
  // With a project, the endpoint is that of a DevCenter.
  const base = project === undefined && operation === undefined ? endpoint : resourceManager;
  if (!URL.canParse(base)) throw new UsageError("--endpoint: expected a URL, got another text");
  return new URL(id, base).href;
}

function namedTargets({ options, clients, condition }: TargetSetting, hasResourceIds: boolean): Found[] {
  const { endpoint, project, operation } = options;
  if (project === undefined && operation === undefined && (endpoint === undefined || hasResourceIds))
    return [];
  const names = {
    endpoint: "--endpoint",
    scopes: "--endpoint: --scope",
    projectName: "--project",
    operationId: "--operation",
  };
  return named(names, () => {
    const origin = required("--endpoint", endpoint);
    const client = clients.devCenter(origin);
    const projectName = required("--project", project);
    const ids = required("--operation", operation);
    if (condition) throw new UsageError("--for: expected URLs or ids of resources, got --operation");
    return ids.map((id) => targetOf(origin, client.operation(projectName, id)));
  });
}

function required<T>(name: string, value: T | undefined): T {
  if (value !== undefined) return value;
  throw new UsageError(
    `${name}: expected a value, because --endpoint, --project and --operation go together`,
  );
}

function targetOf(url: string, operation: Operation, name?: string): Found {
  return found(url, operation, {
    name,
    operation,
    createPoller: (options) => createPoller(operation, options),
  });
}

function watchedTarget(url: string, operation: Operation, name: string | undefined): Found {
  const [key, target] = targetOf(url, operation, name);
  // Not by the URL: it may be that of the status monitor.
  return [key, withNameOfDeployment({ ...target, kind: kindAt(new URL(operation.id, url).href) })];
}

/** The id of a deployment is that of a resource, whose last part is the name by which people know it. */
function withNameOfDeployment(target: Target): Target {
  return { ...target, id: target.id.slice(target.id.lastIndexOf("/") + 1), isDeployment: true };
}

function found(
  url: string,
  operation: Operation,
  target: Pick<Target, "name" | "operation" | "createPoller">,
): Found {
  const canCancel = operation.cancel !== undefined;
  const facts = { id: operation.id, kind: kindAt(url), sendsToken: !isPlainHttp(url), canCancel };
  return [JSON.stringify(operation.toJSON()), { ...facts, ...target }];
}

function resumedTarget({ name, text: token }: NamedText, { clients, condition }: TargetSetting): Found {
  const names = { scopes: "--scope", until: "--for" };
  const resume = (): Found => {
    const place = placeIn(token);
    if (condition && !("url" in place && place.isCondition)) {
      throw new UsageError("--for: expected the token of a wait for a condition, got another one");
    }
    const client = clientOfToken(clients, place);
    if ("url" in place && place.isDeployment) return resumedDeployment(client, place.url, token, name);
    const { operation } = client.parseResumeToken(token, condition);
    return found("url" in place ? place.url : place.endpoint, operation, {
      name,
      createPoller: (options) => client.resume(token, { ...options, ...condition }),
    });
  };
  return named(names, resume, "--resume: ");
}

function resumedDeployment(client: LroClient, url: string, token: string, name: string | undefined): Found {
  const [key, target] = found(url, parseDeploymentToken(client, token).operation, {
    name,
    createPoller: (options) => resumeDeployment(client, token, options),
  });
  return [key, withNameOfDeployment(target)];
}

/** `microsoft.compute/virtualmachines`, of `/subscriptions/s/…/providers/Microsoft.Compute/virtualMachines/v`. */
export function kindOfResource(path: string): string | undefined {
  const segments = path.toLowerCase().split("/").filter(Boolean);
  const last = segments.at(-2);
  // Services name the collection of operation statuses differently.
  const type = last?.includes("operation") ? "operations" : last;
  const namespace = segments[segments.lastIndexOf("providers") + 1];
  return type === undefined || !segments.includes("providers") ? type : `${namespace}/${type}`;
}

function kindAt(url: string): string {
  return (URL.canParse(url) && kindOfResource(new URL(url).pathname)) || "operations";
}

/** Converts an error about an argument into a {@link UsageError} with the argument's name on the command line. */
export function named<T>(names: Readonly<Record<string, string>>, build: () => T, prefix = ""): T {
  try {
    return build();
  } catch (error) {
    const isArgumentError =
      error instanceof TypeError || error instanceof RangeError || error instanceof ContractError;
    if (!isArgumentError) throw error;
    const allNames: Readonly<Record<string, string>> = { apiVersion: "--api-version", ...names };
    const message = error.message.replace(/^\w+(?=:)/, (name) => allNames[name] ?? name);
    throw new UsageError(prefix + withoutEscapes(message), { cause: error });
  }
}

/** Shows `my%20project` as `my project`, so that the mistake is easy to see. */
function withoutEscapes(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
