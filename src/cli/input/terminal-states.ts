import type { TerminalStates } from "../../index.ts";
import { UsageError } from "./context.ts";

/** The options that name a service's own words for the end of an operation. */
export interface TerminalStateOptions {
  readonly succeededState?: readonly string[];
  readonly failedState?: readonly string[];
  readonly canceledState?: readonly string[];
}

/**
 * Returns the poll option for these words, if there are any.
 *
 * @throws UsageError if a word stands for two states
 */
export function terminalStatesOf({
  succeededState: succeeded = [],
  failedState: failed = [],
  canceledState: canceled = [],
}: TerminalStateOptions): { readonly terminalStates?: TerminalStates } {
  checkDistinct("--failed-state", failed, succeeded);
  checkDistinct("--canceled-state", canceled, [...succeeded, ...failed]);
  const words = [...succeeded, ...failed, ...canceled];
  return words.length === 0 ? {} : { terminalStates: { succeeded, failed, canceled } };
}

function checkDistinct(option: string, words: readonly string[], others: readonly string[]): void {
  const taken = new Set(others.map(keyOf));
  const repeated = words.find((word) => taken.has(keyOf(word)));
  if (repeated === undefined) return;
  throw new UsageError(
    `${option}: expected a word that no other option names, got ${JSON.stringify(repeated)}`,
  );
}

function keyOf(word: string): string {
  return word.trim().toLowerCase();
}
