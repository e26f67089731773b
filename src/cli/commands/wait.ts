import type { CliContext } from "../input/context.ts";
import { exitCodeOf } from "../output/wait-result.ts";
import { heaviest } from "../output/exit-codes.ts";
import { openHistory } from "./history.ts";
import type { HistoryOptions } from "./history.ts";
import { createCiReporter } from "../output/ci-reporter.ts";
import { ResultPrinter, createQuietReporter } from "../output/result-printer.ts";
import { createJsonReporter } from "../output/json-reporter.ts";
import { createLinesReporter } from "../output/lines-reporter.ts";
import { combined } from "../output/reporter.ts";
import type { Reporter } from "../output/reporter.ts";
import { createSummaryReporter } from "../output/step-summary.ts";
import { resolveTargets } from "../input/targets.ts";
import type { Target, TargetOptions } from "../input/targets.ts";
import { createWebReporter } from "../output/web-reporter.ts";
import { waitForAll } from "./waits.ts";
import type { WaitSetting } from "./waits.ts";

/** What `lro wait` is told. Durations are milliseconds. */
export interface WaitOptions extends TargetOptions, HistoryOptions {
  readonly timeout?: number;
  readonly pollCost?: number;
  readonly output?: "text" | "json";
  readonly quiet?: boolean;
  readonly summary?: boolean;
  readonly web?: boolean;
}

/**
 * Waits for all the operations and says how it went.
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
  const history = openHistory(options, context);
  const reporter = await createReporters(targets, options, context);
  const { interruption } = context;
  const pollOptions = pollOptionsOf(options, context);
  const endings = await waitForAll(targets, { reporter, history, interruption, pollOptions });
  reporter.close();
  await history.close();
  return heaviest(endings.map(exitCodeOf));
}

async function createReporters(
  targets: readonly Target[],
  options: WaitOptions,
  context: CliContext,
): Promise<Reporter> {
  const { summary = false, web = false } = options;
  const besides = [
    ...(web ? [await createWebReporter(targets, context)] : []),
    ...(summary ? [createSummaryReporter(targets, context)] : []),
  ];
  return combined([await createReporter(targets, options, context), ...besides]);
}

async function createReporter(
  targets: readonly Target[],
  options: WaitOptions,
  context: CliContext,
): Promise<Reporter> {
  const { output, quiet = false } = options;
  const printer = new ResultPrinter(targets, context, options);
  if (output === "json") return createJsonReporter(targets, quiet, printer, context);
  if (quiet) return createQuietReporter(targets, printer, context);
  if (context.ciLog) return createCiReporter(targets, printer, context, context.ciLog);
  if (!canRedraw(context)) return createLinesReporter(targets, printer, context);
  const { TerminalReporter } = await import("../output/terminal-reporter.ts");
  return new TerminalReporter(targets, printer, context);
}

/** Some terminals, such as those of containers, have no size: there nobody knows where a line ends. */
function canRedraw({ stdout, env }: CliContext): boolean {
  return stdout.isTTY === true && stdout.columns !== 0 && stdout.rows !== 0 && env["TERM"] !== "dumb";
}

function pollOptionsOf(
  { timeout, pollCost }: WaitOptions,
  { pollOptions }: CliContext,
): WaitSetting["pollOptions"] {
  return {
    ...pollOptions,
    ...(timeout !== undefined && { timeoutInMs: timeout }),
    ...(pollCost !== undefined && { pollCostInMs: pollCost }),
  };
}
