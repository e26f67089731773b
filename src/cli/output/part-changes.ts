import type { OperationPart, OperationStatus } from "../../index.ts";
import { errorOfPart, lookOfPart } from "./parts.ts";
import { errorData } from "./wait-outcome.ts";

/** A part, and the nested deployments that it is in, the outermost first. */
export interface LocatedPart {
  readonly part: OperationPart;
  readonly path: readonly string[];
}

/** Finds the parts of one operation whose state has changed. */
export class PartChanges {
  readonly #states = new Map<string, string>();

  /** Returns the parts that are new or have another state than at the last call. */
  since({ parts = [] }: OperationStatus): LocatedPart[] {
    return locatedParts(parts).filter((located) => {
      const key = keyOf(located);
      const state = lookOfPart(located.part) + located.part.status;
      const isNews = this.#states.get(key) !== state;
      this.#states.set(key, state);
      return isNews;
    });
  }
}

/** Returns all parts of a tree from the top down, each before those beneath it. */
function locatedParts(parts: readonly OperationPart[], path: readonly string[] = []): readonly LocatedPart[] {
  return parts.flatMap((part) => [{ part, path }, ...locatedParts(part.parts, [...path, part.name])]);
}

/** Ids differ in case between the lists of Azure Resource Manager. */
function keyOf({ part: { id, type, name }, path }: LocatedPart): string {
  return JSON.stringify([...path, type, id ?? name]).toLowerCase();
}

/** Returns the failed parts beneath which no part has failed, the first one first. */
export function failedPartsIn(parts: readonly OperationPart[]): readonly LocatedPart[] {
  return locatedParts(parts).filter(
    ({ part }) => part.status === "Failed" && !locatedParts(part.parts).some(isFailed),
  );
}

function isFailed({ part }: LocatedPart): boolean {
  return part.status === "Failed";
}

/** Converts a part into an object for JSON, without the parts beneath it. */
export function partData(part: OperationPart): object {
  const { name, type, id, status, startTime, durationInMs, wasSkipped } = part;
  const error = errorOfPart(part);
  return {
    name,
    type,
    id,
    status,
    startTime: startTime?.toISOString(),
    durationInMs: durationInMs === undefined ? undefined : Math.round(durationInMs),
    wasSkipped,
    error: error && errorData(error),
  };
}

/** Converts parts into objects for JSON, each with the parts beneath it. */
export function partsData(parts: readonly OperationPart[]): object[] {
  return parts.map((part) => ({ ...partData(part), parts: partsData(part.parts) }));
}
