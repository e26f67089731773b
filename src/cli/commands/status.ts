import type { OperationStatus, PollOptions } from "../../index.ts";
import type { ResourceConditionOptions } from "../input/condition.ts";
import type { CliContext } from "../input/context.ts";
import { toError } from "../output/to-error.ts";
import { exitCodes, combinedExitCode } from "../output/exit-codes.ts";
import { exitCodeOfError } from "../output/wait-outcome.ts";
import { labelOf } from "../input/names.ts";
import { ResultPrinter } from "../output/result-printer.ts";
import { resolveTargets } from "../input/targets.ts";
import type { Target, TargetOptions } from "../input/targets.ts";
import { terminalStatesOf } from "../input/terminal-states.ts";
import type { TerminalStateOptions } from "../input/terminal-states.ts";
import { printable, singleLine, stateText, toJson } from "../output/text.ts";

/** The options of `lro status`. */
export interface StatusOptions
  extends Omit<TargetOptions, "from" | "resume" | keyof ResourceConditionOptions>, TerminalStateOptions {
  readonly output?: "text" | "json";
}

/**
 * Polls each operation once and prints its status.
 *
 * @returns the exit code: 0 for any status
 * @throws UsageError that names the argument
 */
export async function status(
  locations: readonly string[],
  options: StatusOptions,
  context: CliContext,
): Promise<number> {
  const targets = await resolveTargets(locations, options, context);
  const pollOptions = { ...context.pollOptions, ...terminalStatesOf(options), notFoundGraceInMs: 0 };
  const polls = await Promise.allSettled(
    targets.map((target) => pollOnce(target, pollOptions, context.interruption)),
  );
  const printer = new ResultPrinter(targets, context);
  return combinedExitCode(
    polls.map((poll, index) => {
      if (poll.status === "rejected") return printFailure(index, poll.reason, printer);
      const isJson = options.output === "json";
      const target = targets[index];
      context.stdout.write(
        isJson ? `${toJson(poll.value)}\n` : statusText(poll.value, target && labelOf(target)),
      );
      return exitCodes.succeeded;
    }),
  );
}

async function pollOnce(
  target: Target,
  options: PollOptions,
  abortSignal: AbortSignal,
): Promise<OperationStatus> {
  return (await target.createPoller(options).poll({ abortSignal })).operation;
}

function printFailure(index: number, reason: unknown, printer: ResultPrinter): number {
  const code = exitCodeOfError(reason);
  if (code === exitCodes.pollingFailed) printer.print(index, { type: "error", error: toError(reason) });
  return code;
}

function statusText(operation: OperationStatus, label: string = operation.name): string {
  const { percentComplete, startTime, endTime, resourceId, properties, error } = operation;
  const lines = [
    `${label} ${stateText(operation.status, percentComplete)}`,
    field("started", startTime?.toISOString()),
    field("ended", endTime?.toISOString()),
    field("resource", resourceId && singleLine(resourceId)),
    jsonField("result", properties),
    jsonField("error", error),
  ];
  return printable(lines.filter((line) => line !== undefined).join("\n")) + "\n";
}

function field(name: string, value: string | undefined): string | undefined {
  return value === undefined ? undefined : `  ${name.padEnd(9)}${value}`;
}

/** Puts JSON on lines of its own, so that it can be copied. */
function jsonField(name: string, value: unknown): string | undefined {
  return value === undefined ? undefined : `  ${name}\n${toJson(value, 2)}`;
}
