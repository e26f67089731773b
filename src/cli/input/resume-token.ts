import { UsageError } from "./context.ts";
import type { CliContext } from "./context.ts";
import { readInput } from "./location-list.ts";
import { parseNamed } from "./names.ts";
import type { NamedText } from "./names.ts";
import { withoutQuery } from "../../redaction.ts";

/** Where the operation of a resume token is: the names of a DevCenter operation, or a URL to poll. */
export type TokenPlace =
  | { readonly endpoint: string; readonly apiVersion: string | undefined }
  | { readonly url: string; readonly isCondition: boolean; readonly isDeployment: boolean };

/**
 * Reads resume tokens from the command line, a file or stdin: one, or one on each line. A line is a token, `name=token`,
 * or an event that `-o json` printed.
 *
 * @throws UsageError if there is no token
 */
export async function readTokens(source: string, context: CliContext): Promise<NamedText[]> {
  const content = await contentOf(source, context);
  const whole = isJson(content) ? [content] : content.split("\n").filter((line) => line.trim() !== "");
  const tokens = whole.flatMap((line) => tokenIn(parseNamed(line.trim())));
  if (tokens.length > 0) return tokens;
  throw invalid(content.trim() === "" ? "an empty text" : "events without a token");
}

function contentOf(source: string, context: CliContext): string | Promise<string> {
  const { text } = parseNamed(source.trim());
  if (text === "" || text.startsWith("{")) return source;
  // Without the query: the file's name may be a damaged token, with signed URLs.
  return readInput(source, context, (why) => invalid(withoutQuery(`${JSON.stringify(source)} (${why})`)));
}

/** Returns no token for an event without one: only the errors of waits that can continue have one. */
function tokenIn({ name, text }: NamedText): NamedText[] {
  const content = parseJson(text);
  // jq prints a token as a JSON string, unless it has the option -r.
  if (typeof content === "string") return tokenIn({ name, text: content });
  const { event, error, name: eventName } = fieldsOf(content);
  if (event === undefined) return [{ name, text }];
  const { resumeToken } = fieldsOf(error);
  if (typeof resumeToken !== "string") return [];
  return [{ name: name ?? (typeof eventName === "string" ? eventName : undefined), text: resumeToken }];
}

/**
 * Returns where a token's operation is, which decides the client. That client checks everything else.
 *
 * @throws UsageError if the token does not name an operation
 */
export function placeIn(token: string): TokenPlace {
  const whole = fieldsOf(parseJson(token));
  const operation = fieldsOf(whole["operation"]);
  const { endpoint, apiVersion } = operation;
  if (typeof endpoint === "string") {
    return { endpoint, apiVersion: typeof apiVersion === "string" ? apiVersion : undefined };
  }
  const { monitorUrl, kind } = fieldsOf(operation["pollingLocation"]);
  const { operationLocation } = fieldsOf(fieldsOf(whole["state"] ?? operation["state"])["config"]);
  const url = monitorUrl ?? operationLocation;
  if (typeof url !== "string" || !URL.canParse(url)) throw invalid("JSON that is no token");
  return { url, isCondition: kind === "condition", isDeployment: "deployment" in operation };
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
    throw invalid("text that is no JSON");
  }
}

function invalid(got: string): UsageError {
  return new UsageError(`--resume: expected a resume token, a file with some, or -, got ${got}`);
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" ? { ...value } : {};
}
