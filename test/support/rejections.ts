/** Returns the value or the reason of a promise, so that its rejection is handled from the start. */
export function settled(promise: Promise<unknown>): Promise<unknown> {
  return promise.catch((error: unknown) => error);
}

/** Returns the reason with which a promise rejects, of the expected type. */
export async function rejection<E extends Error>(
  promise: PromiseLike<unknown>,
  type: new (...args: never[]) => E,
): Promise<E>;
export async function rejection(promise: PromiseLike<unknown>): Promise<unknown>;
export async function rejection(
  promise: PromiseLike<unknown>,
  type?: new (...args: never[]) => Error,
): Promise<unknown> {
  const error = await promise.then(
    (value) => {
      throw new Error(`resolved with ${JSON.stringify(value)}`);
    },
    (reason: unknown) => reason,
  );
  if (type === undefined || error instanceof type) return error;
  throw new Error(`expected ${type.name}, got ${String(error)}`);
}

/** Lets this many microtasks run. */
export async function microtasks(count: number): Promise<void> {
  for (let done = 0; done < count; done++) await Promise.resolve();
}
