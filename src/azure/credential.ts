import type { AccessToken, GetTokenOptions, TokenCredential } from "@azure/core-auth";
import { ReadError } from "../errors.ts";
import { logger } from "./logger.ts";

const renewBeforeExpiryInMs = 120_000;
const unusableBeforeExpiryInMs = 1000;

/**
 * Keeps a credential's token for the bearer policy, which asks before every request.
 *
 * The policy's own cache renews in the background, and a renewal that fails when nobody awaits it takes the process
 * down (measured with core-rest-pipeline 1.25.0). So this says that each token has expired already: the policy then
 * asks again for each request, and awaits the answer.
 */
export class CachedCredential implements TokenCredential {
  readonly #credential: TokenCredential;
  #token: AccessToken | undefined;
  #hasWorked = false;

  constructor(credential: TokenCredential) {
    this.#credential = credential;
  }

  async getToken(scopes: string | string[], options: GetTokenOptions = {}): Promise<AccessToken> {
    if (options.claims !== undefined) this.#token = undefined;
    if (this.#token === undefined || isDue(this.#token)) await this.#renew(scopes, options);
    if (this.#token === undefined) throw this.#error(new Error("The credential gave no token."));
    return { ...this.#token, expiresOnTimestamp: 0, refreshAfterTimestamp: 0 };
  }

  /** Drops the token that the service refused; one that was renewed meanwhile is kept. */
  forget(refused: string): void {
    if (this.#token?.token === refused) this.#token = undefined;
  }

  async #renew(scopes: string | string[], options: GetTokenOptions): Promise<void> {
    try {
      this.#token =
        (await unlessAborted(this.#credential.getToken(scopes, options), options.abortSignal)) ?? undefined;
      this.#hasWorked ||= this.#token !== undefined;
    } catch (error) {
      if (this.#token === undefined || !isUsable(this.#token)) throw this.#error(error);
      logger.warning("The token could not be renewed; the one at hand is still valid.");
    }
  }

  /** Before the first token an error is a set-up that does not work; later it is an outage. */
  #error(cause: unknown): ReadError {
    const message = `no token from the credential: ${cause instanceof Error ? cause.message : String(cause)}`;
    const kind = this.#hasWorked || !isAuthenticationError(cause) ? "transient" : "refused";
    return new ReadError(message, { kind, code: "CredentialError", cause });
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
  return (
    !(error instanceof Error) ||
    error.message.includes("gave no token") ||
    authenticationErrors.has(error.name)
  );
}

/** A credential that overhears its signal would block every later request: the policy lets them share one call. */
function unlessAborted<T>(promise: Promise<T>, signal: GetTokenOptions["abortSignal"]): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new Error("aborted"));
    signal.addEventListener("abort", onAbort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
