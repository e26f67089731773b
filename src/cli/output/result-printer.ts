import { LroError } from "../../index.ts";
import type { CiLog, CliContext } from "../input/context.ts";
import { labelOf } from "../input/names.ts";
import type { OperationName } from "../input/names.ts";
import type { Reporter } from "./reporter.ts";
import { forgetTokens, resumeCommand } from "./resume-command.ts";
import type { CarriedOptions } from "./resume-command.ts";
import { wrapFor } from "./wrap.ts";
import { writeError } from "./error-line.ts";
import { singleLine, toJson } from "./text.ts";
import { failedPartsIn } from "./part-changes.ts";
import { codeOfPart, textOfPart } from "./parts.ts";
import { adviceOn, causeCodeOf, explainError, isFailedOrCanceled } from "./wait-outcome.ts";
import type { WaitOutcome } from "./wait-outcome.ts";

/** Prints the outcomes of waits: results to stdout, everything else to stderr. */
export class ResultPrinter {
  readonly #names: readonly OperationName[];
  readonly #context: CliContext;
  readonly #options: CarriedOptions;
  /** By the operation's index. */
  readonly #kept: WaitOutcome[] = [];
  readonly #printedAdvice = new Set<string>();
  readonly #resumeTokens: string[] = [];
  #interrupted = 0;
  #resumeCommand: string | undefined;

  constructor(names: readonly OperationName[], context: CliContext, options: CarriedOptions = {}) {
    this.#names = names;
    this.#context = context;
    this.#options = options;
  }

  /** The resume tokens of the outcomes so far, each with its name, as in `name={…}`. */
  get resumeTokens(): readonly string[] {
    return this.#resumeTokens;
  }

  /** The command that {@link finish} has printed, if any wait can be resumed. */
  get resumeCommand(): string | undefined {
    return this.#resumeCommand;
  }

  /** Prints an outcome. Where there are several operations, a heading names the one of a result. */
  print(index: number, outcome: WaitOutcome): void {
    const name = this.#names[index];
    this.noteToken(index, outcome);
    if (outcome.type === "error") this.#printError(outcome.error, name);
    if (outcome.type !== "succeeded") return;
    const { quiet = false } = this.#options;
    // With --quiet there is a value for each success, so that a script can count them.
    if (outcome.result === undefined && !quiet) return;
    const heading = name && this.#names.length > 1 && !quiet ? `${labelOf(name)} result:\n` : "";
    this.#context.stdout.write(`${heading}${toJson(outcome.result, 2)}\n`);
  }

  /** Keeps an outcome for {@link printKept}. */
  keep(index: number, outcome: WaitOutcome): void {
    this.#kept[index] = outcome;
  }

  /** Prints the outcomes that were kept, in the order of the command line. */
  printKept(): void {
    this.#kept.splice(0).forEach((outcome, index) => this.print(index, outcome));
  }

  /** Remembers an outcome's resume token for {@link finish}, and prints nothing. */
  noteToken(index: number, outcome: WaitOutcome): void {
    if (outcome.type === "succeeded") return;
    if (outcome.type === "interrupted") this.#interrupted++;
    const { resumeToken } = outcome;
    const name = this.#names[index]?.name;
    if (resumeToken !== undefined)
      this.#resumeTokens.push(name === undefined ? resumeToken : `${name}=${resumeToken}`);
  }

  /** Returns what to do about an error, once: the same advice may apply to several operations. */
  newAdviceOn(error: Error, operation: OperationName | undefined): string | undefined {
    const advice = adviceOn(error, operation);
    if (advice === undefined || this.#printedAdvice.has(advice)) return undefined;
    this.#printedAdvice.add(advice);
    return advice;
  }

  /** Prints what is left: the outcomes that were kept, and one command that resumes all waits. */
  finish(): void {
    this.printKept();
    const { stderr } = this.#context;
    if (this.#interrupted === 1) stderr.write("Stopped waiting; the operation continues.\n");
    if (this.#interrupted > 1) stderr.write(`Stopped waiting; ${this.#interrupted} operations continue.\n`);
    if (this.#resumeTokens.length === 0) return forgetTokens(this.#options);
    this.#resumeCommand = resumeCommand(this.#resumeTokens, this.#options, this.#context);
    stderr.write(`To continue waiting:\n  ${this.#resumeCommand}\n`);
  }

  #printError(error: Error, operation: OperationName | undefined): void {
    const { stderr, ciLog } = this.#context;
    const text = explainError(error, operation);
    if (ciLog) ciLog.error(titleOf(error, operation), text);
    else writeError(this.#context, text);
    if (ciLog) annotateParts(ciLog, error, operation);
    const advice = this.newAdviceOn(error, operation);
    if (advice !== undefined) stderr.write(`${wrapFor(stderr, advice, this.#context)}\n`);
  }
}

/** GitHub Actions shows ten error annotations of a step, and one is that of the operation. */
const maxPartsAnnotated = 9;

/** Adds an annotation for each failed part of a deployment, as far as they are shown. */
function annotateParts(ciLog: CiLog, error: Error, operation: OperationName | undefined): void {
  const parts = isFailedOrCanceled(error) ? (error.operation?.parts ?? []) : [];
  const heading = operation === undefined ? "" : `${labelOf(operation)}: `;
  for (const { part, path } of failedPartsIn(parts).slice(0, maxPartsAnnotated)) {
    const name = singleLine([...path, part.name].join("/"));
    const text = `${name} (${singleLine(part.type)}) failed. ${textOfPart(part)}`;
    const id = part.id === undefined ? "" : `\n${singleLine(part.id)}`;
    ciLog.error(`${heading}${name}: ${codeOfPart(part)}`, text + id);
  }
}

function titleOf(error: Error, operation: OperationName | undefined): string {
  const reason = error instanceof LroError ? causeCodeOf(error) : error.name;
  return operation === undefined ? reason : `${labelOf(operation)}: ${reason}`;
}

/** Returns the reporter for `--quiet`: only results and errors. */
export function createQuietReporter(printer: ResultPrinter): Reporter {
  return {
    progress() {},
    failedPoll() {},
    ended: (index, outcome) => printer.keep(index, outcome),
    close: () => printer.finish(),
  };
}
