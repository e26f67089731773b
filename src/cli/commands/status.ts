import type { OperationStatus } from "../../index.ts";
import type { CliContext } from "../input/context.ts";
import { toError } from "../output/wait-result.ts";
import { exitCodeOfError, exitCodes, heaviest } from "../output/exit-codes.ts";
import { ResultPrinter } from "../output/result-printer.ts";
import { resolveTargets } from "../input/targets.ts";
import type { Target, TargetOptions } from "../input/targets.ts";
import { printable, singleLine, stateText, toJson } from "../output/text.ts";

/** What `lro status` is told. */
export interface StatusOptions extends Omit<TargetOptions, "from" | "resume"> {
  readonly output?: "text" | "json";
}

/**
 * Reads each operation's status once and prints it.
 *
 * @returns the exit code: 0 whatever the state
 * @throws UsageError that names the argument
 */
export async function status(
  locations: readonly string[],
  options: StatusOptions,
  context: CliContext,
): Promise<number> {
  const targets = await resolveTargets(locations, options, context);
  const reads = await Promise.allSettled(targets.map((target) => readOnce(target, context)));
  const printer = new ResultPrinter(targets, context);
  return heaviest(
    reads.map((read, place) => {
      if (read.status === "rejected") return printFailure(place, read.reason, printer);
      const isJson = options.output === "json";
      context.stdout.write(isJson ? `${toJson(read.value)}\n` : statusText(read.value, targets[place]?.name));
      return exitCodes.succeeded;
    }),
  );
}

async function readOnce(target: Target, { interruption, pollOptions }: CliContext): Promise<OperationStatus> {
  const poller = target.createPoller({ ...pollOptions, notFoundGraceInMs: 0 });
  return (await poller.poll({ abortSignal: interruption })).operation;
}

function printFailure(place: number, reason: unknown, printer: ResultPrinter): number {
  const code = exitCodeOfError(reason);
  if (code === exitCodes.pollingFailed) printer.print(place, { type: "error", error: toError(reason) });
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

/** On lines of its own, so that it can be copied. */
function jsonField(name: string, value: unknown): string | undefined {
  return value === undefined ? undefined : `  ${name}\n${toJson(value, 2)}`;
}
