import type { CliContext } from "../input/context.ts";
import { exitCodeOfAll } from "../output/wait-outcome.ts";
import { openHistory } from "./history.ts";
import { createCancelReporter } from "../output/cancel-reporter.ts";
import { createCiReporter } from "../output/ci-reporter.ts";
import { ResultPrinter, createQuietReporter } from "../output/result-printer.ts";
import { createJsonReporter } from "../output/json-reporter.ts";
import { createLinesReporter } from "../output/lines-reporter.ts";
import { combined } from "../output/reporter.ts";
import type { Reporter } from "../output/reporter.ts";
import type { CarriedOptions } from "../output/resume-command.ts";
import { createStepOutputsReporter } from "../output/step-outputs.ts";
import { resolveTargets } from "../input/targets.ts";
import type { Target, TargetOptions } from "../input/targets.ts";
import { terminalStatesOf } from "../input/terminal-states.ts";
import { createWarningReporter } from "../output/warning-reporter.ts";
import { WaitBoard } from "../output/wait-board.ts";
import type { createSummaryReporter } from "../output/step-summary.ts";
import type { createWebReporter } from "../output/web-reporter.ts";
import { waitForAll } from "./waits.ts";

/** The options of `lro wait`. */
export type WaitOptions = TargetOptions & CarriedOptions;

/**
 * Waits for operations, and shows their progress and their outcomes.
 *
 * @returns the exit code
 * @throws UsageError that names the argument
 */
export async function wait(
  locations: readonly string[],
  options: WaitOptions,
  context: CliContext,
): Promise<number> {
  const targets = await resolveTargets(locations, options, context);
  const terminalStates = terminalStatesOf(options);
  const history = openHistory(options, context);
  const board = new WaitBoard(targets, context);
  const reporter = await createReporters(targets, board, options, context);
  const { interruption } = context;
  const { timeout, stallTimeout, pollCost } = options;
  const pollOptions = {
    ...context.pollOptions,
    ...terminalStates,
    ...(timeout !== undefined && { timeoutInMs: timeout }),
    ...(stallTimeout !== undefined && { stallTimeoutInMs: stallTimeout }),
    ...(pollCost !== undefined && { pollCostInMs: pollCost }),
  };
  const isFollowed = (index: number): boolean =>
    targets[index]?.isDeployment !== true || showsProgress(options);
  const { prompt, stderr } = context;
  const showQuestion = (text: string | undefined): void => {
    if (drawsFrames(options, context)) board.question = text;
    else if (text !== undefined) stderr.write(`${text}\n`);
  };
  const setting = { reporter, history, interruption, pollOptions, options, prompt, showQuestion, isFollowed };
  const outcomes = await waitForAll(targets, setting);
  reporter.close();
  await history?.close();
  return exitCodeOfAll(outcomes, options.any);
}

/** Returns whether anything is shown before the end. The parts of a deployment cost requests. */
function showsProgress({ output, quiet, summary, stepOutputs, web }: WaitOptions): boolean {
  return quiet !== true || output === "json" || summary === true || stepOutputs === true || web === true;
}

async function createReporters(
  targets: readonly Target[],
  board: WaitBoard,
  options: WaitOptions,
  context: CliContext,
): Promise<Reporter> {
  const { output, summary = false, stepOutputs = false, web = false } = options;
  // Before the terminal is drawn: the page's server may fail to start.
  const page = web ? [await createPage(targets, board, context)] : [];
  // The JSON on stdout may be read by another program, which expects no commands of a CI system there.
  const commands = output === "json" ? "stderr" : "stdout";
  const printer = new ResultPrinter(targets, context, options);
  const warnings = createWarningReporter(targets, drawsFrames(options, context), context);
  const main = await createReporter(targets, board, printer, options, context);
  const table = summary ? [await createTable(board, printer, context, commands)] : [];
  const outputs = stepOutputs ? [createStepOutputsReporter(board, printer, context, commands)] : [];
  const cancels = createCancelReporter(targets, drawsFrames(options, context), context);
  return combined([board, main, warnings, cancels, ...page, ...table, ...outputs]);
}

// Few waits show a page or a table, and both take a while to load.

async function createPage(...parts: Parameters<typeof createWebReporter>): Promise<Reporter> {
  const { createWebReporter: create } = await import("../output/web-reporter.ts");
  return create(...parts);
}

async function createTable(...parts: Parameters<typeof createSummaryReporter>): Promise<Reporter> {
  const { createSummaryReporter: create } = await import("../output/step-summary.ts");
  return create(...parts);
}

async function createReporter(
  targets: readonly Target[],
  board: WaitBoard,
  printer: ResultPrinter,
  options: WaitOptions,
  context: CliContext,
): Promise<Reporter> {
  const { output, quiet = false } = options;
  if (drawsFrames(options, context)) {
    const { createTerminalReporter } = await import("../output/terminal-reporter.ts");
    return createTerminalReporter(board, printer, context);
  }
  if (output === "json") return createJsonReporter(targets, options, printer, context);
  if (quiet) return createQuietReporter(printer);
  if (context.ciLog) return createCiReporter(targets, board, printer, context, context.ciLog);
  return createLinesReporter(targets, printer, context);
}

function drawsFrames({ output, quiet = false }: WaitOptions, context: CliContext): boolean {
  return output !== "json" && !quiet && context.ciLog === undefined && canRedraw(context);
}

/** Some terminals, such as those of containers, have no size, so that the end of a line is unknown. */
function canRedraw({ stdout, env }: CliContext): boolean {
  return stdout.isTTY === true && stdout.columns !== 0 && stdout.rows !== 0 && env["TERM"] !== "dumb";
}
