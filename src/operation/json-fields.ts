import { ContractError } from "./errors.ts";
import { parseObject } from "./parse-status.ts";

/** The fields of a JSON object. */
export type Fields = Readonly<Record<string, unknown>>;

/** An error about a token: it tells what came without its text, for a token may hold a signature. */
export function refusal(path: string, expected: string, received: unknown): ContractError {
  return new ContractError(path, expected, received, { describe: shapeOf });
}

/**
 * Parses a part of a token that may have these fields, and no other: what this version does not know it would lose,
 * and `__proto__` is nobody's.
 *
 * @throws {@link ContractError} that names the field
 */
export function parseFields(value: unknown, path: string, known: readonly string[]): Fields {
  const fields = parseObject(value, path);
  const unknown = Object.keys(fields).find((name) => !known.includes(name));
  if (unknown === undefined) return fields;
  const name = /^\w{1,20}$/.test(unknown) ? unknown : "…";
  throw refusal(`${path}.${name}`, "no such field", fields[unknown]);
}

/** @throws {@link ContractError} when it is no number from 0 to the most */
export function parseNumber(value: unknown, path: string, most: number = Number.MAX_SAFE_INTEGER): number {
  if (typeof value === "number" && value >= 0 && value <= most) return value;
  throw refusal(path, `a number from 0 to ${most}`, value);
}

/** @throws {@link ContractError} when it is no whole number from 0 on */
export function parseCount(value: unknown, path: string): number {
  if (Number.isSafeInteger(value)) return parseNumber(value, path);
  throw refusal(path, "a whole number from 0 on", value);
}

/** @throws {@link ContractError} when it is there and no number from 0 to the most */
export function parseOptionalNumber(value: unknown, path: string, most?: number): number | undefined {
  return value === undefined ? undefined : parseNumber(value, path, most);
}

function shapeOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null || typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value === "string") return `a string of length ${value.length}`;
  return Array.isArray(value) ? "an array" : "an object";
}
