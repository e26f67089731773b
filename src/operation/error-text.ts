import { documentIn } from "./parse-error.ts";
import type { InnerError, OperationError, RootCause } from "./status.ts";

const maxDetailsShown = 20;

/** The data have all of it; a log line need not. */
const maxTextLength = 8000;

/**
 * Formats an error: its root cause on the first line, and below it the whole tree, where it has more.
 *
 * The tree is `code: message (target) → inner → inner`, and a line for each of its details, indented.
 */
export function formatOperationError(error: OperationError): string {
  const chain = chainOf(error);
  const cause = causeIn(chain);
  const isOuter = cause.code === error.code && cause.message === error.message;
  const isBareList = error.code === "" && error.message === "" && error.innererror === undefined;
  const tree = isBareList ? formatDetails(error, "") : `\n  ${formatTree(error, "  ")}`;
  const text = isOuter ? formatTree(error, "") : formatCause(cause, chain) + tree;
  return text.length > maxTextLength ? `${text.slice(0, maxTextLength)}…` : text;
}

/** Returns the most specific code in an error, and the message nearest to it. */
export function rootCauseOf(error: OperationError): RootCause {
  return causeIn(chainOf(error));
}

/** Returns the code of an error, or that of its root cause where it has none itself. */
export function codeOfError(error: OperationError): string {
  return error.code || rootCauseOf(error).code;
}

/** Returns whether an error, or one inside it, has a code; case does not count. */
export function hasCodeWithin({ code = "", details = [], innererror }: InnerError, wanted: string): boolean {
  return (
    code.toLowerCase() === wanted.toLowerCase() ||
    details.some((detail) => hasCodeWithin(detail, wanted)) ||
    (innererror !== undefined && hasCodeWithin(innererror, wanted))
  );
}

/** Returns the errors from the outermost to the root cause. */
function chainOf(error: InnerError): readonly InnerError[] {
  const { details = [], innererror } = error;
  const inner = innererror && [innererror];
  const next = deepest(details) ?? inner?.find(hasAnyCode) ?? details[0] ?? innererror;
  return next === undefined ? [error] : [error, ...chainOf(next)];
}

/** Returns the detail that leads to the most specific code, the first of several. */
function deepest(details: readonly InnerError[]): InnerError | undefined {
  const depths = details.map(depthOf);
  const depth = Math.max(0, ...depths);
  return depth === 0 ? undefined : details[depths.indexOf(depth)];
}

/** Returns how many levels of an error, from the top, have a code. */
function depthOf({ code = "", details = [], innererror }: InnerError): number {
  const below = Math.max(0, ...details.map(depthOf), innererror === undefined ? 0 : depthOf(innererror));
  return below > 0 || (code !== "" && code !== "0") ? below + 1 : 0;
}

function hasAnyCode({ code = "", details = [], innererror }: InnerError): boolean {
  return code !== "" || details.some(hasAnyCode) || (innererror !== undefined && hasAnyCode(innererror));
}

function causeIn(chain: readonly InnerError[]): RootCause {
  const code = chain.findLast((level) => level.code)?.code ?? "";
  // The document itself is in the details too.
  const message = chain.findLast((level) => level.message && !hasDocument(level))?.message ?? "";
  return { code, message };
}

function formatCause(cause: RootCause, chain: readonly InnerError[]): string {
  const outerCode = chain.find((level) => level.code)?.code ?? "";
  const hiddenCount = chain
    .map(({ details = [] }, index) =>
      details.some((detail) => detail === chain[index + 1]) ? details.length - 1 : 0,
    )
    .reduce((sum, count) => sum + count, 0);
  const notes = [
    chain.at(-1)?.target,
    outerCode === cause.code ? undefined : `in ${outerCode}`,
    hiddenCount > 0 ? `and ${hiddenCount} more` : undefined,
  ];
  return headOf(cause, notes);
}

function formatTree(error: OperationError, indent: string): string {
  const { code, message, target, innererror } = error;
  const head = headOf({ code, message: hasDocument(error) ? "" : message }, [target]);
  return [head, ...innerChain(innererror)].join(" → ") + formatDetails(error, indent);
}

function formatDetails({ details = [] }: OperationError, indent: string): string {
  const shown = details
    .slice(0, maxDetailsShown)
    .map((detail) => `\n${indent}  - ${formatTree(detail, `${indent}  `)}`);
  const hidden = details.length - shown.length;
  return `${shown.join("")}${hidden > 0 ? `\n${indent}  - … and ${hidden} more` : ""}`;
}

function headOf({ code, message }: RootCause, notes: readonly (string | undefined)[]): string {
  const head = [code, message].filter((part) => part !== "").join(": ") || "No code or message";
  const shown = notes.filter(Boolean).join(", ");
  return shown === "" ? head : `${head} (${shown})`;
}

/** Returns whether the message is JSON that was parsed into the details. */
function hasDocument({ code, message = "", details = [] }: InnerError): boolean {
  return Boolean(code) && details.length > 0 && documentIn(message) !== undefined;
}

function innerChain(inner: InnerError | undefined): string[] {
  if (inner === undefined) return [];
  const text = [inner.code, inner.message].filter(Boolean).join(": ");
  return [...(text === "" ? [] : [text]), ...innerChain(inner.innererror)];
}
