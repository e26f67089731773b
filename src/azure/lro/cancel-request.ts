import { isObject } from "../../operation/json-object.ts";
import { describeValue } from "../../redaction.ts";

/** A request that asks a service to cancel an operation. */
export interface CancelRequest {
  /** The HTTP method. */
  readonly method: "DELETE" | "PATCH" | "POST" | "PUT";
  /** The URL, absolute or relative to the client's endpoint. The credential goes to the client's origins only. */
  readonly url: string;
  /** The body, sent as JSON. The resume token holds it. */
  readonly body?: unknown;
}

/** A request to cancel, or a function that makes it from the URL at which the operation is polled. */
export type CancelRequestOrFunction = CancelRequest | ((operationUrl: string) => CancelRequest);

const methods: ReadonlySet<unknown> = new Set<CancelRequest["method"]>(["DELETE", "PATCH", "POST", "PUT"]);

/**
 * Checks a request to cancel, and makes its URL absolute.
 *
 * @param name - that of the option, for errors
 * @throws TypeError or RangeError that names the part that is wrong
 */
export function checkCancelRequest(
  name: string,
  request: unknown,
  absolute: (name: string, url: unknown) => string,
): CancelRequest {
  if (!isObject(request)) {
    const expected = "a request with method and url, or a function that returns one";
    throw new TypeError(`${name}: expected ${expected}, got ${describeValue(request)}`);
  }
  const { method, url, body } = request;
  if (!isMethod(method)) {
    const expected = Array.from(methods).join(", ");
    throw new RangeError(`${name}.method: expected one of ${expected}, got ${describeValue(method)}`);
  }
  return { method, url: absolute(`${name}.url`, url), ...(body !== undefined && { body }) };
}

function isMethod(method: unknown): method is CancelRequest["method"] {
  return methods.has(method);
}

/** Checks the option `cancel`; a function's request is checked when it is made. */
export function checkCancel(
  cancel: CancelRequestOrFunction | undefined,
  absolute: (name: string, url: unknown) => string,
): CancelRequestOrFunction | undefined {
  if (typeof cancel === "function")
    return (operationUrl) => checkCancelRequest("cancel()", cancel(operationUrl), absolute);
  return cancel === undefined ? undefined : checkCancelRequest("cancel", cancel, absolute);
}

/**
 * The operations whose request to cancel follows from their URL, as their services describe it: the first group is its
 * path, then comes what to append. The method is POST, unless there is another.
 */
const knownRequests: readonly (readonly [pattern: RegExp, suffix: string, method?: "DELETE"])[] = [
  // Azure Resource Manager: the URL of the deployment, or of its status monitor.
  [
    /^(.*\/providers\/Microsoft\.Resources\/deployments\/[^/]+?)(\/operationStatuses\/[^/]+)?\/?$/i,
    "/cancel",
  ],
  [/^(.*\/providers\/Microsoft\.MachineLearningServices\/workspaces\/[^/]+\/jobs\/[^/]+)$/i, "/cancel"],
  // Azure AI Language
  [/^(.*\/language\/analyze-(text|conversations|documents)\/jobs\/[^/:]+)$/i, ":cancel"],
  // Azure AI Translator
  [/^(.*\/translator\/(text\/batch|document)\/.*batches\/[^/]+)$/i, "", "DELETE"],
  // Azure OpenAI
  [/^(.*\/openai\/(v1\/)?batches\/[^/]+)$/i, "/cancel"],
  // Azure Digital Twins
  [/^(\/jobs\/imports\/[^/]+)$/i, "/cancel"],
  // Microsoft Fabric
  [/^(\/v1\/workspaces\/[^/]+\/items\/[^/]+\/jobs\/instances\/[^/]+)$/i, "/cancel"],
];

/** Returns the request that cancels the operation at a URL, where the service describes one. */
export function knownCancelRequest(url: string | undefined): CancelRequest | undefined {
  if (url === undefined) return undefined;
  const { origin, pathname } = new URL(url);
  for (const [pattern, suffix, method = "POST"] of knownRequests) {
    const [, path] = pattern.exec(pathname) ?? [];
    if (path === undefined) continue;
    // The rest of a query may be a signature of the other URL.
    const [, apiVersion] = /^[^#]*?[?&](api-version=[^&#]*)/i.exec(url) ?? [];
    const query = apiVersion === undefined ? "" : `?${apiVersion}`;
    return { method, url: `${origin}${path}${suffix}${query}` };
  }
  return undefined;
}
