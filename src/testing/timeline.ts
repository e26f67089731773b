import type { OperationError, OperationState } from "../index.ts";
import { checkNumber, checkObject, checkString, fail } from "./validation.ts";

/** A percentage that moves evenly through a phase: from the first moment (or read) of it to the last. */
export interface PercentRamp {
  /** 0 to 100. */
  readonly from: number;
  /** 0 to 100. */
  readonly to: number;
  /** Moves in steps of this size. Default: evenly. */
  readonly step?: number;
}

/** A stretch of an operation's life. Without `durationInMs` and `reads` it lasts for ever. */
export interface Phase {
  /** What answers say in it. */
  readonly status: OperationState;
  /** How long it lasts, in milliseconds. */
  readonly durationInMs?: number;
  /** How many answers show it, in place of a duration, so that a test needs no time. */
  readonly polls?: number;
  /** 0 to 100. None by default, like DevCenter. */
  readonly percentComplete?: number | PercentRamp;
  /** The result, of a success. */
  readonly properties?: unknown;
  /** What some operations carry in place of `properties`. */
  readonly result?: unknown;
  /** The service's error, of a failure. */
  readonly error?: OperationError;
}

/** An operation's life, phase by phase. */
export type Timeline = readonly Phase[];

/** What moves an operation along. */
export interface Age {
  readonly elapsedInMs: number;
  /** Answers that have shown its state. */
  readonly polls: number;
}

/** Where in its timeline an operation is. */
export interface Position {
  readonly phaseIndex: number;
  /** The age at which it entered the phase. */
  readonly enteredAt: Age;
}

/** Where every operation starts. */
export const start: Position = { phaseIndex: 0, enteredAt: { elapsedInMs: 0, polls: 0 } };

/** What a begun operation does unless it is told otherwise. */
export const usualTimeline: Timeline = [
  { status: "NotStarted", durationInMs: 1000 },
  { status: "Running", durationInMs: 8000 },
  { status: "Succeeded" },
];

/** Moves on to the phase that an operation of this age is in. */
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

/** The percentage that a phase shows at this age. */
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
  if (polls !== undefined) checkNumber(`${name}.polls`, polls, { least: 1, isInteger: true });
  if (durationInMs !== undefined && polls !== undefined) {
    throw new TypeError(`${name}: expected durationInMs or polls, got both`);
  }
  checkPercent(`${name}.percentComplete`, phase.percentComplete);
}

function checkPercent(name: string, percent: Phase["percentComplete"]): void {
  if (percent === undefined) return;
  if (typeof percent === "number") return checkNumber(name, percent, { most: 100 });
  checkObject(name, percent);
  checkNumber(`${name}.from`, percent.from, { most: 100 });
  checkNumber(`${name}.to`, percent.to, { most: 100 });
  if (percent.step !== undefined) checkNumber(`${name}.step`, percent.step, { least: Number.MIN_VALUE });
}
