import { createClientLogger } from "@azure/logger";
import type { TokenCredential } from "@azure/core-auth";
import {
  bearerTokenAuthenticationPolicy,
  createDefaultHttpClient,
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
import { RequestBudget } from "../budget.ts";
import type { Clock } from "../clock.ts";
import { ReadError } from "../errors.ts";
import { errorOfRequest } from "./answer.ts";
import { isLoopback } from "./arguments.ts";
import { CachedCredential } from "./credential.ts";

/** A policy of the user's own, as Azure's clients take it. */
export interface AdditionalPolicy {
  readonly policy: PipelinePolicy;
  /** Once for each read, or once for each request (a read may be sent again, with a new token or redirected). */
  readonly position: "perCall" | "perRetry";
}

/** What core-rest-pipeline lets a client set, but for its retries and redirects, which this library owns. */
export interface TransportOptions extends Omit<PipelineOptions, "retryOptions" | "redirectOptions"> {
  /** Default: that of core-rest-pipeline for the runtime. */
  readonly httpClient?: HttpClient;
  /** Default: none. */
  readonly additionalPolicies?: readonly AdditionalPolicy[];
}

/** A request, its URL kept byte for byte: Azure signs some. */
export interface TransportRequest {
  readonly method: HttpMethods;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** JSON text. */
  readonly body?: string | undefined;
  readonly abortSignal?: AbortSignal | undefined;
}

const mostRedirects = 5;

/** Sends requests to the origins that it was made for, and never anywhere else. */
export class Transport {
  readonly #pipeline: Pipeline;
  readonly #httpClient: HttpClient;
  readonly #origins: ReadonlySet<string>;
  readonly #safePrefixes: readonly string[];
  readonly #credential: CachedCredential | undefined;
  readonly #budgets: WeakMap<Clock, RequestBudget>;

  constructor(
    pipeline: Pipeline,
    origins: readonly string[],
    httpClient: HttpClient = createDefaultHttpClient(),
    credential?: CachedCredential,
    budgets: WeakMap<Clock, RequestBudget> = new WeakMap<Clock, RequestBudget>(),
  ) {
    this.#budgets = budgets;
    this.#pipeline = pipeline;
    this.#origins = new Set(origins);
    this.#safePrefixes = origins.filter(isSafe).map((origin) => `${origin}/`);
    this.#httpClient = httpClient;
    this.#credential = credential;
  }

  /** The same, for more origins; paid from the same budget. */
  allowing(origins: readonly string[]): Transport {
    if (origins.length === 0) return this;
    const all = [...this.#origins, ...origins];
    return new Transport(this.#pipeline, all, this.#httpClient, this.#credential, this.#budgets);
  }

  /** What all reads through this transport are paid from. */
  budgetOn(clock: Clock): RequestBudget {
    const budget = this.#budgets.get(clock) ?? new RequestBudget(clock);
    this.#budgets.set(clock, budget);
    return budget;
  }

  /**
   * Sends a request. A redirect within the allowed origins is followed; a refused token is replaced once.
   *
   * @throws {@link ReadError} when there is no answer, or the way leads to another origin
   */
  async send(request: TransportRequest): Promise<PipelineResponse> {
    this.#checkOrigin(request.url, "a request");
    try {
      let response = await this.#sendOnce(request, request.url);
      let { url } = request;
      for (let redirects = 0; ; redirects++) {
        if (response.status === 401) response = await this.#sendWithFreshToken(request, url, response);
        const target = redirectOf(request.method, response);
        if (target === undefined) return response;
        if (redirects === mostRedirects)
          throw refused(`more than ${mostRedirects} redirects`, response.status);
        url = this.#redirected(url, target, response.status);
        response = await this.#sendOnce(request, url);
      }
    } catch (error) {
      throw errorOfRequest(error);
    }
  }

  #redirected(url: string, target: string, status: number): string {
    if (!URL.canParse(target, url)) throw refused("a redirect to what is no URL", status);
    // An absolute one is kept byte for byte: its signature covers how it is spelled.
    const next = URL.canParse(target) ? target : new URL(target, url).href;
    this.#checkOrigin(next, "a redirect", status);
    return next;
  }

  async #sendWithFreshToken(
    request: TransportRequest,
    url: string,
    response: PipelineResponse,
  ): Promise<PipelineResponse> {
    const refusedToken = response.request.headers.get("authorization")?.replace(/^Bearer /, "");
    const isChallenge = /claims="[^"]+"/.test(response.headers.get("www-authenticate") ?? "");
    // The bearer policy has answered a claims challenge already.
    // Without the credential the same token would go out again.
    const isReplaceable = this.#credential !== undefined && !isChallenge;
    if (!isReplaceable || refusedToken === undefined) return response;
    this.#credential?.forget(refusedToken);
    return this.#sendOnce(request, url);
  }

  #sendOnce(
    { method, headers, body, abortSignal }: TransportRequest,
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
    if (body !== undefined) request.body = body;
    if (body !== undefined && !request.headers.has("content-type")) {
      request.headers.set("content-type", "application/json");
    }
    return this.#pipeline.sendRequest(this.#httpClient, request);
  }

  #checkOrigin(url: string, what: string, status?: number): void {
    // The slash ends the authority: what begins so is at that origin, whatever follows.
    for (const known of this.#safePrefixes) if (url.startsWith(known)) return;
    const { origin } = new URL(url);
    if (this.#origins.has(origin) && isSafe(origin)) return;
    throw refused(`${what} from ${[...this.#origins].join(", ")} to ${origin} is refused`, status);
  }
}

/** Without TLS only this machine is asked. */
function isSafe(origin: string): boolean {
  const { protocol, hostname } = new URL(origin);
  return protocol === "https:" || (protocol === "http:" && isLoopback(hostname));
}

/** core-rest-pipeline hides the queries of the URLs that it asks, but not of those that it is led to. */
const logWithoutSignatures = new Proxy(createClientLogger("core-rest-pipeline").info, {
  apply(log, _, [first, ...rest]: unknown[]) {
    const isText = typeof first === "string";
    log(isText ? first.replace(/("[^"]*location": "[^"?]*\?)[^"]*/gi, "$1…") : first, ...rest);
  },
});

/** Makes the pipeline of a client: core-rest-pipeline's, but for what this library owns. */
export function createTransport(
  origin: string,
  scope: string,
  tokenCredential: TokenCredential | undefined,
  options: TransportOptions,
): Transport {
  const credential = tokenCredential && new CachedCredential(tokenCredential);
  const pipeline = createPipelineFromOptions({
    ...options,
    loggingOptions: { logger: logWithoutSignatures },
  });
  // One layer retries: the engine. And a followed redirect would arrive without its token.
  pipeline.removePolicy({ phase: "Retry" });
  pipeline.removePolicy({ name: "redirectPolicy" });
  for (const { policy, position } of options.additionalPolicies ?? []) {
    pipeline.addPolicy(policy, position === "perRetry" ? { afterPhase: "Retry" } : {});
  }
  if (credential) {
    // The policy's own cache is passed over for ours; see CachedCredential.
    const authorizeRequest = async ({ request, scopes }: AuthorizeRequestOptions): Promise<void> => {
      const { abortSignal } = request;
      const { token } = await credential.getToken(scopes, {
        enableCae: true,
        ...(abortSignal && { abortSignal }),
      });
      request.headers.set("Authorization", `Bearer ${token}`);
    };
    const challengeCallbacks = { authorizeRequest };
    pipeline.addPolicy(bearerTokenAuthenticationPolicy({ credential, scopes: scope, challengeCallbacks }));
  }
  return new Transport(pipeline, [origin], options.httpClient, credential);
}

/** Those that keep the method, and for a GET those that make it one (RFC 9110 §15.4). */
function redirectOf(method: string, { status, headers }: PipelineResponse): string | undefined {
  const isRedirect =
    status === 307 || status === 308 || (method === "GET" && [301, 302, 303].includes(status));
  return isRedirect ? headers.get("location") : undefined;
}

function refused(why: string, statusCode?: number): ReadError {
  const prefix = statusCode === undefined ? "" : `HTTP ${statusCode}: `;
  return new ReadError(`${prefix}${why}`, { kind: "refused", statusCode, code: "OriginRefused" });
}
