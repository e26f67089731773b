import type { AccessToken, GetTokenOptions, TokenCredential } from "@azure/core-auth";

/** A credential that numbers its tokens: token-1, token-2, … */
export class CountingCredential implements TokenCredential {
  readonly calls: (GetTokenOptions & { readonly scopes: string | string[] })[] = [];
  readonly #lifetimeInMs: number;
  readonly #expiries = new Map<string | undefined, number>();
  /** The error that `getToken` rejects with while it is set. */
  failWith: Error | undefined;
  /** The promise that `getToken` returns while it is set. */
  failsLater: PromiseWithResolvers<AccessToken> | undefined;
  /** Whether `getToken` settles only when its signal fires; with `"deaf"`, not even then. */
  hangs: boolean | "deaf" = false;

  constructor(lifetimeInMs = 3_600_000) {
    this.#lifetimeInMs = lifetimeInMs;
  }

  getToken(scopes: string | string[], options: GetTokenOptions = {}): Promise<AccessToken> {
    this.calls.push({ scopes, ...options });
    if (this.hangs === "deaf") return new Promise(() => {});
    if (this.hangs) return untilAborted(options.abortSignal);
    if (this.failsLater) return this.failsLater.promise;
    if (this.failWith) return Promise.reject(this.failWith);
    const token = `token-${this.calls.length}`;
    const expiresOnTimestamp = Date.now() + this.#lifetimeInMs;
    this.#expiries.set(token, expiresOnTimestamp);
    return Promise.resolve({ token, expiresOnTimestamp });
  }

  /** Returns whether a service would accept this token. */
  isValid(token: string | undefined): boolean {
    return Date.now() < (this.#expiries.get(token) ?? 0);
  }

  /** Makes the service reject a token before it expires. */
  revoke(token: string): void {
    this.#expiries.delete(token);
  }
}

async function untilAborted(signal: GetTokenOptions["abortSignal"]): Promise<never> {
  await new Promise<void>((resolve) => signal?.addEventListener("abort", () => resolve()));
  throw Object.assign(new Error("The operation was aborted."), { name: "AbortError" });
}
