import type { CliContext } from "./context.ts";
import { endingOf, exitCodeOf } from "./ending.ts";
import type { Ending } from "./ending.ts";
import { heaviest } from "./exit-codes.ts";
import { openHistory } from "./history.ts";
import type { HistoryOptions, WaitHistory } from "./history.ts";
import { EndingPrinter, createQuietReporter } from "./reporters/endings.ts";
import { createJsonReporter } from "./reporters/json.ts";
import { createLinesReporter } from "./reporters/lines.ts";
import type { Reporter } from "./reporters/reporter.ts";
import { resolveTargets } from "./targets.ts";
import type { Target, TargetOptions } from "./targets.ts";

/** What `lro wait` is told. Durations are milliseconds. */
export interface WaitOptions extends TargetOptions, HistoryOptions {
  readonly timeout?: number;
  readonly pollCost?: number;
  readonly output?: "text" | "json";
  readonly quiet?: boolean;
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
  const reporter = await createReporter(targets, options, context);
  const endings = await Promise.all(
    targets.map((target, place) => waitForOne(target, place, reporter, history, options, context)),
  );
  reporter.close();
  await history.close();
  return heaviest(endings.map(exitCodeOf));
}

async function createReporter(
  targets: readonly Target[],
  options: WaitOptions,
  context: CliContext,
): Promise<Reporter> {
  const { output, quiet = false } = options;
  const printer = new EndingPrinter(targets, context, options);
  if (output === "json") return createJsonReporter(targets, quiet, printer, context);
  if (quiet) return createQuietReporter(targets, printer, context);
  const canRedraw = context.stdout.isTTY === true && context.env["TERM"] !== "dumb";
  if (!canRedraw) return createLinesReporter(targets, printer, context);
  const { TerminalReporter } = await import("./reporters/terminal.ts");
  return new TerminalReporter(targets, printer, context);
}

async function waitForOne(
  target: Target,
  place: number,
  reporter: Reporter,
  history: WaitHistory,
  { timeout, pollCost }: WaitOptions,
  { interruption, pollOptions }: CliContext,
): Promise<Ending> {
  const waitOptions = await history.options({
    ...pollOptions,
    ...(timeout !== undefined && { timeoutInMs: timeout }),
    ...(pollCost !== undefined && { pollCostInMs: pollCost }),
    onProgress: (progress) => reporter.progress(place, progress),
    onFailedRead: (failedRead) => reporter.failedRead(place, failedRead),
  });
  const poller = target.createPoller(waitOptions);
  const ending = await poller.pollUntilDone({ abortSignal: interruption }).then(
    (result): Ending => ({ type: "succeeded", result }),
    (error: unknown): Ending =>
      interruption.aborted && error === interruption.reason
        ? { type: "interrupted", reason: error, resumeToken: JSON.stringify(poller) }
        : endingOf(error),
  );
  reporter.ended(place, ending);
  return ending;
}
