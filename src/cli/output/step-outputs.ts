import type { CliContext } from "../input/context.ts";
import { publish } from "./ci-log.ts";
import type { Reporter } from "./reporter.ts";
import type { ResultPrinter } from "./result-printer.ts";
import { toJson } from "./text.ts";
import type { WaitBoard } from "./wait-board.ts";

/**
 * Returns the reporter for `--step-outputs`, which sets the outputs `status`, `result` and `resume-token` of the CI
 * system's step. An output without a value is not set. Its `close` must be called after the printer has finished.
 */
export function createStepOutputsReporter(
  board: WaitBoard,
  printer: ResultPrinter,
  context: CliContext,
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
      publish("--step-outputs", context, (ciLog) => {
        for (const [name, value] of Object.entries(outputs)) {
          if (value !== undefined && value !== "") ciLog.setOutput(name, value, output);
        }
      });
    },
  };
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
