import type { AccessToken, GetTokenOptions, TokenCredential } from "@azure/core-auth";
import { RequestError, messageOf } from "../../operation/errors.ts";
import { onAbort, unlessAborted } from "../../abort.ts";
import { logger } from "../telemetry/logger.ts";

const renewBeforeExpiryInMs = 120_000;
const unusableBeforeExpiryInMs = 1000;

/**
 * Keeps a credential's token for the bearer policy, in place of the policy's own cache: that one renews in the
 * background, and a renewal that fails when nobody awaits it takes the process down; and all requests that wait for a
 * token fail when the first of them is aborted (both measured with core-rest-pipeline 1.25.0).
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
    if (token && isUsable(token)) {
      // It is early yet: nobody has to wait, nor to hear of it when that fails.
      renewal.catch(() => logger.warning("The token could not be renewed; the one at hand is still valid."));
      return token;
    }
    // A caller that aborts must not end what others wait for. A request that hangs until then is no longer shared.
    const unsubscribe = onAbort(abortSignal, () => {
      this.#pendingRequest = undefined;
    });
    return unlessAborted(renewal, abortSignal).finally(unsubscribe);
  }

  /** Drops the token that the service refused; one that was renewed meanwhile is kept. */
  drop(refused: string): void {
    if (this.#token?.token === refused) this.#token = undefined;
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

  /** Before the first token an error is a set-up that does not work; later it is an outage. */
  #error(cause: unknown): RequestError {
    const message = `no token from the credential: ${messageOf(cause)}`;
    const kind = this.#hasWorked || !isAuthenticationError(cause) ? "transient" : "permanent";
    return new RequestError(message, { kind, code: "CredentialError", cause });
  }
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

function isAuthenticationError(error: unknown): boolean {
  // A TypeError is no outage of the identity service but a mistake in the credential.
  if (error instanceof TypeError || !(error instanceof Error)) return true;
  return error.message.includes("gave no token") || authenticationErrors.has(error.name);
}
