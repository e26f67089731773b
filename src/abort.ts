/** What every kind of abort signal has: the platform's, and `@azure/abort-controller`'s, which carries no reason. */
interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason?: unknown;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** A listener of a signal. An object, because with many thousand waits each function costs memory. */
export interface AbortListener {
  onSignal(): void;
}

/** All listeners of each signal: the signal itself has one, {@link notify}. */
const listenersOf = new WeakMap<AbortSignalLike, Set<AbortListener>>();

function notify(this: AbortSignalLike): void {
  // Not a copy: one that an earlier listener has removed is not called, as by the signal itself.
  for (const listener of listenersOf.get(this) ?? []) listener.onSignal();
}

/**
 * Adds a listener. The signal itself compares each new listener with all that it has: 20,000 callers would block the
 * event loop for seconds.
 */
export function addAbortListener(signal: AbortSignalLike, listener: AbortListener): void {
  const listeners = listenersOf.get(signal) ?? new Set();
  listenersOf.set(signal, listeners.add(listener));
  if (listeners.size === 1) signal.addEventListener("abort", notify);
}

/** Removes a listener, and with the last one that of the signal. */
export function removeAbortListener(signal: AbortSignalLike, listener: AbortListener): void {
  const listeners = listenersOf.get(signal);
  if (!listeners?.delete(listener) || listeners.size > 0) return;
  listenersOf.delete(signal);
  signal.removeEventListener("abort", notify);
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
  const listener = { onSignal: () => callback(abortSignal.reason) };
  if (abortSignal.aborted) listener.onSignal();
  else addAbortListener(abortSignal, listener);
  return () => removeAbortListener(abortSignal, listener);
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
