import type { OperationPart, OperationStatus } from "../../index.ts";
import type { CliContext } from "../input/context.ts";
import { exitCodes } from "./exit-codes.ts";
import type { OperationName } from "../input/names.ts";
import { PartChanges, partData, partsData } from "./part-changes.ts";
import type { Reporter } from "./reporter.ts";
import type { CarriedOptions } from "./resume-command.ts";
import type { ResultPrinter } from "./result-printer.ts";
import { toJson } from "./text.ts";
import { errorData, exitCodeOf, exitCodeOfAll, isFailedOrCanceled } from "./wait-outcome.ts";
import type { WaitOutcome } from "./wait-outcome.ts";

/**
 * Returns the reporter for `-o json`: one event on each line, and a summary at the end. With `quiet` there are no events
 * of progress, parts and failed polls. Times are milliseconds. docs/events.schema.json describes the events.
 */
export function createJsonReporter(
  names: readonly OperationName[],
  { quiet = false, any = false }: CarriedOptions,
  printer: ResultPrinter,
  { stdout, stderr }: CliContext,
): Reporter {
  const outcomes: WaitOutcome[] = [];
  const write = (event: string, index: number, data: object): void => {
    const { id, name } = names[index] ?? {};
    stdout.write(`${toJson({ event, operation: id, name, ...data })}\n`);
  };
  const lastParts = new Map<number, readonly OperationPart[]>();
  const changes = new Map<number, PartChanges>();
  const partsAtEnd = (index: number, outcome: WaitOutcome): object[] | undefined => {
    const failed = outcome.type === "error" && isFailedOrCanceled(outcome.error) ? outcome.error : undefined;
    const parts = failed?.operation?.parts ?? lastParts.get(index);
    return parts && partsData(parts);
  };
  return {
    progress(index, { operation, ...progress }) {
      if (operation.parts) lastParts.set(index, operation.parts);
      if (quiet) return;
      write("progress", index, { ...withWholeTimes(progress), ...partFigures(operation) });
      const known = changes.get(index) ?? new PartChanges();
      changes.set(index, known);
      for (const { part, path } of known.since(operation))
        write("part", index, {
          ...withWholeTimes({ elapsedInMs: progress.elapsedInMs }),
          path,
          part: partData(part),
        });
    },
    failedPoll(index, { error, ...failedPoll }) {
      if (quiet) return;
      write("failedPoll", index, { ...withWholeTimes(failedPoll), error: errorData(error) });
    },
    ended(index, outcome) {
      outcomes.push(outcome);
      const parts = partsAtEnd(index, outcome);
      if (outcome.type === "succeeded")
        return write("result", index, { result: outcome.result ?? null, parts });
      write("error", index, { error: outcomeData(outcome), parts });
      printer.noteToken(index, outcome);
      if (outcome.type !== "error") return;
      const advice = printer.newAdviceOn(outcome.error, names[index]);
      if (advice !== undefined) stderr.write(`${advice.trimStart()}\n`);
    },
    cancelEnded(index, outcome) {
      const { error } = outcome;
      write("cancel", index, { ...outcome, error: error && errorData(error) });
    },
    close() {
      stdout.write(`${toJson({ event: "summary", ...summaryOf(outcomes, any) })}\n`);
      printer.finish();
    },
  };
}

/** Counts the operations by their end. That of a wait which ended before its operation is unknown. */
function summaryOf(outcomes: readonly WaitOutcome[], any: boolean): object {
  const codes = outcomes.map(exitCodeOf);
  const count = (code: number): number => codes.filter((one) => one === code).length;
  const total = outcomes.length;
  const succeeded = outcomes.filter(({ type }) => type === "succeeded").length;
  const [failed, canceled] = [count(exitCodes.failed), count(exitCodes.canceled)];
  const unknown = total - succeeded - failed - canceled;
  return { total, succeeded, failed, canceled, unknown, exitCode: exitCodeOfAll(outcomes, any) };
}

/** The figures of a deployment. Its whole tree comes once, at the end. */
function partFigures({
  partsDone,
  partsSeen,
  partsTotal,
  totalIsKnown,
  percentageKind,
}: OperationStatus): object {
  return { percentageKind, partsDone, partsSeen, partsTotal, totalIsKnown };
}

/** Rounds the durations: clocks give fractions. */
function withWholeTimes(data: object): object {
  return Object.fromEntries(
    Object.entries(data).map(([name, value]) => [name, name.endsWith("InMs") ? rounded(value) : value]),
  );
}

function rounded(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(rounded);
  return typeof value === "number" ? Math.round(value) : value;
}

function outcomeData(outcome: Exclude<WaitOutcome, { type: "succeeded" }>): object {
  const { resumeToken } = outcome;
  if (outcome.type === "error") return { ...errorData(outcome.error), resumeToken };
  const message = outcome.reason instanceof Error ? outcome.reason.message : "Interrupted";
  return { name: "Interruption", code: "Interrupted", message, resumeToken };
}
