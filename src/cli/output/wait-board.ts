import { PollingTimeoutError, systemClock } from "../../index.ts";
import type { Clock, FailedPoll, Progress, RequestError } from "../../index.ts";
import type { CliContext } from "../input/context.ts";
import { causeCodeOf, isFailedOrCanceled } from "./wait-outcome.ts";
import type { WaitOutcome } from "./wait-outcome.ts";
import { labelOf } from "../input/names.ts";
import type { OperationName } from "../input/names.ts";
import { singleLine } from "./text.ts";
import type { Reporter } from "./reporter.ts";
import type { WaitView } from "./view.ts";

/** The current state of all waits, for the reporters that show all of them. It must get each event before they do. */
export class WaitBoard implements Reporter {
  readonly #clock: Clock;
  readonly #waits: WaitView[];
  /** The question to the person at the terminal. */
  question: string | undefined;

  constructor(names: readonly OperationName[], { pollOptions }: CliContext) {
    this.#clock = pollOptions?.clock ?? systemClock;
    const updatedAt = this.#clock.now();
    this.#waits = names.map((name) => ({
      label: labelOf(name),
      isNamed: name.name !== undefined,
      updatedAt,
      elapsedInMs: 0,
    }));
  }

  /** In the order of the command line. */
  get waits(): readonly WaitView[] {
    return this.#waits;
  }

  /** The time by the clock of the waits' `updatedAt`. */
  get now(): number {
    return this.#clock.now();
  }

  progress(index: number, progress: Progress): void {
    const { percentComplete, elapsedInMs, estimatedRemainingInMs, nextPollInMs } = progress;
    const status = singleLine(progress.status);
    const times = { elapsedInMs, estimatedRemainingInMs, nextPollInMs };
    this.#update(index, { status, percentComplete, ...times, failure: undefined });
  }

  failedPoll(index: number, { error, elapsedInMs, nextPollInMs }: FailedPoll): void {
    this.#update(index, { elapsedInMs, nextPollInMs, failure: shortReason(error) });
  }

  ended(index: number, outcome: WaitOutcome): void {
    const { elapsedInMs = 0, updatedAt = this.now } = this.#waits[index] ?? {};
    const isTerminal =
      outcome.type === "succeeded" || (outcome.type === "error" && isFailedOrCanceled(outcome.error));
    const untilNowInMs = isTerminal ? 0 : this.now - updatedAt;
    this.#update(index, { elapsedInMs: elapsedInMs + untilNowInMs, end: { note: noteOf(outcome) } });
  }

  close(): void {}

  #update(index: number, change: Partial<WaitView>): void {
    const wait = this.#waits[index];
    if (wait) this.#waits[index] = { ...wait, ...change, updatedAt: this.now };
  }
}

/** `HTTP 503`, `ECONNREFUSED` */
function shortReason({ statusCode, code, message }: RequestError): string {
  if (code === "ContractError") return "unusable response";
  if (statusCode !== undefined) return `HTTP ${statusCode}`;
  return singleLine(code === "RequestFailed" ? message : code);
}

function noteOf(outcome: WaitOutcome): string | undefined {
  if (outcome.type === "succeeded") return undefined;
  if (outcome.type === "interrupted") return "stopped waiting";
  if (isFailedOrCanceled(outcome.error)) return singleLine(causeCodeOf(outcome.error));
  if (!(outcome.error instanceof PollingTimeoutError)) return "polling failed";
  return outcome.error.code === "Stalled" ? "stalled" : "timed out";
}
