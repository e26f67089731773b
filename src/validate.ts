/**
 * Checks a duration in milliseconds.
 *
 * @throws RangeError that names the option, the expected value and the actual one.
 */
export function checkDuration(
  name: string,
  value: number,
  { positive = false, allowInfinity = false }: { positive?: boolean; allowInfinity?: boolean } = {},
): void {
  const isLargeEnough = positive ? value > 0 : value >= 0;
  if (typeof value === "number" && isLargeEnough && (allowInfinity || value !== Infinity)) return;
  const kind = `${positive ? "a positive" : "a non-negative"}${allowInfinity ? "" : " finite"} number`;
  throw new RangeError(`${name}: expected ${kind} of milliseconds, got ${shown(value)}`);
}

/**
 * Checks that an option is a function. Unchecked, any other value would fail in the middle of a wait.
 *
 * @throws TypeError that names the option and the type of the value.
 */
export function checkFunction(name: string, value: unknown): void {
  if (typeof value !== "function") throw new TypeError(`${name}: expected a function, got ${typeof value}`);
}

/**
 * Checks that an option is a boolean: `"false"` would be true.
 *
 * @throws TypeError that names the option and the value.
 */
export function checkBoolean(name: string, value: unknown): void {
  if (typeof value !== "boolean") throw new TypeError(`${name}: expected a boolean, got ${shown(value)}`);
}

/**
 * Checks a positive integer.
 *
 * @throws RangeError that names the option and the value.
 */
export function checkPositiveInteger(name: string, value: unknown): void {
  if (typeof value === "number" && Number.isInteger(value) && value > 0) return;
  throw new RangeError(`${name}: expected a positive integer, got ${shown(value)}`);
}

/**
 * Checks an `AbortSignal`: an `AbortController` is easily passed in its place.
 *
 * @throws TypeError that names the type of the value.
 */
export function checkSignal(abortSignal: AbortSignal | undefined): void {
  if (abortSignal === undefined || typeof abortSignal.addEventListener === "function") return;
  throw new TypeError(`abortSignal: expected an AbortSignal, got ${typeof abortSignal}`);
}

/** Quotes a string, so that `"5"` is not taken for 5. */
function shown(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
