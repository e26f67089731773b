import { createClientLogger } from "@azure/logger";
import type { TokenCredential } from "@azure/core-auth";
import { createHttpHeaders, createPipelineRequest, redirectPolicyName } from "@azure/core-rest-pipeline";
import type {
  HttpClient,
  HttpMethods,
  Pipeline,
  PipelineOptions,
  PipelinePolicy,
  PipelineRequest,
  PipelineResponse,
} from "@azure/core-rest-pipeline";
import { RequestLimiter } from "../../limiter/request-limiter.ts";
import type { Clock } from "../../clock.ts";
import { RequestError } from "../../operation/errors.ts";
import type { TracingOptions } from "../../operation/operation.ts";
import { errorOfRequest, locationHeaders } from "./response.ts";
import { isOfService, isPreauthenticated } from "./audiences.ts";
import { absoluteUrl, isSafe } from "./validation.ts";
import { withBodyLimit } from "./body-limit.ts";
import { TokenCache } from "./token-cache.ts";
import { createPipeline } from "./policies.ts";
import { redactLog } from "./redaction.ts";

/** A policy of the user's own, in the form that Azure's clients take. */
export interface AdditionalPolicyConfig {
  /** A policy of core-rest-pipeline. */
  readonly policy: PipelinePolicy;
  /** Before or after the retry phase, which is empty here. Both run once for each request, a redirected one included. */
  readonly position: "perCall" | "perRetry";
}

/** Options of core-rest-pipeline, without those for retries and redirects: this library decides on both. */
export interface CommonClientOptions extends Omit<PipelineOptions, "retryOptions" | "redirectOptions"> {
  /** Sends the requests. It may give bodies as streams or as text. Default: core-rest-pipeline's for the runtime. */
  readonly httpClient?: HttpClient;
  /** Policies to add to the pipeline. Default: none. */
  readonly additionalPolicies?: readonly AdditionalPolicyConfig[];
}

/** An attempt to send a request. */
export interface Attempt {
  /** Whether the HTTP client has got it. Before that nothing leaves this machine. */
  wasSent: boolean;
}

/** A request to an allowed origin. Its URL is kept byte for byte: Azure signs some. */
export interface BoundRequest {
  readonly method: HttpMethods;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** JSON text. */
  readonly body?: string | undefined;
  readonly abortSignal?: AbortSignal | undefined;
  readonly tracingOptions?: TracingOptions | undefined;
  /** Told how far it came. */
  readonly attempt?: Attempt | undefined;
}

const maxRedirects = 5;

/** The rate limiters by the clock and the origin. */
type Limiters = WeakMap<Clock, Record<string, RequestLimiter>>;

/** The clients and SDKs' pipelines, by their rate limiters, that have had a response: their credentials work. */
const clientsWithResponse = new WeakSet<Limiters>();

/** The parts of an {@link OriginBoundPipeline}. */
interface PipelineParts {
  readonly pipeline: Pipeline;
  readonly httpClient: HttpClient;
  readonly credential?: TokenCache | undefined;
  /** The client's own URL. Its service may have other hosts, and may name monitors that get no token. */
  readonly endpoint: URL;
  /** Origins besides the endpoint's. */
  readonly origins: readonly string[];
  readonly limiters: Limiters;
}

/** Sends requests to the endpoint's service and the allowed origins only. */
export class OriginBoundPipeline {
  readonly #parts: PipelineParts;
  readonly #origins: ReadonlySet<string>;
  readonly #safePrefixes: readonly string[];

  constructor(parts: PipelineParts) {
    this.#parts = parts;
    this.#origins = new Set([parts.endpoint.origin, ...parts.origins]);
    this.#safePrefixes = [...this.#origins]
      .filter((origin) => this.#isAllowed(new URL(origin)))
      .map((origin) => `${origin}/`);
  }

  /** Returns a pipeline for more origins, with the same rate limiters. */
  allowing(origins: readonly string[]): OriginBoundPipeline {
    if (origins.length === 0) return this;
    return new OriginBoundPipeline({ ...this.#parts, origins: [...this.#parts.origins, ...origins] });
  }

  /** Returns the rate limiter of all polls of a URL's origin through this pipeline. */
  limiterFor(clock: Clock, url: string): RequestLimiter {
    const origin = this.#safePrefixOf(url)?.slice(0, -1) ?? new URL(url).origin;
    return limiterIn(this.#parts.limiters, clock, origin);
  }

  /**
   * Sends a request. Follows redirects within the allowed origins, and replaces a rejected token once.
   *
   * @throws {@link RequestError} if there is no response, or a redirect leads to another origin
   */
  async send(request: BoundRequest): Promise<PipelineResponse> {
    this.#checkOrigin(request.url, "a request");
    try {
      for (let { url } = request, redirects = 0; ; redirects++) {
        let response = await this.#sendOnce(request, url);
        clientsWithResponse.add(this.#parts.limiters);
        if (response.status === 401) response = await this.#sendWithFreshToken(request, url, response);
        const target = redirectOf(request.method, response);
        if (target === undefined) return redirects === 0 ? response : resolvedAgainst(url, response);
        if (redirects === maxRedirects)
          throw originRefused(`more than ${maxRedirects} redirects`, response.status);
        url = this.#redirected(url, target, response.status);
      }
    } catch (error) {
      throw errorOfRequest(error, clientsWithResponse.has(this.#parts.limiters));
    }
  }

  #redirected(url: string, target: string, status: number): string {
    const next = absoluteUrl(target, url);
    if (next === undefined) throw originRefused("a redirect to an invalid URL", status);
    this.#checkOrigin(next, "a redirect", status);
    return next;
  }

  /** With the claims of a challenge, which may also be that of the fresh token. */
  async #sendWithFreshToken(
    request: BoundRequest,
    url: string,
    response: PipelineResponse,
  ): Promise<PipelineResponse> {
    const rejectedToken = response.request.headers.get("authorization")?.replace(/^Bearer /, "");
    // Without the credential the same token would be sent again.
    const { credential } = this.#parts;
    if (credential === undefined || rejectedToken === undefined) return response;
    const claims = claimsOf(response);
    credential.reject(rejectedToken, claims);
    const next = await this.#sendOnce(request, url);
    const isChallenged = next.status === 401 && claims === undefined && claimsOf(next) !== undefined;
    return isChallenged ? this.#sendWithFreshToken(request, url, next) : next;
  }

  #sendOnce(
    { method, headers, body, abortSignal, tracingOptions, attempt }: BoundRequest,
    url: string,
  ): Promise<PipelineResponse> {
    const request = createPipelineRequest({
      method,
      url,
      headers: createHttpHeaders({
        accept: "application/json",
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      }),
      // Only this machine can be reached without TLS; see #checkOrigin.
      allowInsecureConnection: !url.startsWith("https:"),
    });
    if (abortSignal) request.abortSignal = abortSignal;
    if (tracingOptions) request.tracingOptions = tracingOptions;
    if (body !== undefined) request.body = body;
    // The response before, a redirect or a 401, says that the service has not acted on the request.
    if (attempt) attempt.wasSent = false;
    const httpClient: HttpClient = { sendRequest: (guarded) => this.#sendGuarded(guarded, attempt) };
    return this.#parts.pipeline.sendRequest(httpClient, request);
  }

  /** The last check: a policy may have rewritten the URL, before or after the request got its token. */
  #sendGuarded(request: PipelineRequest, attempt: Attempt | undefined): Promise<PipelineResponse> {
    const { endpoint, httpClient } = this.#parts;
    // A policy may have taken its time, and a transport may ignore the signal.
    if (request.abortSignal?.aborted)
      throw new DOMException("The request was aborted before it was sent.", "AbortError");
    this.#checkOrigin(request.url, "a request rewritten by a policy");
    // A monitor that is its own credential must not get another one, whoever has set it.
    if (this.#isElsewhere(request.url) && isPreauthenticated(endpoint, new URL(request.url)))
      request.headers.delete("authorization");
    if (attempt) attempt.wasSent = true;
    return httpClient.sendRequest(request);
  }

  #isElsewhere(url: string): boolean {
    return !url.startsWith(`${this.#parts.endpoint.origin}/`);
  }

  /** The slash ends the authority: a URL with this prefix is at that origin, whatever follows. */
  #safePrefixOf(url: string): string | undefined {
    return this.#safePrefixes.find((prefix) => url.startsWith(prefix));
  }

  #isAllowed(target: URL): boolean {
    const { credential, endpoint } = this.#parts;
    const isSafeEnough = credential ? target.protocol === "https:" : isSafe(target);
    return isSafeEnough && (this.#origins.has(target.origin) || isOfService(endpoint, target));
  }

  #checkOrigin(url: string, what: string, status?: number): void {
    if (this.#safePrefixOf(url) !== undefined) return;
    const target = new URL(url);
    if (this.#isAllowed(target)) return;
    const { origin } = target;
    const reason = this.#origins.has(origin)
      ? `to ${origin} is refused: http is allowed to this machine only, and without a credential`
      : `from ${[...this.#origins].join(", ")} to ${origin} is refused, because it is not in allowedOrigins`;
    throw originRefused(`${what} ${reason}`, status);
  }
}

/** Has the name of core-rest-pipeline's logger, and so is enabled together with it. */
const pipelineLogger = createClientLogger("core-rest-pipeline");

/** Creates the pipeline of a client: core-rest-pipeline's, without its retries, redirects and token cache. */
export function createOriginBoundPipeline(
  endpoint: URL,
  scopes: string | string[],
  tokenCredential: TokenCredential | undefined,
  options: CommonClientOptions,
): OriginBoundPipeline {
  const credential =
    tokenCredential && new TokenCache(tokenCredential, typeof scopes === "string" ? [scopes] : scopes);
  // Plain http is for this machine: a proxy that the environment sets for the internet is not on the way.
  const pipeline = createPipeline(
    options,
    endpoint.protocol !== "http:" || options.proxyOptions !== undefined,
  );
  // A logger of the user's own: core-rest-pipeline takes it, although its public options have none.
  const hasOwnLogger = "loggingOptions" in options;
  redactLog(pipeline, () => hasOwnLogger || pipelineLogger.info.enabled);
  for (const { policy, position } of options.additionalPolicies ?? []) {
    pipeline.addPolicy(policy, position === "perRetry" ? { afterPhase: "Retry" } : {});
  }
  if (credential) pipeline.addPolicy(bearerTokenPolicy(credential));
  const httpClient = withBodyLimit(options.httpClient);
  return new OriginBoundPipeline({
    limiters: new WeakMap(),
    pipeline,
    httpClient,
    credential,
    endpoint,
    origins: [],
  });
}

/** In place of core-rest-pipeline's; see {@link TokenCache}. OriginBoundPipeline handles challenges. */
function bearerTokenPolicy(credential: TokenCache): PipelinePolicy {
  return {
    name: "bearerTokenPolicy",
    async sendRequest(request, next) {
      const { abortSignal, tracingOptions } = request;
      const { token } = await credential.getToken({
        ...(abortSignal && { abortSignal }),
        ...(tracingOptions && { tracingOptions }),
      });
      request.headers.set("Authorization", `Bearer ${token}`);
      return next(request);
    },
  };
}

/** Returns the claims of a challenge (Continuous Access Evaluation) as JSON text; `undefined` where there are none. */
function claimsOf({ headers }: PipelineResponse): string | undefined {
  const challenges = (headers.get("www-authenticate") ?? "").matchAll(
    /\bBearer\s+((?:[\w-]+=(?:"[^"]*"|[^\s",]*)\s*(?:,\s*|$))+)/gi,
  );
  for (const [, parameters = ""] of challenges) {
    const [, claims] = /\bclaims="([^"]+)"/.exec(parameters) ?? [];
    if (claims === undefined || !parameters.includes('error="insufficient_claims"')) continue;
    try {
      return atob(claims);
    } catch {
      // Not in Base64: the service may accept a token without claims.
    }
  }
  return undefined;
}

/** The pipeline of an Azure SDK's client, which signs its requests. */
export interface SdkPipeline {
  /** Used as a copy without its policies for retries and redirects: this library decides on both. */
  readonly pipeline: Pipeline;
  /** Sends the requests. Default: core-rest-pipeline's for the runtime. */
  readonly httpClient?: HttpClient;
}

const limitersOfPipelines = new WeakMap<Pipeline, Limiters>();

/** Returns the rate limiters of all polls through the pipeline of an Azure SDK's client, one for each clock. */
export function limitersOf(pipeline: Pipeline): Limiters {
  const limiters = limitersOfPipelines.get(pipeline) ?? new WeakMap();
  limitersOfPipelines.set(pipeline, limiters);
  return limiters;
}

/** Returns the rate limiter of a clock and an origin. */
export function limiterIn(limiters: Limiters, clock: Clock, origin: string): RequestLimiter {
  let byOrigin = limiters.get(clock);
  if (byOrigin === undefined) limiters.set(clock, (byOrigin = {}));
  return (byOrigin[origin] ??= new RequestLimiter(clock));
}

/** Binds the pipeline of an Azure SDK's client to the service of an endpoint. */
export function boundPipelineOf(endpoint: URL, sdk: SdkPipeline): OriginBoundPipeline {
  const pipeline = sdk.pipeline.clone();
  takeOverPolicies(pipeline);
  const httpClient = withBodyLimit(sdk.httpClient);
  return new OriginBoundPipeline({
    pipeline,
    httpClient,
    endpoint,
    origins: [],
    limiters: limitersOf(sdk.pipeline),
  });
}

/** Removes the policies that this library replaces, and redacts the log. */
function takeOverPolicies(pipeline: Pipeline): void {
  redactLog(pipeline);
  // One layer retries: a pipeline's own would send a POST again that the service may have received.
  pipeline.removePolicy({ phase: "Retry" });
  // OriginBoundPipeline follows redirects: the pipeline's own policy loses the token, and may lead anywhere.
  pipeline.removePolicy({ name: redirectPolicyName });
}

/** Follows redirects that keep the method, and for a GET those that turn it into one (RFC 9110 §15.4). */
function redirectOf(method: string, { status, headers }: PipelineResponse): string | undefined {
  const isRedirect =
    status === 307 || status === 308 || (method === "GET" && [301, 302, 303].includes(status));
  return isRedirect ? headers.get("location") : undefined;
}

/** Makes the URLs in the headers absolute: they are relative to the URL that responded, which a redirect changes. */
function resolvedAgainst(url: string, response: PipelineResponse): PipelineResponse {
  for (const name of [...locationHeaders, "resource-location"]) {
    const value = response.headers.get(name);
    const absolute = value && absoluteUrl(value, url);
    if (absolute) response.headers.set(name, absolute);
  }
  return response;
}

function originRefused(reason: string, statusCode?: number): RequestError {
  const prefix = statusCode === undefined ? "" : `HTTP ${statusCode}: `;
  return new RequestError(`${prefix}${reason}`, { kind: "permanent", statusCode, code: "OriginRefused" });
}
