import { PollingTimeoutError, systemClock } from "../../index.ts";
import type { Clock, FailedPoll, Progress, RequestError } from "../../index.ts";
import type { CliContext } from "../input/context.ts";
import { isOfOperation } from "./wait-result.ts";
import type { WaitResult } from "./wait-result.ts";
import { labelOf } from "../input/names.ts";
import type { OperationName } from "../input/names.ts";
import { singleLine } from "./text.ts";
import type { WaitView } from "./view.ts";

/** Where each wait stands, for those who show all of them. */
export class WaitBoard {
  readonly #clock: Clock;
  readonly #waits: WaitView[];

  constructor(names: readonly OperationName[], { pollOptions }: CliContext) {
    this.#clock = pollOptions?.clock ?? systemClock;
    const heardAt = this.#clock.now();
    this.#waits = names.map((name) => ({ label: labelOf(name), heardAt, elapsedInMs: 0 }));
  }

  /** In the order of the command line. */
  get waits(): readonly WaitView[] {
    return this.#waits;
  }

  /** What `heardAt` of the waits is measured by. */
  get now(): number {
    return this.#clock.now();
  }

  progress(place: number, progress: Progress): void {
    this.#change(place, (wait, now) => afterProgress(wait, progress, now));
  }

  failedRead(place: number, failedRead: FailedPoll): void {
    this.#change(place, (wait, now) => afterFailedRead(wait, failedRead, now));
  }

  ended(place: number, ending: WaitResult): void {
    this.#change(place, (wait, now) => afterEnding(wait, ending, now));
  }

  #change(place: number, changeOf: (wait: WaitView, now: number) => WaitView): void {
    const wait = this.#waits[place];
    if (wait) this.#waits[place] = changeOf(wait, this.now);
  }
}

function afterProgress({ label }: WaitView, progress: Progress, heardAt: number): WaitView {
  const { percentComplete, elapsedInMs, estimatedRemainingInMs, nextPollInMs } = progress;
  const status = singleLine(progress.status);
  return { label, status, percentComplete, heardAt, elapsedInMs, estimatedRemainingInMs, nextPollInMs };
}

function afterFailedRead(
  wait: WaitView,
  { error, elapsedInMs, nextPollInMs }: FailedPoll,
  heardAt: number,
): WaitView {
  return { ...wait, heardAt, elapsedInMs, nextPollInMs, failure: shortReason(error) };
}

/** `HTTP 503`, `ECONNREFUSED` */
function shortReason({ statusCode, code, message }: RequestError): string {
  if (code === "ContractError") return "broken answer";
  if (statusCode !== undefined) return `HTTP ${statusCode}`;
  return singleLine(code === "RequestFailed" ? message : code);
}

function afterEnding(wait: WaitView, ending: WaitResult, now: number): WaitView {
  const isOver = ending.type === "succeeded" || (ending.type === "error" && isOfOperation(ending.error));
  const elapsedInMs = isOver ? wait.elapsedInMs : wait.elapsedInMs + now - wait.heardAt;
  return { ...wait, elapsedInMs, heardAt: now, end: { note: noteOf(ending) } };
}

function noteOf(ending: WaitResult): string | undefined {
  if (ending.type === "succeeded") return undefined;
  if (ending.type === "interrupted") return "stopped waiting";
  if (isOfOperation(ending.error)) return singleLine(ending.error.code);
  return ending.error instanceof PollingTimeoutError ? "timed out" : "gave up";
}
