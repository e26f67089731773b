import type { CiLog, CliContext } from "../input/context.ts";
import type { Reporter } from "./reporter.ts";
import type { ResultPrinter } from "./result-printer.ts";
import { singleLine, toJson } from "./text.ts";
import type { WaitBoard } from "./wait-board.ts";
import { toError } from "./wait-outcome.ts";

/**
 * Returns the reporter for `--step-outputs`, which sets the outputs `status`, `result` and `resume-token` of the CI
 * system's step. An output without a value is not set. Its `close` must be called after the printer has finished.
 */
export function createStepOutputsReporter(
  board: WaitBoard,
  printer: ResultPrinter,
  { ciLog, stderr }: CliContext,
  output: "stdout" | "stderr",
): Reporter {
  const results = new Map<number, unknown>();
  return {
    progress() {},
    failedPoll() {},
    ended(index, outcome) {
      if (outcome.type === "succeeded") results.set(index, outcome.result ?? null);
    },
    close() {
      const outputs = {
        status: statusOf(board),
        result: resultOf(board, results),
        "resume-token": printer.resumeTokens.join("\n"),
      };
      try {
        setOutputs(outputs, ciLog, output);
      } catch (error) {
        stderr.write(`warning: --step-outputs: ${singleLine(toError(error).message)}\n`);
      }
    },
  };
}

function setOutputs(
  outputs: Readonly<Record<string, string | undefined>>,
  ciLog: CiLog | undefined,
  output: "stdout" | "stderr",
): void {
  if (ciLog === undefined) throw new Error("this is neither GitHub Actions nor Azure Pipelines");
  for (const [name, value] of Object.entries(outputs)) {
    if (value !== undefined && value !== "") ciLog.setOutput(name, value, output);
  }
}

/** Returns the status of the operation, or a JSON object with that of each operation. */
function statusOf({ waits }: WaitBoard): string | undefined {
  const [first] = waits;
  if (waits.length === 1) return first?.status;
  return toJson(Object.fromEntries(waits.map(({ label, status }) => [label, status])));
}

/** Returns the result as JSON, or a JSON object with the result of each operation that succeeded. */
function resultOf({ waits }: WaitBoard, results: ReadonlyMap<number, unknown>): string | undefined {
  if (results.size === 0) return undefined;
  if (waits.length === 1) return toJson(results.get(0));
  const labeled = waits.flatMap(({ label }, index) =>
    results.has(index) ? [[label, results.get(index)] as const] : [],
  );
  return toJson(Object.fromEntries(labeled));
}
