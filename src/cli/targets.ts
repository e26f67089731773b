import { ContractError, OperationStatusesClient, createPoller } from "../index.ts";
import type { Operation, PollOptions, Poller } from "../index.ts";
import { UsageError } from "./context.ts";
import type { CliContext } from "./context.ts";
import { lazyCredential } from "./credential.ts";
import { readToken, referenceIn } from "./resume-token.ts";

/** Which operations the command line names. */
export interface TargetOptions {
  readonly endpoint?: string;
  readonly project?: string;
  readonly operation?: readonly string[];
  readonly resume?: readonly string[];
  readonly apiVersion?: string;
}

/** An operation to wait for. */
export interface Target {
  readonly id: string;
  createPoller(options: PollOptions): Poller;
}

/**
 * Finds out what the command line names, each operation once. Sends nothing.
 *
 * @throws UsageError that names the argument
 */
export async function resolveTargets(
  locations: readonly string[],
  options: TargetOptions,
  context: CliContext,
): Promise<Target[]> {
  const clientAt = clients(context, options.apiVersion);
  const tokens = await Promise.all((options.resume ?? []).map((source) => readToken(source, context)));
  const found = [
    ...locations.map((location) => targetAt(location, clientAt)),
    ...namedTargets(options, clientAt),
    ...tokens.map((token) => resumedTarget(token, clientAt)),
  ];
  if (found.length > 0) return Array.from(new Map(found).values());
  throw new UsageError(
    "operation-location: expected the URL of at least one operation, or --endpoint, --project and --operation, got none",
  );
}

/** A target under a key that tells operations apart. */
type Found = readonly [key: string, target: Target];

type ClientAt = (endpoint: string, apiVersion?: string) => OperationStatusesClient;

function clients(context: CliContext, apiVersion: string | undefined): ClientAt {
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
    // The client refuses plain http to anywhere but this machine, where nobody asks for a credential.
    const isPlain = endpoint.trim().toLowerCase().startsWith("http:");
    const clientOptions = version === undefined ? {} : { apiVersion: version };
    return new OperationStatusesClient(endpoint, isPlain ? undefined : credential, clientOptions);
  }
}

function targetAt(location: string, clientAt: ClientAt): Found {
  const name = "operation-location";
  return named({ endpoint: name, operationLocation: name, projectName: name, operationId: name }, () => {
    if (!/^https?:/i.test(location) || !URL.canParse(location)) {
      throw new UsageError(`${name}: expected an https URL, got ${JSON.stringify(location)}`);
    }
    return targetOf(clientAt(new URL(location).origin).operationAt(location));
  });
}

function namedTargets({ endpoint, project, operation }: TargetOptions, clientAt: ClientAt): Found[] {
  if (endpoint === undefined && project === undefined && operation === undefined) return [];
  return named({ endpoint: "--endpoint", projectName: "--project", operationId: "--operation" }, () => {
    const client = clientAt(required("--endpoint", endpoint));
    const projectName = required("--project", project);
    return required("--operation", operation).map((id) => targetOf(client.operation(projectName, id)));
  });
}

function required<T>(name: string, value: T | undefined): T {
  if (value !== undefined) return value;
  throw new UsageError(
    `${name}: expected a value, because --endpoint, --project and --operation go together`,
  );
}

function targetOf(operation: Operation): Found {
  const target = {
    id: operation.id,
    createPoller: (options: PollOptions) => createPoller(operation, options),
  };
  return [JSON.stringify(operation.toJSON()), target];
}

function resumedTarget(token: string, clientAt: ClientAt): Found {
  return named(
    {},
    () => {
      const { endpoint, operationId: id, apiVersion } = referenceIn(token);
      const client = clientAt(endpoint, apiVersion);
      const { operation } = client.resume(token).toJSON();
      return [JSON.stringify(operation), { id, createPoller: (options) => client.resume(token, options) }];
    },
    "--resume: ",
  );
}

/** Tells a refused argument by the name that it has on the command line. */
function named<T>(names: Readonly<Record<string, string>>, build: () => T, prefix = ""): T {
  try {
    return build();
  } catch (error) {
    const isRefusal =
      error instanceof TypeError || error instanceof RangeError || error instanceof ContractError;
    if (!isRefusal) throw error;
    const allNames: Readonly<Record<string, string>> = { apiVersion: "--api-version", ...names };
    throw new UsageError(prefix + error.message.replace(/^\w+(?=:)/, (name) => allNames[name] ?? name));
  }
}
