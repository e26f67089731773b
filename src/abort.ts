/** What every kind of abort signal has: the platform's, and `@azure/abort-controller`'s, which carries no reason. */
interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason?: unknown;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/**
 * Calls back with the signal's reason when it fires, at once if it has fired. Returns a function that unsubscribes.
 * Not `AbortSignal.any`: what that makes lives as long as the caller's signal, which may outlive many operations.
 */
export function onAbort(
  abortSignal: AbortSignalLike | undefined,
  callback: (reason: unknown) => void,
): () => void {
  if (abortSignal === undefined) return () => {};
  const listener = (): void => callback(abortSignal.reason);
  if (abortSignal.aborted) listener();
  else abortSignal.addEventListener("abort", listener);
  return () => abortSignal.removeEventListener("abort", listener);
}

/**
 * Settles as the promise does, unless the signal fires first.
 *
 * @throws the signal's reason
 */
export async function unlessAborted<T>(
  promise: Promise<T>,
  abortSignal: AbortSignalLike | undefined,
): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const unsubscribe = onAbort(abortSignal, reject);
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    unsubscribe();
  }
}
