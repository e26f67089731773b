import { isTerminal, systemClock } from "../../index.ts";
import type { Clock, Progress } from "../../index.ts";
import type { CliContext } from "../input/context.ts";
import { clockText, secondsText } from "../input/duration.ts";
import { labelOf } from "../input/names.ts";
import type { OperationName } from "../input/names.ts";
import type { Reporter } from "./reporter.ts";
import type { ResultPrinter } from "./result-printer.ts";
import { PartLines } from "./part-lines.ts";
import { ageText, partCountText, partsOf } from "./parts.ts";
import { singleLine, stateText } from "./text.ts";
import { isEstimated } from "./wait-board.ts";

const heartbeatInMs = 60_000;

/**
 * Returns the reporter for logs and `grep`: a line for each change, and one a minute without a change, so that a reader
 * sees that the wait does not hang. Failed polls go to stderr.
 */
export function createLinesReporter(
  names: readonly OperationName[],
  printer: ResultPrinter,
  { stdout, stderr, pollOptions }: CliContext,
): Reporter {
  const clock = pollOptions?.clock ?? systemClock;
  const labels = names.map(labelOf);
  const headOf = (index: number, elapsedInMs: number): string =>
    `${clockText(elapsedInMs)} ${labels[index] ?? ""}`;
  const lastLineAt = new Map<number, number>();
  const partLines = new Map<number, PartLines>();
  return {
    progress(index, progress) {
      const { status, operation, elapsedInMs } = progress;
      const head = headOf(index, elapsedInMs);
      const lines = partLines.get(index) ?? new PartLines();
      partLines.set(index, lines);
      const news = lines.linesFor(operation, elapsedInMs).map((line) => `${head} ${line}\n`);
      const sinceLastLineInMs = elapsedInMs - (lastLineAt.get(index) ?? -Infinity);
      const isDue = !isTerminal(status) && sinceLastLineInMs >= heartbeatInMs;
      const changed = hasNews(progress);
      if (!changed && !isDue && news.length === 0) return;
      lastLineAt.set(index, elapsedInMs);
      const state = figuresText(progress, clock);
      const stateLine = changed || isDue ? `${head} ${changed ? state : `still ${state}`}\n` : "";
      stdout.write(news.join("") + stateLine);
    },
    failedPoll(index, { error, elapsedInMs, nextPollInMs }) {
      // The last failed poll is the error that the wait ends with.
      if (nextPollInMs === undefined) return;
      const next = `retrying in ${secondsText(nextPollInMs)}`;
      stderr.write(`${headOf(index, elapsedInMs)} poll failed, ${next}: ${singleLine(error.message)}\n`);
    },
    ended: (index, outcome) => printer.print(index, outcome),
    close: () => printer.finish(),
  };
}

/** The percentage of a deployment changes with each of its parts, which have lines of their own. */
function hasNews({ changed, status, previousStatus, operation }: Progress): boolean {
  return operation.parts === undefined ? changed : changed && status !== previousStatus;
}

/** `Running ~45 %, 12 of at least 20 parts, oldest: network/gateway 12:04` */
function figuresText(progress: Progress, clock: Clock): string {
  const { status, operation } = progress;
  // A share of the parts that were seen is no figure of a deployment that has succeeded.
  const isOwn = status !== "Succeeded" || (operation.percentageKind ?? "reported") === "reported";
  const percent = isOwn ? progress.percentComplete : undefined;
  const overdue = progress.isOverdue ? ", overdue" : "";
  return stateText(status, percent, isEstimated(operation)) + overdue + partsText(progress, clock);
}

/** `, 12 of at least 20 parts, oldest: network/gateway 12:04` */
function partsText({ operation }: Progress, clock: Clock): string {
  const now = clock.now();
  const view = partsOf(operation, { now, timestamp: clock.timestamp() });
  if (view === undefined || view.total === 0) return "";
  const isOver = isTerminal(operation.status);
  // The last lists come after the status.
  if (isOver && view.done < view.total) return "";
  const oldest = isOver || view.oldest === undefined ? "" : `, oldest: ${ageText(view.oldest, now)}`;
  return `, ${partCountText(view)}${oldest}`;
}
