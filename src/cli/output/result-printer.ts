import { LroError } from "../../index.ts";
import type { CliContext } from "../input/context.ts";
import { adviceOn, explainError } from "./wait-result.ts";
import type { WaitResult } from "./wait-result.ts";
import { labelOf } from "../input/names.ts";
import type { OperationName } from "../input/names.ts";
import { resumeCommand } from "./resume-command.ts";
import type { CarriedOptions } from "./resume-command.ts";
import { wrapFor, writeError } from "./terminal.ts";
import { toJson } from "./text.ts";
import type { Reporter } from "./reporter.ts";

/** Prints how waits ended: results to stdout, everything else to stderr. */
export class ResultPrinter {
  readonly #names: readonly OperationName[];
  readonly #context: CliContext;
  readonly #carried: CarriedOptions;
  readonly #advice = new Set<string>();
  readonly #resumeTokens: string[] = [];
  #interrupted = 0;

  constructor(names: readonly OperationName[], context: CliContext, carried: CarriedOptions = {}) {
    this.#names = names;
    this.#context = context;
    this.#carried = carried;
  }

  /** Says before each result which operation it is of, where there are several. */
  print(place: number, ending: WaitResult): void {
    const { stdout } = this.#context;
    const name = this.#names[place];
    this.note(place, ending);
    if (ending.type === "error") this.#printError(ending.error, name);
    if (ending.type !== "succeeded" || ending.result === undefined) return;
    const heading = name && this.#names.length > 1 ? `${labelOf(name)} result:\n` : "";
    stdout.write(`${heading}${toJson(ending.result, 2)}\n`);
  }

  /** Remembers for the end how to go on, and prints nothing. */
  note(place: number, ending: WaitResult): void {
    if (ending.type === "succeeded") return;
    if (ending.type === "interrupted") this.#interrupted++;
    const { resumeToken } = ending;
    const name = this.#names[place]?.name;
    if (resumeToken !== undefined)
      this.#resumeTokens.push(name === undefined ? resumeToken : `${name}=${resumeToken}`);
  }

  /** Says once, for all that was printed, how to go on. */
  finish(): void {
    const { stderr } = this.#context;
    if (this.#interrupted === 1) stderr.write("Stopped waiting; the operation goes on.\n");
    if (this.#interrupted > 1) stderr.write(`Stopped waiting; ${this.#interrupted} operations go on.\n`);
    if (this.#resumeTokens.length === 0) return;
    stderr.write(`To go on waiting:\n  ${resumeCommand(this.#resumeTokens, this.#carried)}\n`);
  }

  #printError(error: Error, operation: OperationName | undefined): void {
    const { stderr, ciLog } = this.#context;
    const text = explainError(error, operation);
    if (ciLog) ciLog.error(titleOf(error, operation), text);
    else writeError(this.#context, text);
    const advice = adviceOn(error);
    // Several operations may have the same trouble.
    if (advice === undefined || this.#advice.has(advice)) return;
    this.#advice.add(advice);
    stderr.write(`${wrapFor(stderr, advice)}\n`);
  }
}

function titleOf(error: Error, operation: OperationName | undefined): string {
  const reason = error instanceof LroError ? error.code : error.name;
  return operation === undefined ? reason : `${labelOf(operation)}: ${reason}`;
}

/** For `--quiet`: only results, and why there is none. */
export function createQuietReporter(
  names: readonly OperationName[],
  printer: ResultPrinter,
  { stdout }: CliContext,
): Reporter {
  const endings = new Map<number, WaitResult>();
  return {
    progress() {},
    failedRead() {},
    ended: (place, ending) => void endings.set(place, ending),
    close() {
      for (const place of names.keys()) {
        const ending = endings.get(place);
        if (ending?.type === "succeeded") stdout.write(`${toJson(ending.result, 2)}\n`);
        else if (ending) printer.print(place, ending);
      }
      printer.finish();
    },
  };
}
