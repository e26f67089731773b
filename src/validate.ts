/**
 * Checks a duration in milliseconds.
 *
 * @throws RangeError that names the option, what was expected and what came
 */
export function checkDuration(
  name: string,
  value: number,
  { positive = false, allowInfinity = false }: { positive?: boolean; allowInfinity?: boolean } = {},
): void {
  const isLargeEnough = positive ? value > 0 : value >= 0;
  if (typeof value === "number" && isLargeEnough && (allowInfinity || value !== Infinity)) return;
  const kind = `${positive ? "a positive" : "a non-negative"}${allowInfinity ? "" : " finite"} number`;
  const got = typeof value === "string" ? JSON.stringify(value) : String(value);
  throw new RangeError(`${name}: expected ${kind} of milliseconds, got ${got}`);
}

/**
 * Checks a function: what JavaScript lets through would fail in the middle of a wait.
 *
 * @throws TypeError that names the option and what came
 */
export function checkFunction(name: string, value: unknown): void {
  if (typeof value !== "function") throw new TypeError(`${name}: expected a function, got ${typeof value}`);
}

/**
 * Checks a positive integer.
 *
 * @throws RangeError that names the option and what came
 */
export function checkPositiveInteger(name: string, value: unknown): void {
  if (typeof value === "number" && Number.isInteger(value) && value > 0) return;
  const got = typeof value === "string" ? JSON.stringify(value) : String(value);
  throw new RangeError(`${name}: expected a positive integer, got ${got}`);
}

/**
 * Checks a signal: a controller is easily taken for its signal.
 *
 * @throws TypeError that says what came
 */
export function checkSignal(abortSignal: AbortSignal | undefined): void {
  if (abortSignal === undefined || typeof abortSignal.addEventListener === "function") return;
  throw new TypeError(`abortSignal: expected an AbortSignal, got ${typeof abortSignal}`);
}
