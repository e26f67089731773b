import type { InnerError, OperationError } from "./status.ts";

const maxDetailsShown = 20;

/** The data have all of it; a log line need not. */
const maxTextLength = 8000;

/** Formats an error as `code: message (target) → inner → inner`, and a line for each of its details, indented. */
export function formatOperationError(error: OperationError): string {
  const text = formatTree(error, "");
  return text.length > maxTextLength ? `${text.slice(0, maxTextLength)}…` : text;
}

function formatTree(error: OperationError, indent: string): string {
  const head = [error.code, error.message].filter((part) => part !== "").join(": ");
  const target = error.target ? ` (${error.target})` : "";
  const line = [`${head || "No code or message"}${target}`, ...innerChain(error.innererror)].join(" → ");
  const details = error.details ?? [];
  const shown = details
    .slice(0, maxDetailsShown)
    .map((detail) => `\n${indent}  - ${formatTree(detail, `${indent}  `)}`);
  const hidden = details.length - shown.length;
  return `${line}${shown.join("")}${hidden > 0 ? `\n${indent}  - … and ${hidden} more` : ""}`;
}

function innerChain(inner: InnerError | undefined): string[] {
  if (inner === undefined) return [];
  const text = [inner.code, inner.message].filter(Boolean).join(": ");
  return [...(text === "" ? [] : [text]), ...innerChain(inner.innererror)];
}
