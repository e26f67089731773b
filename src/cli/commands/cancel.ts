import type { CliContext } from "../input/context.ts";
import { UsageError } from "../input/context.ts";
import { labelOf } from "../input/names.ts";
import type { ResourceConditionOptions } from "../input/condition.ts";
import { resolveTargets } from "../input/targets.ts";
import type { Target, TargetOptions } from "../input/targets.ts";
import { terminalStatesOf } from "../input/terminal-states.ts";
import type { TerminalStateOptions } from "../input/terminal-states.ts";
import { cancelText } from "../output/cancel-reporter.ts";
import { combinedExitCode, exitCodes } from "../output/exit-codes.ts";
import type { CancelOutcome } from "../output/reporter.ts";
import { toJson } from "../output/text.ts";
import { writeError } from "../output/error-line.ts";
import { errorData, exitCodeOfError } from "../output/wait-outcome.ts";
import { toError } from "../output/to-error.ts";

/** The options of `lro cancel`. */
export interface CancelOptions
  extends Omit<TargetOptions, "from" | keyof ResourceConditionOptions>, TerminalStateOptions {
  readonly output?: "text" | "json";
  readonly timeout?: number;
}

/**
 * Asks the services to cancel operations, and prints the outcomes.
 *
 * @returns the exit code: 0 if every operation was canceled
 * @throws UsageError that names the argument, also if no request is known that cancels one of them; then none is sent
 */
export async function cancel(
  locations: readonly string[],
  options: CancelOptions,
  context: CliContext,
): Promise<number> {
  const targets = await resolveTargets(locations, options, context);
  const other = targets.find(({ canCancel }) => !canCancel);
  if (other) {
    throw new UsageError(
      `operation-location: expected operations for which a request to cancel is known, got ${labelOf(other)}; nothing was sent`,
    );
  }
  return combinedExitCode(await Promise.all(targets.map((target) => cancelOne(target, options, context))));
}

async function cancelOne(
  target: Target,
  options: CancelOptions,
  { interruption, pollOptions, stdout, ...rest }: CliContext,
): Promise<number> {
  const { timeout: timeoutInMs = Infinity } = options;
  const poller = target.createPoller({ ...pollOptions, ...terminalStatesOf(options), timeoutInMs });
  const print = (outcome: CancelOutcome): void => {
    const { error } = outcome;
    const { id: operation, name } = target;
    const data = { operation, name, ...outcome, error: error && errorData(error) };
    stdout.write(options.output === "json" ? `${toJson(data)}\n` : `${cancelText(target, outcome)}\n`);
  };
  try {
    const result = await poller.cancelOperation({ abortSignal: interruption });
    print(result);
    return codes[result.outcome];
  } catch (thrown) {
    if (interruption.aborted) writeError({ ...rest, interruption, stdout }, toError(thrown).message);
    else print({ outcome: "failed", error: toError(thrown) });
    return exitCodeOfError(thrown);
  }
}

const codes = {
  canceled: exitCodes.succeeded,
  tooLate: exitCodes.failed,
  refused: exitCodes.pollingFailed,
} as const;
