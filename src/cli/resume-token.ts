import { readFile } from "node:fs/promises";
import { text as readAll } from "node:stream/consumers";
import { UsageError } from "./context.ts";
import type { CliContext } from "./context.ts";

/** Which operation a token is of. */
export interface TokenReference {
  readonly endpoint: string;
  readonly operationId: string;
  readonly apiVersion: string | undefined;
}

/**
 * Reads a token from the command line, a file or stdin.
 *
 * @throws UsageError when there is none
 */
export async function readToken(source: string, { stdin }: CliContext): Promise<string> {
  if (source.trimStart().startsWith("{")) return source;
  if (source === "-") return readAll(stdin);
  try {
    return await readFile(source, "utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw refusal(`${JSON.stringify(source)} (${why})`);
  }
}

/**
 * Looks up which client a token is for; everything else in it is that client's to check.
 *
 * @throws UsageError when it does not say
 */
export function referenceIn(token: string): TokenReference {
  const { endpoint, operationId, apiVersion } = fieldsOf(fieldsOf(parseJson(token))["operation"]);
  if (typeof endpoint !== "string" || typeof operationId !== "string") throw refusal("JSON that is no token");
  return { endpoint, operationId, apiVersion: typeof apiVersion === "string" ? apiVersion : undefined };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refusal("text that is no JSON");
  }
}

function refusal(got: string): UsageError {
  return new UsageError(`--resume: expected a resume token, a file with one, or -, got ${got}`);
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" ? { ...value } : {};
}
