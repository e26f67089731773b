/**
 * Runs the user's code, and returns what it returns. An error that it throws or rejects with goes to `onError`, and never
 * further.
 */
export function isolate<T>(run: () => T, onError?: (error: unknown) => unknown): T | undefined {
  try {
    const result = run();
    // A promise for each result would cost a poll more than its state machine.
    if (typeof result === "object" && result !== null && "then" in result)
      Promise.resolve(result).catch((error: unknown) => report(error, onError));
    return result;
  } catch (error) {
    report(error, onError);
    return undefined;
  }
}

function report(error: unknown, onError: ((error: unknown) => unknown) | undefined): void {
  if (onError) isolate(() => onError(error));
}
