import { readFile } from "node:fs/promises";
import { text as readAll } from "node:stream/consumers";
import { UsageError } from "./context.ts";
import type { CliContext } from "./context.ts";
import { parseNamed } from "./names.ts";
import type { NamedText } from "./names.ts";
import { withoutQuery } from "../../redaction.ts";

/** Which operation a token is of. */
export interface TokenReference {
  readonly endpoint: string;
  readonly operationId: string;
  readonly apiVersion: string | undefined;
}

/**
 * Reads tokens from the command line, a file or stdin: one, or one on each line, each as it is, after a name, or in an
 * event that `-o json` printed.
 *
 * @throws UsageError when there is none
 */
export async function readTokens(source: string, context: CliContext): Promise<NamedText[]> {
  const content = isToken(source) ? source : await read(source, context);
  const whole = isJson(content) ? [content] : content.split("\n").filter((line) => line.trim() !== "");
  const tokens = whole.flatMap((line) => tokenIn(parseNamed(line.trim())));
  if (tokens.length > 0) return tokens;
  throw refusal(content.trim() === "" ? "an empty text" : "events without a token");
}

function isToken(source: string): boolean {
  return parseNamed(source.trim()).text.startsWith("{");
}

async function read(source: string, { stdin }: CliContext): Promise<string> {
  if (source.trim() === "") return "";
  if (source === "-") return readAll(stdin);
  try {
    return await readFile(source, "utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    // It may be a token with a flaw, which holds signed URLs, in place of a file's name.
    throw refusal(withoutQuery(`${JSON.stringify(source)} (${why})`));
  }
}

/** None where it is an event that has no token: of most waits only the last line has one. */
function tokenIn({ name, text }: NamedText): NamedText[] {
  const content = parseJson(text);
  // As jq prints one unless it is told -r.
  if (typeof content === "string") return tokenIn({ name, text: content });
  const { event, error, name: eventName } = fieldsOf(content);
  if (event === undefined) return [{ name, text }];
  const { resumeToken } = fieldsOf(error);
  if (typeof resumeToken !== "string") return [];
  return [{ name: name ?? (typeof eventName === "string" ? eventName : undefined), text: resumeToken }];
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

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refusal("text that is no JSON");
  }
}

function refusal(got: string): UsageError {
  return new UsageError(`--resume: expected a resume token, a file with some, or -, got ${got}`);
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" ? { ...value } : {};
}
