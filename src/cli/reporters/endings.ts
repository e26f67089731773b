import type { CliContext } from "../context.ts";
import { adviceOn, explainError, resumeCommand } from "../ending.ts";
import type { Ending } from "../ending.ts";
import { toJson, writeError } from "../text.ts";
import type { Reporter } from "./reporter.ts";

/** Prints how waits ended: results to stdout, everything else to stderr. */
export class EndingPrinter {
  readonly #ids: readonly string[];
  readonly #context: CliContext;
  readonly #advice = new Set<string>();
  readonly #resumeTokens: string[] = [];
  #interrupted = 0;

  constructor(ids: readonly string[], context: CliContext) {
    this.#ids = ids;
    this.#context = context;
  }

  /** Says before each result which operation it is of, where there are several. */
  print(place: number, ending: Ending): void {
    const { stdout } = this.#context;
    const id = this.#ids[place] ?? "";
    if (ending.type === "succeeded") {
      const heading = this.#ids.length > 1 ? `${id} result:\n` : "";
      if (ending.result !== undefined) stdout.write(`${heading}${toJson(ending.result, 2)}\n`);
      return;
    }
    if (ending.resumeToken !== undefined) this.#resumeTokens.push(ending.resumeToken);
    if (ending.type === "interrupted") this.#interrupted++;
    else this.#printError(ending.error);
  }

  /** Says once, for all that was printed, how to go on. */
  finish(): void {
    const { stderr } = this.#context;
    if (this.#interrupted === 1) stderr.write("Stopped waiting; the operation goes on.\n");
    if (this.#interrupted > 1) stderr.write(`Stopped waiting; ${this.#interrupted} operations go on.\n`);
    if (this.#resumeTokens.length === 0) return;
    stderr.write(`To go on waiting:\n  ${resumeCommand(this.#resumeTokens)}\n`);
  }

  #printError(error: Error): void {
    writeError(this.#context, explainError(error));
    const advice = adviceOn(error);
    // Several operations may have the same trouble.
    if (advice === undefined || this.#advice.has(advice)) return;
    this.#advice.add(advice);
    this.#context.stderr.write(`${advice}\n`);
  }
}

/** For `--quiet`: only results, and why there is none. */
export function createQuietReporter(ids: readonly string[], context: CliContext): Reporter {
  const printer = new EndingPrinter(ids, context);
  const endings = new Map<number, Ending>();
  return {
    progress() {},
    failedRead() {},
    ended: (place, ending) => void endings.set(place, ending),
    close() {
      for (const place of ids.keys()) {
        const ending = endings.get(place);
        if (ending?.type === "succeeded") context.stdout.write(`${toJson(ending.result, 2)}\n`);
        else if (ending) printer.print(place, ending);
      }
      printer.finish();
    },
  };
}
