import type { Condition } from "../../index.ts";
import { UsageError } from "./context.ts";

/** The options that name a condition of a resource. */
export interface ResourceConditionOptions {
  readonly for?: readonly string[];
  readonly failIf?: readonly string[];
  readonly confirmations?: number;
}

type Test = (resource: unknown) => boolean;

/**
 * Returns the condition that the options name, if they name one.
 *
 * @throws UsageError that names the option
 */
export function conditionOf(options: ResourceConditionOptions): Condition | undefined {
  const { for: wanted, failIf, confirmations } = options;
  if (wanted === undefined) {
    if (failIf !== undefined) throw new UsageError("--fail-if: expected --for too");
    if (confirmations !== undefined) throw new UsageError("--confirmations: expected --for too");
    return undefined;
  }
  const failures = failIf?.flatMap((text) => testsOf("--fail-if", text));
  return {
    until: untilOf(wanted),
    failIf: failures && ((resource) => failures.some((test) => test(resource))),
    confirmations,
  };
}

function untilOf(texts: readonly string[]): Condition["until"] {
  const tests = texts.filter((text) => text !== "exists" && text !== "deleted");
  if (texts.includes("deleted")) {
    if (texts.every((text) => text === "deleted")) return "deleted";
    throw new UsageError("--for: expected no other condition beside deleted");
  }
  if (tests.length === 0) return "exists";
  const all = tests.flatMap((text) => testsOf("--for", text));
  return (resource) => all.every((test) => test(resource));
}

const quotedText = String.raw`'[^']*'|"[^"]*"`;
const segment = String.raw`(?:[\w-]+|${quotedText})`;
const path = String.raw`${segment}(?:\.${segment}|\[(?:\d+|${quotedText})\])*`;
const comparison = new RegExp(String.raw`\s*(${path})\s*(!=|==?)\s*(${quotedText}|[^,'"=]*?)\s*(?:,|$)`, "y");
const pathPart = new RegExp(String.raw`${quotedText}|[^.[\]'"]+`, "g");

/** Parses `path=value` and `path!=value`, several with commas between them. */
function testsOf(option: string, text: string): Test[] {
  const tests: Test[] = [];
  for (let start = 0; start < text.length || tests.length === 0; start = comparison.lastIndex) {
    comparison.lastIndex = start;
    const [, names = "", operator, value = ""] = comparison.exec(text) ?? [];
    if (names === "")
      throw new UsageError(`${option}: expected ${forms[option]}, got ${JSON.stringify(text)}`);
    tests.push(testOf(namesIn(names), unquoted(value), operator !== "!="));
  }
  return tests;
}

const forms: Readonly<Record<string, string>> = {
  "--for": "deleted, exists, path=value or path!=value",
  "--fail-if": "path=value or path!=value",
};

function namesIn(names: string): string[] {
  return Array.from(names.matchAll(pathPart), ([part]) => unquoted(part));
}

function unquoted(text: string): string {
  return /^['"]/.test(text) ? text.slice(1, -1) : text;
}

function testOf(names: readonly string[], expected: string, isEqual: boolean): Test {
  const wanted = expected.toLowerCase();
  return (resource) => (textOf(valueAt(resource, names)) === wanted) === isEqual;
}

/** Returns the value at a path; `undefined` where there is none. */
function valueAt(resource: unknown, names: readonly string[]): unknown {
  return names.reduce<unknown>((value, name) => fieldOf(value, name), resource);
}

/** Azure's names of fields are compared without case, unless one has that very spelling. */
function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  const fields = Object.entries(value);
  const [, found] =
    fields.find(([key]) => key === name) ??
    fields.find(([key]) => key.toLowerCase() === name.toLowerCase()) ??
    [];
  return found;
}

function textOf(value: unknown): string | undefined {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text?.toLowerCase();
}
