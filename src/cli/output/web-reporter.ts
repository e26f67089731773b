import type { CliContext } from "../input/context.ts";
import { explainError } from "./wait-outcome.ts";
import type { OperationName } from "../input/names.ts";
import { partCountText, partStatesText, pathOf, timeOf } from "./parts.ts";
import type { PartView, PartsView } from "./parts.ts";
import type { Reporter } from "./reporter.ts";
import { singleLine } from "./text.ts";
import { elapsedOf, percentOf, remainingOf, stateOf } from "./wait-view.ts";
import type { WaitView } from "./wait-view.ts";
import type { WaitBoard } from "./wait-board.ts";
import { startPageServer } from "./page-server.ts";
import { Viewer, eventText } from "./viewer.ts";

/**
 * Returns the reporter for `--web`: a live page on this machine, whose address goes to stderr.
 *
 * @throws UsageError if its server cannot listen
 */
export async function createWebReporter(
  names: readonly OperationName[],
  board: WaitBoard,
  { stderr }: CliContext,
): Promise<Reporter> {
  /** The statuses of each wait so far. */
  const states: readonly { status: string; atInMs: number }[][] = names.map(() => []);
  const errors = new Map<number, string>();
  const viewers = new Set<Viewer>();
  const eventOf = (index: number): string => {
    const wait = board.waits[index];
    if (wait === undefined) return "";
    const data = { index, ...dataOf(wait, board.now), states: states[index], error: errors.get(index) };
    return eventText("wait", data);
  };
  const update = (index: number): void => viewers.forEach((viewer) => viewer.update(index));
  const server = await startPageServer((response) => {
    const viewer = new Viewer(response, states.keys(), eventOf);
    viewers.add(viewer);
    response.on("close", () => viewers.delete(viewer));
  });
  stderr.write(`Live page: ${server.url}\n`);
  return {
    progress(index, progress) {
      const seen = states[index];
      const status = singleLine(progress.status);
      if (seen?.at(-1)?.status !== status) seen?.push({ status, atInMs: progress.elapsedInMs });
      update(index);
    },
    failedPoll: update,
    ended(index, outcome) {
      if (outcome.type === "error") errors.set(index, explainError(outcome.error, names[index]));
      update(index);
    },
    close() {
      viewers.forEach((viewer) => viewer.end());
      server.close();
    },
  };
}

/** Returns the data of a wait for the page, with durations as of now. */
function dataOf(wait: WaitView, now: number): object {
  const { label, status, updatedAt, nextPollInMs, failure, end, parts } = wait;
  return {
    label,
    state: stateOf(wait),
    look: lookOf(wait),
    isOverdue: !end && wait.isOverdue === true,
    isOver: end !== undefined,
    percent: percentOf(wait),
    isEstimate: wait.isEstimate === true && status !== "Succeeded" ? true : undefined,
    elapsedInMs: elapsedOf(wait, now),
    remainingInMs: remainingOf(wait, now),
    nextPollInMs: nextPollInMs === undefined ? undefined : nextPollInMs - (now - updatedAt),
    failure: end ? undefined : failure,
    parts: parts && partsData(parts, end ? updatedAt : now),
  };
}

/** Returns the parts for the page, with durations as of now. Those of running parts go on there. */
function partsData(view: PartsView, now: number): object {
  const { oldest } = view;
  return {
    texts: [partCountText(view), ...partStatesText(view)],
    oldest: oldest && { path: pathOf(oldest), timeInMs: timeOf(oldest.part, now) },
    list: view.parts.map((part) => partData(part, now)),
  };
}

function partData(part: PartView, now: number): object {
  const { name, type, state, look, note, isGroup, done, seen, parts } = part;
  const timeInMs = timeOf(part, now);
  return {
    name,
    type,
    state,
    look,
    timeInMs,
    isTicking: look === "running" && timeInMs !== undefined ? true : undefined,
    note,
    count: isGroup && seen > 0 ? `${done} of ${seen} parts` : undefined,
    parts: parts.length === 0 ? undefined : parts.map((one) => partData(one, now)),
  };
}

function lookOf({ status, end }: WaitView): "running" | "succeeded" | "failed" | "stopped" {
  if (status === "Succeeded") return "succeeded";
  if (status === "Failed") return "failed";
  return end || status === "Canceled" ? "stopped" : "running";
}
