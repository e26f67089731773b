import type { Member } from "./member.ts";

/** The progress of many operations together. */
export interface GroupProgress {
  /** The operations that were added. */
  readonly total: number;
  /** The operations that are over, or no longer polled. */
  readonly finished: number;
  /** The number of operations in each state; `Unknown` where there was no response yet. */
  readonly states: Readonly<Record<string, number>>;
  /** The mean percentage, 0 to 100: an operation that is over counts as 100, one that reports nothing as 0. */
  readonly percentComplete: number;
  /** Milliseconds until the last operation is over; `undefined` where it would be a guess. */
  readonly estimatedRemainingInMs: number | undefined;
}

const finishedProgress = { percentComplete: 100, estimatedRemainingInMs: 0 };

/** Makes the progress of a group. */
export function progressOfGroup<P>(members: readonly Member<P>[]): GroupProgress {
  const states = new Map<string, number>();
  let finished = 0;
  let percent = 0;
  let remainingInMs: number | undefined = 0;
  for (const member of members) {
    const progress = member.isFinished ? finishedProgress : member.progress;
    if (member.isFinished) finished++;
    states.set(member.status, (states.get(member.status) ?? 0) + 1);
    percent += progress?.percentComplete ?? 0;
    remainingInMs = maxOf(remainingInMs, progress?.estimatedRemainingInMs);
  }
  return {
    total: members.length,
    finished,
    states: Object.fromEntries(states),
    percentComplete: members.length === 0 ? 100 : percent / members.length,
    estimatedRemainingInMs: remainingInMs,
  };
}

/** One unknown estimate makes the whole a guess. */
function maxOf(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : Math.max(one, other);
}
