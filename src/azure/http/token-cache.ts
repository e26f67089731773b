import type { AccessToken, GetTokenOptions, TokenCredential } from "@azure/core-auth";
import { ReadError, messageOf } from "../../operation/errors.ts";
import { logger } from "../telemetry/logger.ts";

const renewBeforeExpiryInMs = 120_000;
const unusableBeforeExpiryInMs = 1000;

/**
 * Keeps a credential's token for the bearer policy, in place of the policy's own cache: that one renews in the
 * background, and a renewal that fails when nobody awaits it takes the process down; and all requests that wait for a
 * token fail when the first of them is aborted (both measured with core-rest-pipeline 1.25.0).
 */
export class CachedCredential implements TokenCredential {
  readonly #credential: TokenCredential;
  #token: AccessToken | undefined;
  #renewal: Promise<AccessToken> | undefined;
  #hasWorked = false;

  constructor(credential: TokenCredential) {
    this.#credential = credential;
  }

  async getToken(scopes: string | string[], options: GetTokenOptions = {}): Promise<AccessToken> {
    const { abortSignal, ...tokenOptions } = options;
    if (options.claims !== undefined) this.#token = undefined;
    const token = this.#token;
    if (token && !isDue(token)) return token;
    const renewal = (this.#renewal ??= this.#renew(scopes, tokenOptions));
    if (token && isUsable(token)) {
      // It is early yet: nobody has to wait, nor to hear of it when that fails.
      renewal.catch(() => logger.warning("The token could not be renewed; the one at hand is still valid."));
      return token;
    }
    return unlessAborted(renewal, abortSignal, () => (this.#renewal = undefined));
  }

  /** Drops the token that the service refused; one that was renewed meanwhile is kept. */
  forget(refused: string): void {
    if (this.#token?.token === refused) this.#token = undefined;
  }

  async #renew(scopes: string | string[], options: GetTokenOptions): Promise<AccessToken> {
    try {
      const token = await this.#credential.getToken(scopes, options);
      if (!token) throw new Error("The credential gave no token.");
      this.#hasWorked = true;
      this.#token = token;
      return token;
    } catch (error) {
      throw this.#error(error);
    } finally {
      this.#renewal = undefined;
    }
  }

  /** Before the first token an error is a set-up that does not work; later it is an outage. */
  #error(cause: unknown): ReadError {
    const message = `no token from the credential: ${messageOf(cause)}`;
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
  // A TypeError is no outage of the identity service but a mistake in the credential.
  if (error instanceof TypeError || !(error instanceof Error)) return true;
  return error.message.includes("gave no token") || authenticationErrors.has(error.name);
}

/** One who leaves must not end what others wait for; what hangs until then is not waited for by those who follow. */
function unlessAborted<T>(
  promise: Promise<T>,
  signal: GetTokenOptions["abortSignal"],
  onAborted: () => void,
): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      onAborted();
      reject(new Error("aborted"));
    };
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
