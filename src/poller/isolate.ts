/**
 * Runs the user's code, and returns what it returns. An error that it throws or rejects with goes to `onError`, and never
 * further.
 */
export function isolate<T>(run: () => T, onError?: (error: unknown) => unknown): T | undefined {
  const report = (error: unknown): void => {
    if (onError) isolate(() => onError(error));
  };
  try {
    const result = run();
    Promise.resolve(result).catch(report);
    return result;
  } catch (error) {
    report(error);
    return undefined;
  }
}
