import { describeValue } from "../redaction.ts";
import { ContractError } from "./errors.ts";
import { isObject } from "./json-object.ts";
import type { Fields } from "./json-object.ts";

export { isObject };
export type { Fields };

/** @throws {@link ContractError} if the text is no JSON */
export function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ContractError(path, "JSON", text, { cause });
  }
}

/** @throws {@link ContractError} if the value is no JSON object */
export function parseObject(value: unknown, path: string): Fields {
  if (!isObject(value)) throw new ContractError(path, "an object", value);
  return value;
}

/** @throws {@link ContractError} if the value is no string */
export function parseString(value: unknown, path: string): string {
  if (typeof value !== "string") throw new ContractError(path, "a string", value);
  return value;
}

/** @throws {@link ContractError} if the value is no array, and what the parser of its items throws */
export function parseArray<T>(
  value: unknown,
  path: string,
  parseItem: (item: unknown, path: string) => T,
): T[] {
  if (!Array.isArray(value)) throw new ContractError(path, "an array", value);
  return value.map((item, index) => parseItem(item, `${path}[${index}]`));
}

/** Parses a field that may be missing; `null` counts as missing. */
export function parseOptional<T>(
  value: unknown,
  path: string,
  parse: (value: unknown, path: string) => T,
): T | undefined {
  return value === undefined || value === null ? undefined : parse(value, path);
}

/** Makes an error about a field that may hold a secret: it describes the value without its text. */
export function invalidField(path: string, expected: string, received: unknown): ContractError {
  return new ContractError(path, expected, received, { describe: shapeOf });
}

/**
 * Parses an object that may have these fields and no other: this version would lose unknown ones, and no object of
 * ours has `__proto__`.
 *
 * @throws {@link ContractError} that names the field
 */
export function parseFields(value: unknown, path: string, known: readonly string[]): Fields {
  const fields = parseObject(value, path);
  const unknown = Object.keys(fields).find((name) => !known.includes(name));
  if (unknown === undefined) return fields;
  const name = /^\w{1,20}$/.test(unknown) ? unknown : "…";
  throw invalidField(`${path}.${name}`, "no such field", fields[unknown]);
}

/** @throws {@link ContractError} if the value is no number from 0 to `max` */
export function parseNumber(value: unknown, path: string, max: number = Number.MAX_SAFE_INTEGER): number {
  if (typeof value === "number" && value >= 0 && value <= max) return value;
  throw invalidField(path, `a number from 0 to ${max}`, value);
}

/** @throws {@link ContractError} if the value is no whole number from 0 on */
export function parseCount(value: unknown, path: string): number {
  if (Number.isSafeInteger(value)) return parseNumber(value, path);
  throw invalidField(path, "a whole number from 0 on", value);
}

/** @throws {@link ContractError} if the value is there and no number from 0 to `max` */
export function parseOptionalNumber(value: unknown, path: string, max?: number): number | undefined {
  return value === undefined ? undefined : parseNumber(value, path, max);
}

function shapeOf(value: unknown): string {
  return typeof value === "string" ? `a string of length ${value.length}` : describeValue(value);
}
