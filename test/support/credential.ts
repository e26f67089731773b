import type { AccessToken, GetTokenOptions, TokenCredential } from "@azure/core-auth";

/** A credential that counts its tokens: token-1, token-2, … */
export class CountingCredential implements TokenCredential {
  readonly calls: (GetTokenOptions & { readonly scopes: string | string[] })[] = [];
  readonly #lifetimeInMs: number;
  /** Thrown in place of the next tokens. */
  failWith: Error | undefined;
  /** Never answers. */
  hangs = false;

  constructor(lifetimeInMs = 3_600_000) {
    this.#lifetimeInMs = lifetimeInMs;
  }

  getToken(scopes: string | string[], options: GetTokenOptions = {}): Promise<AccessToken> {
    this.calls.push({ scopes, ...options });
    if (this.hangs) return new Promise(() => {});
    if (this.failWith) return Promise.reject(this.failWith);
    return Promise.resolve({
      token: `token-${this.calls.length}`,
      expiresOnTimestamp: Date.now() + this.#lifetimeInMs,
    });
  }
}
