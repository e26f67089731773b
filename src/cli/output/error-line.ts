import type { CliContext } from "../input/context.ts";
import { wrapFor } from "./wrap.ts";
import { paintFor, spellingFor } from "./terminal.ts";

/** Writes an error to stderr, after a red `error:`. */
export function writeError(context: CliContext, text: string): void {
  const { stderr, env } = context;
  const heading = "error:";
  const lines = spellingFor(stderr, context)(wrapFor(stderr, `${heading} ${text}`, context));
  stderr.write(`${paintFor(stderr, env)("red", heading)}${lines.slice(heading.length)}\n`);
}
