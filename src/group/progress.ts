import type { Member } from "./member.ts";

/** Where many operations stand together. */
export interface GroupProgress {
  /** How many have been added. */
  readonly total: number;
  /** How many are over, or were given up. */
  readonly finished: number;
  /** How many are in which state, by the state's name; `Unknown` where there was no answer yet. */
  readonly states: Readonly<Record<string, number>>;
  /** 0 to 100: an operation that is over counts as 100, one that reports nothing as 0. */
  readonly percentComplete: number;
  /** Milliseconds until the last one is over; `undefined` where it would be a guess. */
  readonly estimatedRemainingInMs: number | undefined;
}

const finishedProgress = { percentComplete: 100, estimatedRemainingInMs: 0 };

/** Where the members of a group stand. */
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
    remainingInMs = longest(remainingInMs, progress?.estimatedRemainingInMs);
  }
  return {
    total: members.length,
    finished,
    states: Object.fromEntries(states),
    percentComplete: members.length === 0 ? 100 : percent / members.length,
    estimatedRemainingInMs: remainingInMs,
  };
}

/** One that nobody can tell of makes the whole a guess. */
function longest(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : Math.max(one, other);
}
