import { PollingTimeoutError, systemClock } from "../../index.ts";
import type { Clock, FailedPoll, OperationStatus, Progress, RequestError } from "../../index.ts";
import type { CliContext } from "../input/context.ts";
import { partsOf } from "./parts.ts";
import type { PartsView } from "./parts.ts";
import { causeCodeOf, isFailedOrCanceled } from "./wait-outcome.ts";
import type { WaitOutcome } from "./wait-outcome.ts";
import { labelOf } from "../input/names.ts";
import type { OperationName } from "../input/names.ts";
import { singleLine } from "./text.ts";
import type { Reporter } from "./reporter.ts";
import type { WaitView } from "./wait-view.ts";

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
      isNamed: name.name !== undefined || name.isDeployment === true,
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
    const { percentComplete, elapsedInMs, estimatedRemainingInMs, nextPollInMs, operation, isOverdue } =
      progress;
    const status = singleLine(progress.status);
    const isEstimate = isEstimated(operation);
    const times = { elapsedInMs, estimatedRemainingInMs, nextPollInMs };
    const parts = this.#partsOf(index, operation);
    this.#update(index, {
      status,
      percentComplete,
      isOverdue,
      isEstimate,
      parts,
      ...times,
      failure: undefined,
    });
  }

  failedPoll(index: number, { error, elapsedInMs, nextPollInMs }: FailedPoll): void {
    this.#update(index, { elapsedInMs, nextPollInMs, failure: shortReason(error) });
  }

  ended(index: number, outcome: WaitOutcome): void {
    const { elapsedInMs = 0, updatedAt = this.now } = this.#waits[index] ?? {};
    const isTerminal =
      outcome.type === "succeeded" || (outcome.type === "error" && isFailedOrCanceled(outcome.error));
    const untilNowInMs = isTerminal ? 0 : this.now - updatedAt;
    const operation = outcome.type === "error" ? operationOf(outcome.error) : undefined;
    const parts = this.#partsOf(index, operation);
    this.#update(index, { elapsedInMs: elapsedInMs + untilNowInMs, parts, end: { note: noteOf(outcome) } });
  }

  close(): void {}

  /** A status without parts leaves those of the one before. */
  #partsOf(index: number, operation: OperationStatus | undefined): PartsView | undefined {
    const moment = { now: this.now, timestamp: this.#clock.timestamp() };
    return (operation && partsOf(operation, moment)) ?? this.#waits[index]?.parts;
  }

  #update(index: number, change: Partial<WaitView>): void {
    const wait = this.#waits[index];
    if (wait) this.#waits[index] = { ...wait, ...change, updatedAt: this.now };
  }
}

/** Returns whether a percentage is no figure of the service: an estimate, or a share of parts that may be more. */
export function isEstimated({ percentageKind, totalIsKnown = false }: OperationStatus): boolean {
  return percentageKind === "timeWeighted" || (percentageKind === "shareOfParts" && !totalIsKnown);
}

function operationOf(error: Error): OperationStatus | undefined {
  return isFailedOrCanceled(error) ? error.operation : undefined;
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
