import type { Command } from "commander";
import { bashCompletion } from "./bash.ts";
import { fishCompletion } from "./fish.ts";
import { powershellCompletion } from "./powershell.ts";
import { wordsOf } from "./words.ts";
import { zshCompletion } from "./zsh.ts";

const scripts = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
  powershell: powershellCompletion,
} as const;

/** The shells with a completion script. */
export const shells: readonly string[] = Object.keys(scripts);

/** Returns the completion script of a shell; empty for a shell that is not in {@link shells}. */
export function completionFor(shell: string, program: Command): string {
  const script = Object.entries(scripts).find(([name]) => name === shell)?.[1];
  return script?.(wordsOf(program)) ?? "";
}
