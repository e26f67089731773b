import type { TokenCredential } from "@azure/identity";
import { LroClient, OperationStatusesClient } from "../../index.ts";
import type { LroClientOptions } from "../../index.ts";
import type { CliContext } from "./context.ts";
import { lazyCredential } from "./credential.ts";
import type { TokenPlace } from "./resume-token.ts";

/** The options that decide on the token and the api-version of requests. */
export interface ClientOptions {
  readonly apiVersion?: string;
  readonly allowHost?: readonly string[];
  readonly scope?: readonly string[];
}

/** The clients of a command: one for each endpoint and api-version. All functions throw what the clients throw. */
export interface Clients {
  /** Returns the client for the origin of an absolute URL. */
  at(url: string): LroClient;
  devCenter(endpoint: string, apiVersion?: string): OperationStatusesClient;
}

/** Returns the client for the operation of a resume token. */
export function clientOfToken(clients: Clients, place: TokenPlace): LroClient {
  return "url" in place ? clients.at(place.url) : clients.devCenter(place.endpoint, place.apiVersion);
}

/** An operation status of DevCenter, also behind a gateway and in the emulator. */
const devCenterPath = /^\/projects\/[^/]+\/operationstatuses\/[^/]+\/?$/i;

/** Creates clients on demand. An https host that is not known to be Azure's gets a token only if the options say so. */
export function clientsFor(
  context: Pick<CliContext, "loadCredential">,
  { apiVersion, allowHost = [], scope }: ClientOptions,
): Clients {
  const credential = lazyCredential(context.loadCredential);
  const hosts = new Set(allowHost.map((host) => host.toLowerCase()));
  const devCenter = perEndpoint((endpoint, version) => {
    const scopes = scopesFor(endpoint) ?? (isAllowed(endpoint) ? devCenterScope : undefined);
    // Unlike a client of DevCenter, it refuses to send a token to this machine without scopes.
    if (scopes === undefined) create(LroClient, endpoint, {}, "sends those of DevCenter there");
    return create(OperationStatusesClient, endpoint, optionsOf(scopes, version));
  });
  const other = perEndpoint((endpoint, version) =>
    create(LroClient, endpoint, optionsOf(scopesFor(endpoint), version)),
  );
  return {
    at(url) {
      const { origin, hostname, pathname } = new URL(url);
      // Only the hosts of the public cloud are documented.
      const isDevCenter = hostname.endsWith(".devcenter.azure.com") || devCenterPath.test(pathname);
      const endpoint = scopesFor(origin) === undefined ? endpointFor(hostname + pathname) : undefined;
      return (isDevCenter ? devCenter : other)(endpoint ?? origin, apiVersion);
    },
    devCenter: (endpoint, ownApiVersion) => devCenter(endpoint, apiVersion ?? ownApiVersion),
  };

  function isAllowed(endpoint: string): boolean {
    return hosts.has(hostnameOf(endpoint));
  }

  /** With `--allow-host`, `--scope` is for its hosts alone: a job or a file may name any other. */
  function scopesFor(endpoint: string): readonly string[] | undefined {
    return hosts.size === 0 || isAllowed(endpoint) ? scope : undefined;
  }

  /** @param effect - what `--allow-host` would do */
  function create<T>(
    Client: ClientClass<T>,
    endpoint: string,
    options: LroClientOptions,
    effect = scope && "sends them there",
  ): T {
    const isPlain = isPlainHttp(endpoint);
    try {
      return new Client(endpoint, isPlain ? undefined : credential, options);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      const { message } = error;
      const isScopeMissing = message.startsWith("scopes:") && effect !== undefined;
      const allowHint = isScopeMissing ? ` (--allow-host ${hostnameOf(endpoint)} ${effect})` : "";
      const hint = isPlain ? "; http is for this machine only" : allowHint;
      throw new RangeError(message + hint, { cause: error });
    }
  }
}

/** Services whose monitors are at hosts that take no token. Their clients know what to do with these. */
const endpointsOfMonitors: readonly (readonly [RegExp, string])[] = [
  [/^[^/]+\.sharepoint\.com\/|^api\.onedrive\.com\//, "https://graph.microsoft.com"],
  [/^[^/]+\.analysis\.windows\.net\/v1\/operations\/[^/]+$/, "https://api.fabric.microsoft.com"],
];

/** @param place - a host and a path */
function endpointFor(place: string): string | undefined {
  return endpointsOfMonitors.find(([monitors]) => monitors.test(place))?.[1];
}

const devCenterScope = "https://devcenter.azure.com/.default";

function optionsOf(scopes: LroClientOptions["scopes"], apiVersion: string | undefined): LroClientOptions {
  return {
    ...(scopes !== undefined && { scopes }),
    ...(apiVersion !== undefined && { apiVersion }),
  };
}

type ClientClass<T> = new (endpoint: string, credential?: TokenCredential, options?: LroClientOptions) => T;

function perEndpoint<T>(
  create: (endpoint: string, apiVersion: string | undefined) => T,
): (endpoint: string, apiVersion: string | undefined) => T {
  const known = new Map<string, T>();
  return (endpoint, apiVersion) => {
    const key = JSON.stringify([endpoint, apiVersion]);
    const client = known.get(key) ?? create(endpoint, apiVersion);
    known.set(key, client);
    return client;
  };
}

/** Returns whether requests to a URL carry no token. The clients reject plain http to other machines. */
export function isPlainHttp(url: string): boolean {
  return url.trim().toLowerCase().startsWith("http:");
}

/** Returns an empty text for a URL that the clients reject. */
function hostnameOf(endpoint: string): string {
  return URL.canParse(endpoint) ? new URL(endpoint).hostname : "";
}
