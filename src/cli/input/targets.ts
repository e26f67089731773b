import { ContractError, OperationStatusesClient, createPoller } from "../../index.ts";
import type { Operation, OperationStatusesClientOptions, PollOptions, Poller } from "../../index.ts";
import { UsageError } from "./context.ts";
import type { CliContext } from "./context.ts";
import { lazyCredential, mayGetToken } from "./credential.ts";
import { readLocations } from "./location-list.ts";
import { parseNamed } from "./names.ts";
import type { NamedText, OperationName } from "./names.ts";
import { readTokens, referenceIn } from "./resume-token.ts";
import { withoutQuery } from "../../redaction.ts";

/** The options that name operations. */
export interface TargetOptions {
  readonly endpoint?: string;
  readonly project?: string;
  readonly operation?: readonly string[];
  readonly from?: string;
  readonly resume?: readonly string[];
  readonly apiVersion?: string;
  readonly allowHost?: readonly string[];
}

/** An operation to wait for. */
export interface Target extends OperationName {
  /** `undefined` for a resumed wait, whose state is in its poller. */
  readonly operation?: Operation;
  createPoller(options: PollOptions): Poller;
}

/**
 * Resolves the operations that the command line names, each once. Sends nothing.
 *
 * @throws UsageError that names the argument
 */
export async function resolveTargets(
  locations: readonly string[],
  options: TargetOptions,
  context: CliContext,
): Promise<Target[]> {
  const clientAt = clientsFor(context, options);
  checkStdin(options);
  const listed = options.from === undefined ? [] : await readLocations(options.from, context);
  const tokens = await Promise.all((options.resume ?? []).map((source) => readTokens(source, context)));
  const found = [
    ...locations.map((location) => targetAt(location, clientAt)),
    ...listed.map(({ argument, source }) => targetAt(argument, clientAt, source)),
    ...namedTargets(options, clientAt),
    ...tokens.flat().map((token) => resumedTarget(token, clientAt)),
  ];
  if (found.length > 0) return Array.from(new Map(found).values());
  throw new UsageError(
    "operation-location: expected the URL of at least one operation, or --endpoint, --project and --operation (lro wait: or --from, or --resume), got none",
  );
}

/** Stdin can be read only once. */
function checkStdin({ from, resume = [] }: TargetOptions): void {
  if (from !== "-" || !resume.includes("-")) return;
  throw new UsageError("--from: expected a file, because --resume reads stdin, got -");
}

/** A target, and the key that identifies its operation. */
type Found = readonly [key: string, target: Target];

/** @throws RangeError or TypeError that names the argument */
type ClientAt = (endpoint: string, apiVersion?: string) => OperationStatusesClient;

/** Creates one client for each endpoint and api-version. Rejects hosts that must not get a token. */
export function clientsFor(context: CliContext, { apiVersion, allowHost = [] }: TargetOptions): ClientAt {
  const credential = lazyCredential(context.loadCredential);
  const known = new Map<string, OperationStatusesClient>();
  return (endpoint, ownApiVersion) => {
    const version = apiVersion ?? ownApiVersion;
    const key = JSON.stringify([endpoint, version]);
    const client = known.get(key) ?? createClient(endpoint, version);
    known.set(key, client);
    return client;
  };
  function createClient(endpoint: string, version: string | undefined): OperationStatusesClient {
    const clientOptions = version === undefined ? {} : { apiVersion: version };
    // The client rejects plain http to other machines, and this one needs no credential.
    if (isPlainHttp(endpoint)) return plainClient(endpoint, clientOptions);
    const client = new OperationStatusesClient(endpoint, credential, clientOptions);
    checkHost(new URL(endpoint), allowHost);
    return client;
  }
}

function isPlainHttp(endpoint: string): boolean {
  return endpoint.trim().toLowerCase().startsWith("http:");
}

function plainClient(endpoint: string, options: OperationStatusesClientOptions): OperationStatusesClient {
  try {
    return new OperationStatusesClient(endpoint, undefined, options);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RangeError(`${error.message}; http is for this machine only`, { cause: error });
  }
}

/** @throws RangeError for a host that could misuse the token */
function checkHost(url: URL, allowed: readonly string[]): void {
  const isAllowed = allowed.some((host) => host.toLowerCase() === url.hostname);
  if (mayGetToken(url.hostname) || isAllowed) return;
  throw new RangeError(
    `endpoint: expected a host in devcenter.azure.com, because requests carry your token, got ${url.hostname} ` +
      `(--allow-host ${url.hostname} allows it)`,
  );
}

const locationName = "operation-location";

/** @param source - the argument or the line of a file, as errors name it */
function targetAt(argument: string, clientAt: ClientAt, source: string = locationName): Found {
  const { name, text: location } = parseNamed(argument);
  if (!/^https?:/i.test(location) || !URL.canParse(location)) {
    throw new UsageError(
      `${source}: expected an https URL, or http on this machine, got ${JSON.stringify(withoutQuery(argument))}`,
    );
  }
  // Without the query: it may be a signature.
  const { origin, pathname } = new URL(location);
  const within = source === locationName ? "" : `${source}: `;
  const argumentNames = {
    endpoint: source,
    operationLocation: source,
    projectName: `${within}project name in ${origin}${pathname}`,
    operationId: `${within}operation id in ${origin}${pathname}`,
  };
  return named(argumentNames, () => targetOf(origin, clientAt(origin).operationAt(location), name));
}

function namedTargets({ endpoint, project, operation }: TargetOptions, clientAt: ClientAt): Found[] {
  if (endpoint === undefined && project === undefined && operation === undefined) return [];
  return named({ endpoint: "--endpoint", projectName: "--project", operationId: "--operation" }, () => {
    const origin = required("--endpoint", endpoint);
    const client = clientAt(origin);
    const projectName = required("--project", project);
    return required("--operation", operation).map((id) =>
      targetOf(origin, client.operation(projectName, id)),
    );
  });
}

function required<T>(name: string, value: T | undefined): T {
  if (value !== undefined) return value;
  throw new UsageError(
    `${name}: expected a value, because --endpoint, --project and --operation go together`,
  );
}

function targetOf(endpoint: string, operation: Operation, name?: string): Found {
  const target = {
    id: operation.id,
    name,
    sendsToken: !isPlainHttp(endpoint),
    operation,
    createPoller: (options: PollOptions) => createPoller(operation, options),
  };
  return [JSON.stringify(operation.toJSON()), target];
}

function resumedTarget({ name, text: token }: NamedText, clientAt: ClientAt): Found {
  return named(
    {},
    () => {
      const { endpoint, operationId: id, apiVersion } = referenceIn(token);
      const client = clientAt(endpoint, apiVersion);
      const { operation } = client.resume(token).toJSON();
      const target = {
        id,
        name,
        sendsToken: !isPlainHttp(endpoint),
        createPoller: (options: PollOptions) => client.resume(token, options),
      };
      return [JSON.stringify(operation), target];
    },
    "--resume: ",
  );
}

/** Converts an error about an argument into a {@link UsageError} with the argument's name on the command line. */
function named<T>(names: Readonly<Record<string, string>>, build: () => T, prefix = ""): T {
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
