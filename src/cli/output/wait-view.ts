import type { PartsView } from "./parts.ts";

/** The state of a wait, to be drawn. Its texts have no control characters. */
export interface WaitView {
  /** The user's name for the operation, or its id. */
  readonly label: string;
  /** Whether the label is a name. A cut name gets an ellipsis; an id is abbreviated as a commit hash is. */
  readonly isNamed?: boolean | undefined;
  readonly status?: string | undefined;
  readonly percentComplete?: number | undefined;
  /** Whether the percentage is an estimate, which shows as `~45 %`. */
  readonly isEstimate?: boolean | undefined;
  /** The parts of a deployment. */
  readonly parts?: PartsView | undefined;
  /** The time of the last change, by the clock of `now`. The durations below count from it. */
  readonly updatedAt: number;
  readonly elapsedInMs: number;
  readonly estimatedRemainingInMs?: number | undefined;
  readonly nextPollInMs?: number | undefined;
  /** Whether the operation runs longer than expected. */
  readonly isOverdue?: boolean | undefined;
  /** Why the last poll failed. */
  readonly failure?: string | undefined;
  /** Set after the end of the wait, with the reason if the status does not show it. */
  readonly end?: { readonly note?: string | undefined } | undefined;
}

/** Returns 0 to 100; `undefined` if it is unknown. */
export function percentOf({ status, percentComplete }: WaitView): number | undefined {
  // A service that reports percentages may leave out the last one.
  return status === "Succeeded" ? 100 : percentComplete;
}

/** Below this percentage an estimate is still a guess. Without a percentage, it comes from past durations. */
const minPercentForEstimate = 10;

/** Returns the estimated remaining time; `undefined` if it would be a guess. */
export function remainingOf(wait: WaitView, now: number): number | undefined {
  const { updatedAt, estimatedRemainingInMs, percentComplete = minPercentForEstimate } = wait;
  if (estimatedRemainingInMs === undefined || percentComplete < minPercentForEstimate) return undefined;
  return Math.max(0, estimatedRemainingInMs - (now - updatedAt));
}

/** Returns how long the wait has taken so far, or took. */
export function elapsedOf({ elapsedInMs, updatedAt, end }: WaitView, now: number): number {
  return end ? elapsedInMs : elapsedInMs + Math.max(0, now - updatedAt);
}

const notPolled = "not polled";
const firstStates = [notPolled, "NotStarted", "Running"];
const lastStates = ["Succeeded", "Failed", "Canceled"];

/** `40 NotStarted, 2 Failed` */
export function statesText(waits: readonly WaitView[]): string {
  const counts = new Map(firstStates.map((state) => [state, 0]));
  for (const wait of waits) counts.set(stateOf(wait), (counts.get(stateOf(wait)) ?? 0) + 1);
  const others = Array.from(counts.keys()).filter((state) => !lastStates.includes(state));
  const counted = [...others, ...lastStates].filter((state) => (counts.get(state) ?? 0) > 0);
  return counted.map((state) => `${counts.get(state)} ${state}`).join(", ");
}

/** The service's status, or why the wait ended before its operation: `timed out`. */
export function stateOf({ status, end }: WaitView): string {
  if (status !== undefined && lastStates.includes(status)) return status;
  return end?.note ?? status ?? notPolled;
}
