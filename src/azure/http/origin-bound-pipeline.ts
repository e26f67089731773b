import { createClientLogger } from "@azure/logger";
import type { TokenCredential } from "@azure/core-auth";
import {
  bearerTokenAuthenticationPolicy,
  createHttpHeaders,
  createPipelineFromOptions,
  createPipelineRequest,
} from "@azure/core-rest-pipeline";
import type {
  AuthorizeRequestOptions,
  HttpClient,
  HttpMethods,
  Pipeline,
  PipelineOptions,
  PipelinePolicy,
  PipelineResponse,
} from "@azure/core-rest-pipeline";
import { RequestLimiter } from "../../limiter/request-limiter.ts";
import type { Clock } from "../../clock.ts";
import { RequestError } from "../../operation/errors.ts";
import type { TracingOptions } from "../../operation/operation.ts";
import { errorOfRequest } from "./response.ts";
import { isSafe } from "./validation.ts";
import { withBodyLimit } from "./body-limit.ts";
import { TokenCache } from "./token-cache.ts";
import { redactLog } from "./log-redaction.ts";

/** A policy of the user's own, as Azure's clients take it. */
export interface AdditionalPolicy {
  /** The policy, as core-rest-pipeline has them. */
  readonly policy: PipelinePolicy;
  /** Once for each read, or once for each request (a read may be sent again, with a new token or redirected). */
  readonly position: "perCall" | "perRetry";
}

/** What core-rest-pipeline lets a client set, but for its retries and redirects, which this library owns. */
export interface TransportOptions extends Omit<PipelineOptions, "retryOptions" | "redirectOptions"> {
  /** Default: that of core-rest-pipeline for the runtime. Is asked for bodies as streams; a text will do. */
  readonly httpClient?: HttpClient;
  /** Default: none. */
  readonly additionalPolicies?: readonly AdditionalPolicy[];
}

/** A request, its URL kept byte for byte: Azure signs some. */
export interface BoundRequest {
  readonly method: HttpMethods;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** JSON text. */
  readonly body?: string | undefined;
  readonly abortSignal?: AbortSignal | undefined;
  readonly tracingOptions?: TracingOptions | undefined;
}

const mostRedirects = 5;
const httpRule = "http is for this machine only, and without a credential";

/** Sends requests to the origins that it was made for, and never anywhere else. */
export class OriginBoundPipeline {
  readonly #pipeline: Pipeline;
  readonly #httpClient: HttpClient;
  readonly #originGuard: HttpClient;
  readonly #origins: ReadonlySet<string>;
  readonly #safePrefixes: readonly string[];
  readonly #credential: TokenCache | undefined;
  readonly #limiters: WeakMap<Clock, RequestLimiter>;

  constructor(
    pipeline: Pipeline,
    origins: readonly string[],
    httpClient: HttpClient,
    credential?: TokenCache,
    budgets: WeakMap<Clock, RequestLimiter> = new WeakMap<Clock, RequestLimiter>(),
  ) {
    this.#limiters = budgets;
    this.#pipeline = pipeline;
    this.#origins = new Set(origins);
    this.#httpClient = httpClient;
    this.#credential = credential;
    const isAllowed = (origin: string): boolean => this.#isAllowed(new URL(origin));
    this.#safePrefixes = origins.filter(isAllowed).map((origin) => `${origin}/`);
    // The last gate: a policy may have rewritten where the request goes, after or before it got its token.
    this.#originGuard = {
      sendRequest: (sent) => {
        this.#checkOrigin(sent.url, "a request rewritten by a policy");
        return httpClient.sendRequest(sent);
      },
    };
  }

  /** The same, for more origins; paid from the same budget. */
  allowing(origins: readonly string[]): OriginBoundPipeline {
    if (origins.length === 0) return this;
    const all = [...this.#origins, ...origins];
    return new OriginBoundPipeline(this.#pipeline, all, this.#httpClient, this.#credential, this.#limiters);
  }

  /** What all reads through this transport are paid from. */
  limiterFor(clock: Clock): RequestLimiter {
    const budget = this.#limiters.get(clock) ?? new RequestLimiter(clock);
    this.#limiters.set(clock, budget);
    return budget;
  }

  /**
   * Sends a request. A redirect within the allowed origins is followed; a refused token is replaced once.
   *
   * @throws {@link RequestError} when there is no answer, or the way leads to another origin
   */
  async send(request: BoundRequest): Promise<PipelineResponse> {
    this.#checkOrigin(request.url, "a request");
    try {
      let response = await this.#sendOnce(request, request.url);
      let { url } = request;
      for (let redirects = 0; ; redirects++) {
        if (response.status === 401) response = await this.#sendWithFreshToken(request, url, response);
        const target = redirectOf(request.method, response);
        if (target === undefined) return response;
        if (redirects === mostRedirects)
          throw originRefused(`more than ${mostRedirects} redirects`, response.status);
        url = this.#redirected(url, target, response.status);
        response = await this.#sendOnce(request, url);
      }
    } catch (error) {
      throw errorOfRequest(error);
    }
  }

  #redirected(url: string, target: string, status: number): string {
    if (!URL.canParse(target, url)) throw originRefused("a redirect to what is no URL", status);
    // An absolute one is kept byte for byte: its signature covers how it is spelled.
    const next = URL.canParse(target) ? target : new URL(target, url).href;
    this.#checkOrigin(next, "a redirect", status);
    return next;
  }

  async #sendWithFreshToken(
    request: BoundRequest,
    url: string,
    response: PipelineResponse,
  ): Promise<PipelineResponse> {
    const refusedToken = response.request.headers.get("authorization")?.replace(/^Bearer /, "");
    // The bearer policy has answered a claims challenge already, and only what it takes for one.
    const challenge = response.headers.get("www-authenticate") ?? "";
    const isChallenge = /claims="[^"]+"/.test(challenge) && challenge.includes('error="insufficient_claims"');
    // Without the credential the same token would go out again.
    const isReplaceable = this.#credential !== undefined && !isChallenge;
    if (!isReplaceable || refusedToken === undefined) return response;
    this.#credential?.drop(refusedToken);
    return this.#sendOnce(request, url);
  }

  #sendOnce(
    { method, headers, body, abortSignal, tracingOptions }: BoundRequest,
    url: string,
  ): Promise<PipelineResponse> {
    const request = createPipelineRequest({
      method,
      url,
      headers: createHttpHeaders({ accept: "application/json", ...headers }),
      // Only loopback can be asked without TLS; see #checkOrigin.
      allowInsecureConnection: !url.startsWith("https:"),
    });
    if (abortSignal) request.abortSignal = abortSignal;
    if (tracingOptions) request.tracingOptions = tracingOptions;
    if (body !== undefined) request.body = body;
    if (body !== undefined && !request.headers.has("content-type")) {
      request.headers.set("content-type", "application/json");
    }
    return this.#pipeline.sendRequest(this.#originGuard, request);
  }

  #isAllowed(target: URL): boolean {
    const needsTls = this.#credential !== undefined;
    return (
      this.#origins.has(target.origin) && (target.protocol === "https:" || (!needsTls && isSafe(target)))
    );
  }

  #checkOrigin(url: string, what: string, status?: number): void {
    // The slash ends the authority: what begins so is at that origin, whatever follows.
    for (const prefix of this.#safePrefixes) if (url.startsWith(prefix)) return;
    const target = new URL(url);
    if (this.#isAllowed(target)) return;
    const { origin } = target;
    if (this.#origins.has(origin))
      throw originRefused(`${what} to ${origin} is refused: ${httpRule}`, status);
    throw originRefused(`${what} from ${[...this.#origins].join(", ")} to ${origin} is refused`, status);
  }
}

/** By its name: what switches core-rest-pipeline's log on switches this one on too. */
const pipelineLogger = createClientLogger("core-rest-pipeline");

/** Makes the pipeline of a client: core-rest-pipeline's, but for what this library owns. */
export function createOriginBoundPipeline(
  origin: string,
  scope: string,
  tokenCredential: TokenCredential | undefined,
  options: TransportOptions,
): OriginBoundPipeline {
  const credential = tokenCredential && new TokenCache(tokenCredential);
  const pipeline = createPipelineFromOptions(options);
  // Not in its public options, yet heeded by core-rest-pipeline: a logger of the user's own.
  const hasOwnLogger = "loggingOptions" in options;
  redactLog(pipeline, () => hasOwnLogger || pipelineLogger.info.enabled);
  // One layer retries: the engine. And a followed redirect would arrive without its token.
  pipeline.removePolicy({ phase: "Retry" });
  pipeline.removePolicy({ name: "redirectPolicy" });
  // Plain http is for this machine: a proxy that the environment names for the world is not on the way.
  if (origin.startsWith("http:") && !options.proxyOptions) pipeline.removePolicy({ name: "proxyPolicy" });
  for (const { policy, position } of options.additionalPolicies ?? []) {
    pipeline.addPolicy(policy, position === "perRetry" ? { afterPhase: "Retry" } : {});
  }
  if (credential) {
    // The policy's own cache is passed over for ours; see CachedCredential.
    const authorizeRequest = async ({ request, scopes }: AuthorizeRequestOptions): Promise<void> => {
      const { abortSignal, tracingOptions } = request;
      const { token } = await credential.getToken(scopes, {
        enableCae: true,
        ...(abortSignal && { abortSignal }),
        ...(tracingOptions && { tracingOptions }),
      });
      request.headers.set("Authorization", `Bearer ${token}`);
    };
    const challengeCallbacks = { authorizeRequest };
    pipeline.addPolicy(bearerTokenAuthenticationPolicy({ credential, scopes: scope, challengeCallbacks }));
  }
  return new OriginBoundPipeline(pipeline, [origin], withBodyLimit(options.httpClient), credential);
}

/** Those that keep the method, and for a GET those that make it one (RFC 9110 §15.4). */
function redirectOf(method: string, { status, headers }: PipelineResponse): string | undefined {
  const isRedirect =
    status === 307 || status === 308 || (method === "GET" && [301, 302, 303].includes(status));
  return isRedirect ? headers.get("location") : undefined;
}

function originRefused(why: string, statusCode?: number): RequestError {
  const prefix = statusCode === undefined ? "" : `HTTP ${statusCode}: `;
  return new RequestError(`${prefix}${why}`, { kind: "permanent", statusCode, code: "OriginRefused" });
}
