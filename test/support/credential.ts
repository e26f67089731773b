import type { AccessToken, GetTokenOptions, TokenCredential } from "@azure/core-auth";

/** A credential that counts its tokens: token-1, token-2, … */
export class CountingCredential implements TokenCredential {
  readonly calls: (GetTokenOptions & { readonly scopes: string | string[] })[] = [];
  readonly #lifetimeInMs: number;
  readonly #expiries = new Map<string | undefined, number>();
  /** Thrown in place of the next tokens. */
  failWith: Error | undefined;
  /** Answers by this, in place of the next tokens. */
  failsLater: PromiseWithResolvers<AccessToken> | undefined;
  /** Never answers. */
  hangs = false;

  constructor(lifetimeInMs = 3_600_000) {
    this.#lifetimeInMs = lifetimeInMs;
  }

  getToken(scopes: string | string[], options: GetTokenOptions = {}): Promise<AccessToken> {
    this.calls.push({ scopes, ...options });
    if (this.hangs) return new Promise(() => {});
    if (this.failsLater) return this.failsLater.promise;
    if (this.failWith) return Promise.reject(this.failWith);
    const token = `token-${this.calls.length}`;
    const expiresOnTimestamp = Date.now() + this.#lifetimeInMs;
    this.#expiries.set(token, expiresOnTimestamp);
    return Promise.resolve({ token, expiresOnTimestamp });
  }

  /** Whether a service that checks what it is sent would take this for a token of this credential. */
  isValid(token: string | undefined): boolean {
    return Date.now() < (this.#expiries.get(token) ?? 0);
  }

  /** The service takes the token back before its time. */
  revoke(token: string): void {
    this.#expiries.delete(token);
  }
}
