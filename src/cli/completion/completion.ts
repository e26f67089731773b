import type { Command } from "commander";
import { bashCompletion } from "./bash.ts";
import { fishCompletion } from "./fish.ts";
import { wordsOf } from "./words.ts";
import { zshCompletion } from "./zsh.ts";

const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/** The shells that there is a completion for. */
export const shells: readonly string[] = Object.keys(scripts);

/** The script that lets a shell complete this program's command line; empty for a shell that is none of {@link shells}. */
export function completionFor(shell: string, program: Command): string {
  const script = Object.entries(scripts).find(([name]) => name === shell)?.[1];
  return script?.(wordsOf(program)) ?? "";
}
