import { readFile } from "node:fs/promises";
import { text as readAll } from "node:stream/consumers";
import { UsageError } from "./context.ts";
import type { CliContext } from "./context.ts";
import { isAzLog, operationUrlsIn, plainLog } from "./az-log.ts";

/** A line of a list of operations. */
interface ListedLocation {
  readonly argument: string;
  /** The line's name in an error: `--from ops.txt:3`. */
  readonly source: string;
}

/**
 * Reads a list of operations from a file, or from stdin if the file is `-`. Each line is a location or `name=URL`; blank
 * lines and lines that start with `#` are ignored. The log of `az --debug` lists the operations that az started.
 *
 * @throws UsageError if the file cannot be read, or lists nothing
 */
export async function readLocations(file: string, context: CliContext): Promise<ListedLocation[]> {
  const content = await readInput(file, context, (why) => {
    return new UsageError(`--from ${file}: expected a file of operation locations, or -, got ${why}`);
  });
  const log = plainLog(content);
  if (isAzLog(log)) return loggedLocations(file, log);
  const lines = content.split("\n");
  const listed = lines.map((line, index) => ({
    argument: line.trim(),
    source: `--from ${file}:${index + 1}`,
  }));
  const locations = listed.filter(({ argument }) => argument !== "" && !argument.startsWith("#"));
  if (locations.length > 0) return locations;
  throw new UsageError(`--from ${file}: expected an operation location on each line, got none`);
}

function loggedLocations(file: string, log: string): ListedLocation[] {
  const source = `--from ${file}: az's log`;
  const locations = operationUrlsIn(log).map((argument) => ({ argument, source }));
  if (locations.length > 0) return locations;
  throw new UsageError(`${source}: expected the URL of an operation, got none; az may have failed`);
}

/**
 * Reads a file, or stdin if the file is `-`.
 *
 * @throws the error that `errorFor` makes of the reason, if the file cannot be read
 */
export async function readInput(
  file: string,
  { stdin }: CliContext,
  errorFor: (why: string) => UsageError,
): Promise<string> {
  if (file === "-") return readAll(stdin);
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw errorFor(error instanceof Error ? error.message : String(error));
  }
}
