import type { AccessToken, GetTokenOptions, TokenCredential } from "@azure/core-auth";
import { RequestError, messageOf } from "../../operation/errors.ts";
import { unlessAborted } from "../../abort.ts";
import { logger } from "../telemetry/logger.ts";

const renewBeforeExpiryInMs = 120_000;
const unusableBeforeExpiryInMs = 1000;
const maxCallInMs = 120_000;

/** A token, and the claims that it was requested with. */
interface Token {
  readonly accessToken: AccessToken;
  readonly claims: string | undefined;
}

/** A call of the credential. */
interface TokenCall {
  readonly madeAt: number;
  readonly claims: string | undefined;
  readonly controller: AbortController;
  /** The requests that wait for it. */
  waiting: number;
  /** Resolves with nothing if the call was given up, or a token with other claims is needed by now. */
  token: Promise<AccessToken | undefined>;
}

/**
 * Caches a credential's token for all requests of a client, in place of the bearer policy and its cache. That one renews
 * in the background, and a failed renewal that nothing awaits ends the process. All requests that wait for a token fail
 * there when the first of them is aborted, and a claims challenge gets the token of a renewal without the claims (all
 * measured with core-rest-pipeline 1.25.0).
 *
 * There is one call of the credential at a time, and all requests wait for it. A request that is aborted leaves it to the
 * others; the last one aborts it. Another call is made when it has settled. One that does not settle, whether aborted or
 * not, is replaced after two minutes: a service that hangs gets a call every two minutes, and not one for each request.
 */
export class TokenCache {
  readonly #credential: TokenCredential;
  readonly #scopes: string | string[];
  #token: Token | undefined;
  /** The claims of a challenge, until there is a token with them. */
  #claims: string | undefined;
  /** The call that has not settled. */
  #call: TokenCall | undefined;
  #hasWorked = false;

  constructor(credential: TokenCredential, scopes: string | string[]) {
    this.#credential = credential;
    this.#scopes = scopes;
  }

  /** @throws {@link RequestError} if the credential gives none, or the signal's reason */
  async getToken({
    abortSignal,
    tracingOptions,
  }: Pick<GetTokenOptions, "abortSignal" | "tracingOptions">): Promise<AccessToken> {
    for (;;) {
      const current = this.#token?.accessToken;
      if (current && !isDue(current)) return current;
      const call = this.#callOnce(tracingOptions);
      // The renewal is early: no request waits for it, or fails with it.
      if (current && isUsable(current)) return current;
      const token = await this.#waitFor(call, abortSignal);
      if (token) return token;
    }
  }

  /**
   * Drops the token that the service rejected, and keeps one that was renewed meanwhile. With a challenge, keeps only one
   * that was requested with its claims.
   */
  reject(rejected: string, claims: string | undefined): void {
    const { accessToken, claims: requested } = this.#token ?? {};
    const isRejected = accessToken?.token === rejected;
    if (claims !== undefined && (isRejected || claims !== requested)) this.#claims = claims;
    if (isRejected || this.#claims !== undefined) this.#token = undefined;
  }

  #callOnce(tracingOptions: GetTokenOptions["tracingOptions"]): TokenCall {
    const previous = this.#call;
    if (previous && Date.now() - previous.madeAt < maxCallInMs) return previous;
    previous?.controller.abort();
    const call: TokenCall = {
      madeAt: Date.now(),
      claims: this.#claims,
      controller: new AbortController(),
      waiting: 0,
      token: Promise.resolve(undefined),
    };
    this.#call = call;
    call.token = this.#requestToken(call, tracingOptions);
    // A renewal in the background has nobody who handles its failure.
    call.token.catch(() => {});
    return call;
  }

  async #waitFor(
    call: TokenCall,
    abortSignal: GetTokenOptions["abortSignal"],
  ): Promise<AccessToken | undefined> {
    call.waiting++;
    try {
      return await unlessAborted(call.token, abortSignal);
    } finally {
      // A request that took too long is sent again, and finds the call under way.
      if (--call.waiting === 0 && !isRequestTimeout(abortSignal)) call.controller.abort();
    }
  }

  async #requestToken(
    call: TokenCall,
    tracingOptions: GetTokenOptions["tracingOptions"],
  ): Promise<AccessToken | undefined> {
    const { claims, controller } = call;
    const { signal: abortSignal } = controller;
    const isOutdated = (): boolean => this.#call !== call || this.#claims !== claims;
    try {
      const accessToken = await this.#credential.getToken(this.#scopes, {
        abortSignal,
        enableCae: true,
        ...(claims !== undefined && { claims }),
        ...(tracingOptions && { tracingOptions }),
      });
      if (!accessToken) throw new Error("The credential gave no token.");
      this.#hasWorked = true;
      if (isOutdated()) return undefined;
      this.#token = { accessToken, claims };
      this.#claims = undefined;
      return accessToken;
    } catch (error) {
      if (isOutdated() || abortSignal.aborted) return undefined;
      const current = this.#token?.accessToken;
      if (current && isUsable(current))
        logger.warning("The token could not be renewed; the current one is still valid.");
      throw credentialError(error, this.#hasWorked);
    } finally {
      if (this.#call === call) this.#call = undefined;
    }
  }
}

/** Before the first token an error means a set-up that does not work; later it is an outage. */
export function credentialError(cause: unknown, hasWorked: boolean): RequestError {
  const message = `no token from the credential: ${messageOf(cause)}`;
  const kind = hasWorked || !isAuthenticationError(cause) ? "transient" : "permanent";
  return new RequestError(message, { kind, code: "CredentialError", cause });
}

function isRequestTimeout(abortSignal: GetTokenOptions["abortSignal"]): boolean {
  const reason: unknown = abortSignal && "reason" in abortSignal ? abortSignal.reason : undefined;
  return reason instanceof RequestError && reason.code === "RequestTimeout";
}

function isDue({ expiresOnTimestamp, refreshAfterTimestamp = Infinity }: AccessToken): boolean {
  return Date.now() >= Math.min(expiresOnTimestamp - renewBeforeExpiryInMs, refreshAfterTimestamp);
}

function isUsable({ expiresOnTimestamp }: AccessToken): boolean {
  return Date.now() < expiresOnTimestamp - unusableBeforeExpiryInMs;
}

const authenticationErrors = new Set([
  "AggregateAuthenticationError",
  "AuthenticationError",
  "AuthenticationRequiredError",
  "CredentialUnavailableError",
]);

/** Returns whether an error is one of `@azure/identity`, wherever it was thrown. */
export function isCredentialError(error: unknown): error is Error {
  return error instanceof Error && authenticationErrors.has(error.name);
}

function isAuthenticationError(error: unknown): boolean {
  // A TypeError is no outage of the identity service, but a mistake in the credential.
  if (error instanceof TypeError || !(error instanceof Error)) return true;
  return error.message.includes("gave no token") || isCredentialError(error);
}
