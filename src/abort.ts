/**
 * What a promise leads to, unless the signal fires first.
 *
 * @throws the signal's reason
 */
export async function unlessAborted<T>(promise: Promise<T>, abortSignal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(abortSignal.reason);
  if (abortSignal.aborted) onAbort();
  abortSignal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    abortSignal.removeEventListener("abort", onAbort);
  }
}
