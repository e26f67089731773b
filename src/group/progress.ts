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

/** Makes the progress of a group of its members, and of the finished operations that it has forgotten, by state. */
export function progressOfGroup<P>(
  members: readonly Member<P>[],
  forgotten: ReadonlyMap<string, number>,
): GroupProgress {
  const states = new Map(forgotten);
  let finished = [...forgotten.values()].reduce((sum, count) => sum + count, 0);
  const total = finished + members.length;
  let percent = 100 * finished;
  let remainingInMs: number | undefined = 0;
  for (const member of members) {
    const progress = member.isOver ? finishedProgress : member.progress;
    if (member.isOver) finished++;
    states.set(member.status, (states.get(member.status) ?? 0) + 1);
    percent += progress?.percentComplete ?? 0;
    remainingInMs = maxOf(remainingInMs, progress?.estimatedRemainingInMs);
  }
  return {
    total,
    finished,
    states: Object.fromEntries(states),
    percentComplete: total === 0 ? 100 : percent / total,
    estimatedRemainingInMs: remainingInMs,
  };
}

/** One unknown estimate makes the whole a guess. */
function maxOf(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : Math.max(one, other);
}
