import type { OperationError, OperationState } from "../index.ts";
import { checkNumber, checkObject, checkString, fail } from "./validation.ts";

/** A percentage that changes evenly from a phase's start (or first poll) to its end (or last poll). */
export interface PercentRamp {
  /** The first percentage, 0 to 100. */
  readonly from: number;
  /** The last percentage, 0 to 100. */
  readonly to: number;
  /** The size of each step. Default: none, the percentage changes continuously. */
  readonly step?: number;
}

/** One phase of an operation. Without `durationInMs` and `polls` it does not end. */
export interface Phase {
  /** The state in the phase. */
  readonly status: OperationState;
  /** The length of the phase, in milliseconds. */
  readonly durationInMs?: number;
  /** How many responses show the phase. Replaces a duration, so that a test needs no time. */
  readonly polls?: number;
  /** The percentage, 0 to 100. Default: none, like DevCenter. */
  readonly percentComplete?: number | PercentRamp;
  /** The result of an operation that succeeded. */
  readonly properties?: unknown;
  /** The field that some operations have in place of `properties`. */
  readonly result?: unknown;
  /** The service's error of an operation that failed. */
  readonly error?: OperationError;
}

/** The phases of an operation, in order. */
export type Timeline = readonly Phase[];

/** The age of an operation, in time and in polls. */
export interface Age {
  readonly elapsedInMs: number;
  /** Responses that have shown its state. */
  readonly polls: number;
}

/** The current phase of an operation. */
export interface Position {
  readonly phaseIndex: number;
  /** The age at which it entered the phase. */
  readonly enteredAt: Age;
}

/** The position of an operation that starts. */
export const startPosition: Position = { phaseIndex: 0, enteredAt: { elapsedInMs: 0, polls: 0 } };

/** The timeline of an operation without a plan. */
export const defaultTimeline: Timeline = [
  { status: "NotStarted", durationInMs: 1000 },
  { status: "Running", durationInMs: 8000 },
  { status: "Succeeded" },
];

/** Returns the position at this age. `position` is the one at an earlier age. */
export function positionAt(timeline: Timeline, position: Position, age: Age): Position {
  const phase = timeline[position.phaseIndex];
  const isLast = position.phaseIndex === timeline.length - 1;
  const endedAt = phase === undefined || isLast ? undefined : endOf(phase, position.enteredAt, age);
  if (endedAt === undefined) return position;
  return positionAt(timeline, { phaseIndex: position.phaseIndex + 1, enteredAt: endedAt }, age);
}

function endOf(phase: Phase, enteredAt: Age, age: Age): Age | undefined {
  if (phase.polls !== undefined) return age.polls - enteredAt.polls < phase.polls ? undefined : age;
  const endsAtInMs = enteredAt.elapsedInMs + (phase.durationInMs ?? Infinity);
  return age.elapsedInMs < endsAtInMs ? undefined : { elapsedInMs: endsAtInMs, polls: age.polls };
}

/** Returns the percentage of a phase at this age. */
export function percentAt(
  { percentComplete, ...phase }: Phase,
  enteredAt: Age,
  age: Age,
): number | undefined {
  if (typeof percentComplete !== "object") return percentComplete;
  const { from, to, step } = percentComplete;
  const moved = (to - from) * Math.min(1, shareOf(phase, enteredAt, age));
  const percent = from + (step === undefined ? moved : Math.trunc(moved / step) * step);
  // Steps such as 0.1 do not add up to the end exactly.
  return Math.min(Math.max(from, to), Math.max(Math.min(from, to), percent));
}

function shareOf({ polls, durationInMs }: Omit<Phase, "percentComplete">, enteredAt: Age, age: Age): number {
  if (polls !== undefined) return (age.polls - enteredAt.polls) / Math.max(1, polls - 1);
  return (age.elapsedInMs - enteredAt.elapsedInMs) / (durationInMs || Infinity);
}

/** @throws TypeError or RangeError that names the phase and the field */
export function checkTimeline(name: string, timeline: Timeline): void {
  if (!Array.isArray(timeline) || timeline.length === 0) fail(name, "an array of phases", timeline);
  for (const [index, phase] of timeline.entries()) {
    checkPhase(`${name}[${index}]`, phase);
    const isEndless = phase.durationInMs === undefined && phase.polls === undefined;
    if (isEndless && index < timeline.length - 1) {
      throw new RangeError(`${name}[${index}]: expected durationInMs or polls, because a phase follows it`);
    }
  }
}

/** @throws TypeError or RangeError that names the field */
export function checkPhase(name: string, phase: Phase): void {
  checkObject(name, phase);
  const { status, durationInMs, polls } = phase;
  checkString(`${name}.status`, status);
  if (durationInMs !== undefined) checkNumber(`${name}.durationInMs`, durationInMs);
  if (polls !== undefined) checkNumber(`${name}.polls`, polls, { min: 1, isInteger: true });
  if (durationInMs !== undefined && polls !== undefined) {
    throw new TypeError(`${name}: expected durationInMs or polls, got both`);
  }
  checkPercent(`${name}.percentComplete`, phase.percentComplete);
}

function checkPercent(name: string, percent: Phase["percentComplete"]): void {
  if (percent === undefined) return;
  if (typeof percent === "number") return checkNumber(name, percent, { max: 100 });
  checkObject(name, percent);
  checkNumber(`${name}.from`, percent.from, { max: 100 });
  checkNumber(`${name}.to`, percent.to, { max: 100 });
  if (percent.step !== undefined) checkNumber(`${name}.step`, percent.step, { min: Number.MIN_VALUE });
}
