import { inspect } from "node:util";

/** Matches the id of an operation. */
export const operationIdPattern: RegExp = /^[a-zA-Z0-9]{8}-([a-zA-Z0-9]{4}-){3}[a-zA-Z0-9]{12}$/;

/** Matches the name of a project. */
export const projectNamePattern: RegExp = /^[a-zA-Z0-9][a-zA-Z0-9-_.]{2,62}$/;

/** The numbers that a check accepts. Default: any finite number of at least 0. */
interface NumberRule {
  readonly min?: number;
  readonly max?: number;
  readonly isInteger?: boolean;
}

/** @throws RangeError that names the option, what was expected and what came */
export function checkNumber(name: string, value: unknown, rule: NumberRule = {}): void {
  const { min = 0, max = Number.MAX_VALUE, isInteger = false } = rule;
  const isKind = isInteger ? Number.isInteger(value) : typeof value === "number";
  if (typeof value === "number" && isKind && value >= min && value <= max) return;
  const kind = isInteger ? "an integer" : "a finite number";
  const range = max === Number.MAX_VALUE ? `of at least ${min}` : `from ${min} to ${max}`;
  throw new RangeError(`${name}: expected ${kind} ${range}, got ${describe(value)}`);
}

/** @throws TypeError that names the option and what came */
export function checkFunction(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== "function") fail(name, "a function", value);
}

/** @throws TypeError that names the option and what came */
export function checkString(name: string, value: unknown): void {
  if (typeof value !== "string" || value === "") fail(name, "a string that is not empty", value);
}

/** @throws RangeError that names the option, the pattern and what came */
export function checkPattern(name: string, value: unknown, pattern: RegExp): void {
  if (typeof value === "string" && pattern.test(value)) return;
  throw new RangeError(`${name}: expected text like ${String(pattern)}, got ${describe(value)}`);
}

/** @throws TypeError that names the option and what came */
export function checkObject(name: string, value: unknown): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) fail(name, "an object", value);
}

/** @throws TypeError always */
export function fail(name: string, expected: string, value: unknown): never {
  throw new TypeError(`${name}: expected ${expected}, got ${describe(value)}`);
}

/** Describes a value in a message, on one line. */
export function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  return inspect(value, { breakLength: Infinity, compact: true });
}
