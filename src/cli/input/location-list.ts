import { readFile } from "node:fs/promises";
import { text as readAll } from "node:stream/consumers";
import { UsageError } from "./context.ts";
import type { CliContext } from "./context.ts";

/** A line of a list of operations, and how to name it in an error. */
export interface ListedLocation {
  readonly argument: string;
  /** `--from ops.txt:3` */
  readonly place: string;
}

/**
 * Reads a file, or stdin where it is `-`: a location or `name=URL` on each line. Blank lines and those that begin with
 * `#` do not count.
 *
 * @throws UsageError when it cannot be read, or lists nothing
 */
export async function readLocations(file: string, context: CliContext): Promise<ListedLocation[]> {
  const lines = (await contentOf(file, context)).split("\n");
  const listed = lines.map((line, index) => ({
    argument: line.trim(),
    place: `--from ${file}:${index + 1}`,
  }));
  const locations = listed.filter(({ argument }) => argument !== "" && !argument.startsWith("#"));
  if (locations.length > 0) return locations;
  throw new UsageError(`--from ${file}: expected an operation location on each line, got none`);
}

async function contentOf(file: string, { stdin }: CliContext): Promise<string> {
  if (file === "-") return readAll(stdin);
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`--from ${file}: expected a file of operation locations, or -, got ${why}`, {
      cause: error,
    });
  }
}
