import type { CliContext } from "../input/context.ts";
import { adviceOn, errorData } from "./wait-result.ts";
import type { WaitResult } from "./wait-result.ts";
import type { OperationName } from "../input/names.ts";
import { toJson } from "./text.ts";
import type { ResultPrinter } from "./result-printer.ts";
import type { Reporter } from "./reporter.ts";

/** One JSON object on each line; with `isQuiet` only those that end a wait. Times are milliseconds. */
export function createJsonReporter(
  names: readonly OperationName[],
  isQuiet: boolean,
  printer: ResultPrinter,
  { stdout, stderr }: CliContext,
): Reporter {
  const write = (event: string, place: number, data: object): void => {
    const { id, name } = names[place] ?? {};
    stdout.write(`${toJson({ event, operation: id, name, ...data })}\n`);
  };
  return {
    progress(place, { operation: _whole, ...progress }) {
      if (!isQuiet) write("progress", place, withWholeTimes(progress));
    },
    failedRead(place, { error, ...failedRead }) {
      if (isQuiet) return;
      write("failedRead", place, { ...withWholeTimes(failedRead), error: errorData(error) });
    },
    ended(place, ending) {
      if (ending.type === "succeeded") return write("result", place, { result: ending.result ?? null });
      write("error", place, { error: endingData(ending) });
      printer.note(place, ending);
      const advice = ending.type === "error" ? adviceOn(ending.error) : undefined;
      if (advice !== undefined) stderr.write(`${advice.trimStart()}\n`);
    },
    close: () => printer.finish(),
  };
}

/** Nobody needs the fractions that clocks give. */
function withWholeTimes(data: object): object {
  return Object.fromEntries(
    Object.entries(data).map(([name, value]) => [name, name.endsWith("InMs") ? rounded(value) : value]),
  );
}

function rounded(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(rounded);
  return typeof value === "number" ? Math.round(value) : value;
}

function endingData(ending: Exclude<WaitResult, { type: "succeeded" }>): object {
  const { resumeToken } = ending;
  if (ending.type === "error") return { ...errorData(ending.error), resumeToken };
  const message = ending.reason instanceof Error ? ending.reason.message : "Interrupted";
  return { name: "Interruption", code: "Interrupted", message, resumeToken };
}
