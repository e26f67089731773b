import { isObject } from "../operation/json-object.ts";
import type { Fields } from "../operation/json-object.ts";

/** The fields that this version knows, by name: of a nested shape, or whatever they hold (`true`). */
export interface KnownFields {
  readonly [name: string]: true | KnownFields;
}

/** An object's fields, parted. A nested object with fields of both sorts is in both. */
interface PartedFields {
  readonly known: Fields;
  readonly unknown: Fields;
}

/**
 * Parts the fields that this version knows from those of a newer one, which it must neither parse nor lose.
 */
export function partFields(fields: Fields, shape: KnownFields): PartedFields {
  const known: Record<string, unknown> = {};
  const unknown: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    const inner = Object.hasOwn(shape, name) ? shape[name] : undefined;
    if (inner === undefined) unknown[name] = value;
    else if (inner === true || !isObject(value)) known[name] = value;
    else {
      const parted = partFields(value, inner);
      known[name] = parted.known;
      if (Object.keys(parted.unknown).length > 0) unknown[name] = parted.unknown;
    }
  }
  return { known, unknown };
}

/** Puts a newer version's fields back. Those of a nested object that is there no more go with it. */
export function withUnknownFields<T extends object>(fields: T, unknown: Fields, shape: KnownFields): T {
  const merged: Record<string, unknown> = Object.fromEntries(Object.entries(fields));
  for (const [name, value] of Object.entries(unknown)) {
    const inner = Object.hasOwn(shape, name) ? shape[name] : undefined;
    const own = merged[name];
    if (inner === undefined) merged[name] = value;
    else if (inner !== true && isObject(value) && isObject(own)) {
      merged[name] = withUnknownFields(own, value, inner);
    }
  }
  return { ...fields, ...merged };
}
