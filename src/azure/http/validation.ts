import { operationIdForm, operationIdPattern } from "../../operation/parse-status.ts";
import { withoutQuery } from "../../redaction.ts";

/** What the DevCenter contract, api-version 2025-02-01, lets projects, dev boxes and environments be called. */
const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9-_.]{2,62}$/;

/** The same, in words. */
export const projectNameForm = "3 to 63 letters, digits, '-', '_' or '.'";

export function isProjectName(name: unknown): name is string {
  return typeof name === "string" && namePattern.test(name);
}

export function isOperationId(id: unknown): id is string {
  return typeof id === "string" && operationIdPattern.test(id);
}

/**
 * Checks a name against the contract.
 *
 * @throws TypeError when it is no string, RangeError when it does not match; both name the argument
 */
export function checkName(argument: string, name: unknown): string {
  return checkPattern(argument, name, namePattern, projectNameForm);
}

/** Checks a project's name; throws like {@link checkName}. */
export function checkProjectName(projectName: unknown): string {
  return checkName("projectName", projectName);
}

/** Checks an operation's id; throws like {@link checkName}. */
export function checkOperationId(operationId: unknown): string {
  return checkPattern("operationId", operationId, operationIdPattern, operationIdForm);
}

/** Checks the id of a user: a UUID, which the contract spells like an operation's id, or `me`; throws like {@link checkName}. */
export function checkUserId(userId: unknown): string {
  return userId === "me" ? userId : checkPattern("userId", userId, operationIdPattern, "a UUID or me");
}

/** Checks an api-version; throws like {@link checkName}. */
export function checkApiVersion(apiVersion: unknown): string {
  return checkPattern("apiVersion", apiVersion, /^.+$/s, "at least one character");
}

function checkPattern(name: string, value: unknown, pattern: RegExp, expected: string): string {
  if (typeof value !== "string") throw new TypeError(`${name}: expected a string, got ${typeof value}`);
  if (!pattern.test(value)) throw new RangeError(`${name}: expected ${expected}, got ${shorten(value)}`);
  return value;
}

function shorten(text: string): string {
  const safe = withoutQuery(text);
  return JSON.stringify(safe.length > 80 ? `${safe.slice(0, 80)}…` : safe);
}

/**
 * Parses a service's address: https, or http to this machine when no credential could be overheard on it.
 *
 * @throws TypeError when it is no URL, RangeError when it is one that a credential or a request must not go to
 */
export function parseEndpoint(endpoint: unknown, hasCredential: boolean): URL {
  if (typeof endpoint !== "string")
    throw new TypeError(`endpoint: expected a string, got ${typeof endpoint}`);
  if (!URL.canParse(endpoint)) throw new TypeError(`endpoint: expected a URL, got ${shorten(endpoint)}`);
  const url = new URL(endpoint);
  if (!isSafe(url))
    throw new RangeError(`endpoint: expected an https URL, got ${url.origin} (${url.protocol})`);
  if (url.protocol === "http:" && hasCredential) {
    throw new RangeError(
      `endpoint: a credential is sent over https only, got ${url.origin}; leave it out for an emulator`,
    );
  }
  if (url.username || url.password || url.search || url.hash) {
    throw new RangeError(`endpoint: expected no user, query or fragment, got one in a URL of ${url.origin}`);
  }
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url;
}

/**
 * Parses the origins, besides the client's own, that a credential may go to.
 *
 * @throws TypeError when one is no URL, RangeError when it is one that a request must not go to
 */
export function parseAllowedOrigins(origins: readonly unknown[]): string[] {
  if (!Array.isArray(origins))
    throw new TypeError(`allowedOrigins: expected an array of URLs, got ${typeof origins}`);
  return origins.map((origin) => {
    if (typeof origin !== "string" || !URL.canParse(origin)) {
      const got = typeof origin === "string" ? shorten(origin) : typeof origin;
      throw new TypeError(`allowedOrigins: expected URLs, got ${got}`);
    }
    const url = new URL(origin);
    if (isSafe(url)) return url.origin;
    throw new RangeError(`allowedOrigins: expected https URLs, got ${url.protocol}//${url.host}`);
  });
}

/** Whether nobody on the way can listen: https, or http that stays on this machine. */
export function isSafe({ protocol, hostname }: URL): boolean {
  return protocol === "https:" || (protocol === "http:" && isLoopback(hostname));
}

/** Whether requests to this host stay on this machine. */
function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** What an `Operation-Location` of DevCenter names. */
export interface OperationReference {
  readonly projectName: string;
  readonly operationId: string;
}

const operationPath = /^projects\/([^/]+)\/operationstatuses\/([^/]+)\/?$/i;

/**
 * Parses an `Operation-Location`, absolute or relative to the endpoint.
 *
 * @throws TypeError when it is no URL, RangeError when it is another origin's or no operation status of DevCenter
 */
export function parseOperationLocation(operationLocation: unknown, endpoint: URL): OperationReference {
  const url = new URL(parseUrl("operationLocation", operationLocation, endpoint));
  const path = url.pathname.startsWith(endpoint.pathname) ? url.pathname.slice(endpoint.pathname.length) : "";
  const [, projectName, operationId] = operationPath.exec(path) ?? [];
  if (projectName === undefined || operationId === undefined) {
    throw new RangeError(
      `operationLocation: expected …/projects/{projectName}/operationstatuses/{operationId}, got ${shorten(url.pathname)}`,
    );
  }
  return { projectName: checkProjectName(projectName), operationId: checkOperationId(operationId) };
}

/** @throws RangeError that names both origins: neither credential nor request may leave the client's own */
export function checkSameOrigin(name: string, url: URL, endpoint: URL): void {
  if (url.origin !== endpoint.origin) {
    throw new RangeError(`${name}: expected the client's origin ${endpoint.origin}, got ${url.origin}`);
  }
}

/**
 * Makes a URL of a client's origin absolute. One that is absolute stays as it is, byte for byte: Azure signs some.
 *
 * @throws TypeError when it is no URL, RangeError when it is another origin's
 */
export function parseUrl(
  name: string,
  url: unknown,
  endpoint: URL,
  allowedOrigins: ReadonlySet<string> = new Set(),
): string {
  if (typeof url !== "string" || !URL.canParse(url, endpoint)) {
    throw new TypeError(
      `${name}: expected a URL, got ${typeof url === "string" ? "another string" : typeof url}`,
    );
  }
  // Where "https:host/path" leads depends on what it is resolved against: what is checked must be what is used.
  const resolved = URL.canParse(url) ? new URL(url) : new URL(url, endpoint);
  if (!allowedOrigins.has(resolved.origin)) checkSameOrigin(name, resolved, endpoint);
  return URL.canParse(url) ? url : resolved.href;
}

/** Adds an api-version to a URL that has none, and leaves the rest of it byte for byte as it is. */
export function withApiVersion(url: string, apiVersion: string | undefined): string {
  if (apiVersion === undefined || /[?&]api-version=/i.test(url)) return url;
  if (url.includes("#")) return withApiVersion(url.replace(/#.*/s, ""), apiVersion);
  return `${url}${url.includes("?") ? "&" : "?"}api-version=${encodeURIComponent(apiVersion)}`;
}
