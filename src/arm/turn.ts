import { RequestError } from "../operation/errors.ts";
import type { Limiter, RequestResult } from "../operation/limiter.ts";

/** The effect of a response on the rate of requests, where it has one. */
interface Responded {
  readonly rateLimit?: RequestResult["rateLimit"];
}

/**
 * Sends a request once the rate limiter permits it.
 *
 * @param countsThrottling - whether a 429 stops the polls of this origin too
 * @throws the reason of the signal, or what the request throws
 */
export async function inTurn<T extends Responded>(
  limiter: Limiter | undefined,
  abortSignal: AbortSignal,
  send: () => Promise<T>,
  countsThrottling = true,
): Promise<T> {
  await turn(limiter, abortSignal);
  let result: RequestResult | undefined;
  try {
    const response = await send();
    result = { isThrottled: false, rateLimit: response.rateLimit };
    return response;
  } catch (error) {
    if (error instanceof RequestError && (countsThrottling || !error.isThrottled)) result = error;
    throw error;
  } finally {
    limiter?.release(result);
  }
}

async function turn(limiter: Limiter | undefined, abortSignal: AbortSignal): Promise<void> {
  abortSignal.throwIfAborted();
  if (limiter === undefined) return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const withdraw = limiter.acquire(resolve);
  const onAbort = (): void => {
    withdraw();
    reject(abortSignal.reason);
  };
  abortSignal.addEventListener("abort", onAbort, { once: true });
  try {
    await promise;
  } finally {
    abortSignal.removeEventListener("abort", onAbort);
  }
}
