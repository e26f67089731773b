import type { InnerError, OperationError } from "./status.ts";

const mostDetailsShown = 20;

/** The data keep all of it; a log line need not. */
const longestText = 8000;

/** `code: message (target) → inner → inner`, then a line for each of the details, indented by their depth. */
export function formatOperationError(error: OperationError): string {
  const text = formatTree(error, "");
  return text.length > longestText ? `${text.slice(0, longestText)}…` : text;
}

function formatTree(error: OperationError, indent: string): string {
  const head = [error.code, error.message].filter((part) => part !== "").join(": ");
  const target = error.target ? ` (${error.target})` : "";
  const line = [`${head || "No code or message"}${target}`, ...innerChain(error.innererror)].join(" → ");
  const details = error.details ?? [];
  const shown = details
    .slice(0, mostDetailsShown)
    .map((detail) => `\n${indent}  - ${formatTree(detail, `${indent}  `)}`);
  const hidden = details.length - shown.length;
  return `${line}${shown.join("")}${hidden > 0 ? `\n${indent}  - … and ${hidden} more` : ""}`;
}

function innerChain(inner: InnerError | undefined): string[] {
  if (inner === undefined) return [];
  const said = [inner.code, inner.message].filter(Boolean).join(": ");
  return [...(said === "" ? [] : [said]), ...innerChain(inner.innererror)];
}
