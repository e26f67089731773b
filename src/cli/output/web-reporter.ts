import type { Progress } from "../../index.ts";
import type { CliContext } from "../input/context.ts";
import { explainError } from "./wait-result.ts";
import type { WaitResult } from "./wait-result.ts";
import type { OperationName } from "../input/names.ts";
import { stateOf } from "./overview.ts";
import type { Reporter } from "./reporter.ts";
import { singleLine } from "./text.ts";
import { elapsedOf, percentOf, remainingOf } from "./view.ts";
import type { WaitView } from "./view.ts";
import { WaitBoard } from "./wait-board.ts";
import { startPageServer } from "./page-server.ts";
import type { PageServer } from "./page-server.ts";
import { Viewer, eventText } from "./viewer.ts";

/**
 * For `--web`: shows all operations on a page of this machine, whose address goes to stderr.
 *
 * @throws UsageError when this machine does not let it listen
 */
export async function createWebReporter(
  names: readonly OperationName[],
  context: CliContext,
): Promise<Reporter> {
  const reporter = new WebReporter(names, context);
  await reporter.open();
  return reporter;
}

/** A state, and when it was seen first. */
interface SeenState {
  readonly status: string;
  readonly atInMs: number;
}

class WebReporter implements Reporter {
  readonly #board: WaitBoard;
  readonly #stderr: CliContext["stderr"];
  readonly #names: readonly OperationName[];
  readonly #states: readonly SeenState[][];
  readonly #errors = new Map<number, string>();
  readonly #viewers = new Set<Viewer>();
  #server: PageServer | undefined;

  constructor(names: readonly OperationName[], context: CliContext) {
    this.#board = new WaitBoard(names, context);
    this.#stderr = context.stderr;
    this.#names = names;
    this.#states = names.map(() => []);
  }

  async open(): Promise<void> {
    this.#server = await startPageServer((response) => {
      const viewer = new Viewer(response, this.#states.keys(), (place) => this.#eventOf(place));
      this.#viewers.add(viewer);
      response.on("close", () => this.#viewers.delete(viewer));
    });
    this.#stderr.write(`Live page: ${this.#server.url}\n`);
  }

  progress(place: number, progress: Progress): void {
    this.#board.progress(place, progress);
    const states = this.#states[place];
    const status = singleLine(progress.status);
    if (states?.at(-1)?.status !== status) states?.push({ status, atInMs: progress.elapsedInMs });
    this.#tell(place);
  }

  failedRead(...[place, failedRead]: Parameters<Reporter["failedRead"]>): void {
    this.#board.failedRead(place, failedRead);
    this.#tell(place);
  }

  ended(place: number, ending: WaitResult): void {
    this.#board.ended(place, ending);
    if (ending.type === "error") this.#errors.set(place, explainError(ending.error, this.#names[place]));
    this.#tell(place);
  }

  close(): void {
    for (const viewer of this.#viewers) viewer.end();
    this.#server?.close();
  }

  #tell(place: number): void {
    for (const viewer of this.#viewers) viewer.tell(place);
  }

  #eventOf(place: number): string {
    const { waits, now } = this.#board;
    const wait = waits[place];
    if (wait === undefined) return "";
    const states = this.#states[place];
    return eventText("wait", { place, ...shownOf(wait, now), states, error: this.#errors.get(place) });
  }
}

/** What the page has to know of a wait, with times as of now. */
function shownOf(wait: WaitView, now: number): object {
  const { label, heardAt, nextPollInMs, failure, end } = wait;
  return {
    label,
    state: stateOf(wait),
    look: lookOf(wait),
    isOver: end !== undefined,
    percent: percentOf(wait),
    elapsedInMs: elapsedOf(wait, now),
    remainingInMs: remainingOf(wait, now),
    nextPollInMs: nextPollInMs === undefined ? undefined : nextPollInMs - (now - heardAt),
    failure: end ? undefined : failure,
  };
}

function lookOf({ status, end }: WaitView): "running" | "succeeded" | "failed" | "stopped" {
  if (status === "Succeeded") return "succeeded";
  if (status === "Failed") return "failed";
  return end || status === "Canceled" ? "stopped" : "running";
}
