import { operationIdForm, operationIdPattern } from "../../operation/parse-status.ts";
import { isObject } from "../../operation/json-object.ts";
import { describeValue, withoutQuery } from "../../redaction.ts";

/** The names of projects, dev boxes and environments in the DevCenter contract, api-version 2025-02-01. */
export const namePattern: RegExp = /^[a-zA-Z0-9][a-zA-Z0-9-_.]{2,62}$/;

/** {@link namePattern} in words. */
export const nameForm = "3 to 63 letters, digits, '-', '_' or '.'";

/**
 * Checks a name against the contract.
 *
 * @throws TypeError if it is no string, RangeError if it does not match; both name the argument
 */
export function checkName(argument: string, name: unknown): string {
  return checkPattern(argument, name, namePattern, nameForm);
}

/** Checks a project's name; throws like {@link checkName}. */
export function checkProjectName(projectName: unknown): string {
  return checkName("projectName", projectName);
}

/** Checks an operation's id; throws like {@link checkName}. */
export function checkOperationId(operationId: unknown): string {
  return checkPattern("operationId", operationId, operationIdPattern, operationIdForm);
}

/** Checks a user's id: `me`, or a UUID in the form of an operation's id; throws like {@link checkName}. */
export function checkUserId(userId: unknown): string {
  return userId === "me" ? userId : checkPattern("userId", userId, operationIdPattern, "a UUID or me");
}

/** The api-version of the contract that this library knows. */
export const defaultApiVersion = "2025-02-01";

/** Checks an api-version; throws like {@link checkName}. */
export function checkApiVersion(apiVersion: unknown): string {
  return checkPattern("apiVersion", apiVersion, /^.+$/s, "at least one character");
}

const date = /^\d{4}-\d{2}-\d{2}/;

/**
 * Checks that an api-version is not older than the one that brought a method. Without a date it is not compared.
 *
 * @throws RangeError that names the method and both api-versions
 */
export function checkSupport(method: string, since: string, apiVersion: string): void {
  // A stable version that follows a preview has its date, so only the dates are compared.
  const [day] = date.exec(apiVersion) ?? [];
  if (day === undefined || day >= since.slice(0, day.length)) return;
  throw new RangeError(
    `${method}: expected a client with apiVersion ${since} or later, got ${shorten(apiVersion)}`,
  );
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
 * Parses a client's endpoint: https, or http to this machine without a credential.
 *
 * @throws TypeError if it is no URL, RangeError if a credential or a request must not go there
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
 * @throws TypeError if one is no URL, RangeError if a request must not go there
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

/**
 * Checks the headers of a request. Texts are not shown: they may be secret.
 *
 * @throws TypeError that names the argument and the header
 */
export function checkHeaders(argument: string, headers: unknown): void {
  // The entries of a Headers or a Map are no properties: it would be sent as no headers.
  if (!isObject(headers) || Symbol.iterator in headers) {
    const got = typeof headers === "string" ? "a string" : describeValue(headers);
    throw new TypeError(`${argument}: expected a plain object of strings, got ${got}`);
  }
  for (const [name, value] of Object.entries(headers))
    if (typeof value !== "string")
      throw new TypeError(`${argument}[${shorten(name)}]: expected a string, got ${describeValue(value)}`);
}

/** Whether requests to a URL cannot be intercepted: https, or http that stays on this machine. */
export function isSafe(url: URL): boolean {
  return url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url));
}

/** Whether requests to a URL stay on this machine. */
export function isLoopback({ hostname }: URL): boolean {
  return /^(localhost|\[::1\]|127(\.\d{1,3}){3})$/.test(hostname);
}

/** The names in an `Operation-Location` of DevCenter. */
export interface OperationReference {
  readonly projectName: string;
  readonly operationId: string;
}

const operationPath = /^projects\/([^/]+)\/operationstatuses\/([^/]+)\/?$/i;

/**
 * Parses the URL of an operation status of DevCenter. Returns `undefined` if it is another URL.
 *
 * @throws TypeError or RangeError if one of its names breaks the contract
 */
export function referenceAt(location: string, endpoint: URL): OperationReference | undefined {
  const url = new URL(location);
  const path = url.pathname.startsWith(endpoint.pathname) ? url.pathname.slice(endpoint.pathname.length) : "";
  const [, projectName, operationId] = operationPath.exec(path) ?? [];
  if (url.origin !== endpoint.origin || projectName === undefined || operationId === undefined)
    return undefined;
  return { projectName: checkProjectName(projectName), operationId: checkOperationId(operationId) };
}

/** @throws RangeError that names both origins: neither a credential nor a request may leave the client's own */
export function checkSameOrigin(name: string, url: URL, endpoint: URL, advice = ""): void {
  if (url.origin !== endpoint.origin) {
    throw new RangeError(
      `${name}: expected the client's origin ${endpoint.origin}, got ${url.origin}${advice}`,
    );
  }
}

/** Advises a caller that has the option. */
export const allowedOriginsAdvice = "; to allow it, add it to allowedOrigins";

/** Makes a URL absolute; `undefined` if it is none. An absolute one is kept byte for byte: Azure signs some as spelled. */
export function absoluteUrl(url: string, base: string | URL): string | undefined {
  if (URL.canParse(url)) return url;
  return URL.canParse(url, base) ? new URL(url, base).href : undefined;
}

/**
 * Makes a URL of a client's origin absolute, like {@link absoluteUrl}.
 *
 * @throws TypeError if it is no URL, RangeError if it is of another origin
 */
export function parseUrl(
  name: string,
  url: unknown,
  endpoint: URL,
  isAllowed: (url: URL) => boolean = () => false,
  advice?: string,
): string {
  const absolute = typeof url === "string" ? absoluteUrl(url, endpoint) : undefined;
  if (absolute === undefined) {
    throw new TypeError(
      `${name}: expected a URL, got ${typeof url === "string" ? "another string" : typeof url}`,
    );
  }
  // "https:host/path" depends on its base: the URL that is checked must be the one that is used.
  const resolved = new URL(absolute);
  if (!isAllowed(resolved)) checkSameOrigin(name, resolved, endpoint, advice);
  if (resolved.username || resolved.password)
    throw new RangeError(`${name}: expected no user in the URL, got one`);
  return absolute;
}

/** Adds an api-version to a URL that has none. The rest of the URL stays byte for byte as it is. */
export function withApiVersion(url: string, apiVersion: string | undefined): string {
  if (apiVersion === undefined || /^[^#]*[?&]api-version=/i.test(url)) return url;
  if (url.includes("#")) return withApiVersion(url.replace(/#.*/s, ""), apiVersion);
  return `${url}${url.includes("?") ? "&" : "?"}api-version=${encodeURIComponent(apiVersion)}`;
}
