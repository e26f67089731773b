import type { AccessToken, GetTokenOptions, TokenCredential } from "@azure/core-auth";
import { RequestError, messageOf } from "../../operation/errors.ts";
import { onAbort, unlessAborted } from "../../abort.ts";
import { logger } from "../telemetry/logger.ts";

const renewBeforeExpiryInMs = 120_000;
const unusableBeforeExpiryInMs = 1000;

/**
 * Caches a credential's token for the bearer policy, in place of the policy's own cache. That one renews in the
 * background, and a failed renewal that nothing awaits ends the process. All requests that wait for a token fail there
 * when the first of them is aborted (both measured with core-rest-pipeline 1.25.0).
 */
export class TokenCache implements TokenCredential {
  readonly #credential: TokenCredential;
  #token: AccessToken | undefined;
  #pendingRequest: Promise<AccessToken> | undefined;
  #hasWorked = false;

  constructor(credential: TokenCredential) {
    this.#credential = credential;
  }

  async getToken(scopes: string | string[], options: GetTokenOptions = {}): Promise<AccessToken> {
    const { abortSignal, ...tokenOptions } = options;
    if (options.claims !== undefined) this.#token = undefined;
    const token = this.#token;
    if (token && !isDue(token)) return token;
    const renewal = (this.#pendingRequest ??= this.#requestToken(scopes, tokenOptions));
    if (token && Date.now() < token.expiresOnTimestamp - unusableBeforeExpiryInMs) {
      // The renewal is early: no request waits for it, or fails with it.
      renewal.catch(() => logger.warning("The token could not be renewed; the current one is still valid."));
      return token;
    }
    // A caller that aborts must not end what others wait for. A request that hangs until then is no longer shared.
    const unsubscribe = onAbort(abortSignal, () => (this.#pendingRequest = undefined));
    return unlessAborted(renewal, abortSignal).finally(unsubscribe);
  }

  /** Drops the token that the service rejected. Keeps one that was renewed meanwhile. */
  drop(rejected: string): void {
    if (this.#token?.token === rejected) this.#token = undefined;
  }

  async #requestToken(scopes: string | string[], options: GetTokenOptions): Promise<AccessToken> {
    try {
      const token = await this.#credential.getToken(scopes, options);
      if (!token) throw new Error("The credential gave no token.");
      this.#hasWorked = true;
      this.#token = token;
      return token;
    } catch (error) {
      throw this.#error(error);
    } finally {
      this.#pendingRequest = undefined;
    }
  }

  /** Before the first token an error means a set-up that does not work; later it is an outage. */
  #error(cause: unknown): RequestError {
    const message = `no token from the credential: ${messageOf(cause)}`;
    const kind = this.#hasWorked || !isAuthenticationError(cause) ? "transient" : "permanent";
    return new RequestError(message, { kind, code: "CredentialError", cause });
  }
}

function isDue({ expiresOnTimestamp, refreshAfterTimestamp = Infinity }: AccessToken): boolean {
  return Date.now() >= Math.min(expiresOnTimestamp - renewBeforeExpiryInMs, refreshAfterTimestamp);
}

const authenticationErrors = new Set([
  "AggregateAuthenticationError",
  "AuthenticationError",
  "AuthenticationRequiredError",
  "CredentialUnavailableError",
]);

function isAuthenticationError(error: unknown): boolean {
  // A TypeError is no outage of the identity service, but a mistake in the credential.
  if (error instanceof TypeError || !(error instanceof Error)) return true;
  return error.message.includes("gave no token") || authenticationErrors.has(error.name);
}
