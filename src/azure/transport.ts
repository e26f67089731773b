import type { TokenCredential } from "@azure/core-auth";
import {
  bearerTokenAuthenticationPolicy,
  createDefaultHttpClient,
  createPipelineFromOptions,
  createPipelineRequest,
} from "@azure/core-rest-pipeline";
import type {
  HttpClient,
  Pipeline,
  PipelineOptions,
  PipelinePolicy,
  PipelineResponse,
} from "@azure/core-rest-pipeline";
import { ReadError } from "../errors.ts";
import { errorOfRequest } from "./answer.ts";
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
  readonly additionalPolicies?: readonly AdditionalPolicy[];
}

const mostRedirects = 5;

/** Sends requests to one origin and never anywhere else. */
export class Transport {
  readonly #origin: string;
  readonly #pipeline: Pipeline;
  readonly #httpClient: HttpClient;
  readonly #credential: CachedCredential | undefined;

  constructor(
    endpoint: URL,
    scope: string,
    credential: TokenCredential | undefined,
    options: TransportOptions,
  ) {
    this.#origin = endpoint.origin;
    this.#httpClient = options.httpClient ?? createDefaultHttpClient();
    this.#credential = credential && new CachedCredential(credential);
    this.#pipeline = createPipeline(options, scope, this.#credential);
  }

  /**
   * Gets a URL. A redirect within the origin is followed; a refused token is replaced once.
   *
   * @throws {@link ReadError} when there is no answer, or one that leads to another origin
   */
  async get(url: URL, abortSignal: AbortSignal): Promise<PipelineResponse> {
    let target = url;
    for (let redirects = 0; ; redirects++) {
      const response = await this.#getWithFreshToken(target, abortSignal);
      const next = redirectOf(response);
      if (next === undefined) return response;
      if (redirects === mostRedirects) throw refused(response, `more than ${mostRedirects} redirects`);
      target = new URL(next, target);
      this.#checkOrigin(target, response);
    }
  }

  async #getWithFreshToken(url: URL, abortSignal: AbortSignal): Promise<PipelineResponse> {
    const response = await this.#send(url, abortSignal);
    const refusedToken = response.request.headers.get("authorization")?.replace(/^Bearer /, "");
    const isChallenge = response.headers.get("www-authenticate")?.includes("claims=");
    // The bearer policy has answered a claims challenge already.
    if (response.status !== 401 || refusedToken === undefined || isChallenge) return response;
    this.#credential?.forget(refusedToken);
    return this.#send(url, abortSignal);
  }

  async #send(url: URL, abortSignal: AbortSignal): Promise<PipelineResponse> {
    const request = createPipelineRequest({
      url: url.href,
      abortSignal,
      allowInsecureConnection: url.protocol === "http:",
    });
    request.headers.set("accept", "application/json");
    try {
      return await this.#pipeline.sendRequest(this.#httpClient, request);
    } catch (error) {
      throw errorOfRequest(error);
    }
  }

  #checkOrigin(target: URL, response: PipelineResponse): void {
    if (target.origin !== this.#origin) {
      throw refused(response, `a redirect from ${this.#origin} to ${target.origin} is not followed`);
    }
  }
}

function createPipeline(
  options: TransportOptions,
  scope: string,
  credential: TokenCredential | undefined,
): Pipeline {
  const pipeline = createPipelineFromOptions(options);
  // One layer retries: the engine. And a followed redirect would arrive without its token.
  pipeline.removePolicy({ phase: "Retry" });
  pipeline.removePolicy({ name: "redirectPolicy" });
  for (const { policy, position } of options.additionalPolicies ?? []) {
    pipeline.addPolicy(policy, position === "perRetry" ? { afterPhase: "Retry" } : {});
  }
  if (credential) pipeline.addPolicy(bearerTokenAuthenticationPolicy({ credential, scopes: scope }));
  return pipeline;
}

const redirectStatuses = new Set([301, 302, 303, 307, 308]);

function redirectOf({ status, headers }: PipelineResponse): string | undefined {
  return redirectStatuses.has(status) ? headers.get("location") : undefined;
}

function refused({ status }: PipelineResponse, why: string): ReadError {
  return new ReadError(`HTTP ${status}: ${why}`, {
    kind: "refused",
    statusCode: status,
    code: "RedirectRefused",
  });
}
