import type { StatusFields } from "../operation/status.ts";
import { countParts, isNested, leavesOf } from "./parts.ts";
import type { PartsState } from "./parts.ts";
import type { DurationsOfTypes } from "./reading-plan.ts";
import { isDeploymentType } from "./row.ts";

/** The percentage of a status, with what it counts. */
export type PartsProgress = Pick<
  StatusFields,
  "partsDone" | "partsSeen" | "partsTotal" | "totalIsKnown" | "percentComplete" | "percentageKind"
>;

/** A deployment that still runs is never shown as complete. */
const maxPercentage = 99;

/** Returns the counts and the percentage, which never falls, and is 100 only once the deployment has succeeded. */
export function progressOfParts(
  state: PartsState,
  serviceNow: number,
  past: DurationsOfTypes,
  before: number,
): PartsProgress {
  const counts = countParts(state);
  if (counts.partsSeen === 0 && state.end === undefined) return counts;
  const estimate = past.size === 0 ? undefined : timeWeightedPercentage(state, serviceNow, past);
  const share = counts.partsTotal === 0 ? 0 : (100 * counts.partsDone) / counts.partsTotal;
  const percentage = Math.max(before, Math.min(maxPercentage, Math.floor(estimate ?? share)));
  return {
    ...counts,
    percentComplete: state.end === "Succeeded" ? 100 : percentage,
    percentageKind: estimate === undefined ? "shareOfParts" : "timeWeighted",
  };
}

/**
 * Estimates the share of the time that has passed: the rest is that of the part that ends last, by the past durations of
 * its type. A type that has not started yet is still to come.
 */
export function timeWeightedPercentage(
  state: PartsState,
  serviceNow: number,
  past: DurationsOfTypes,
): number | undefined {
  const leaves = leavesOf(state);
  const starts = leaves.map(({ row }) => row.startedAt).filter((at) => at !== undefined);
  const startedAt = state.startedAt ?? starts.reduce((one, other) => Math.min(one, other), Infinity);
  if (!Number.isFinite(startedAt)) return undefined;
  const elapsedInMs = Math.max(0, serviceNow - startedAt);
  const seen = new Set(leaves.map(({ row }) => row.type.toLowerCase()));
  const running = leaves
    .filter(({ isOver }) => !isOver)
    .map(({ row }) =>
      remainingOf(past.get(row.type.toLowerCase()), serviceNow - (row.startedAt ?? serviceNow)),
    );
  const toCome = [...past]
    .filter(([type]) => !seen.has(type) && !isDeploymentType(type))
    .map(([, durations]) => remainingOf(durations, 0));
  const remainingInMs = maxOf([...running, ...toCome]) + parentsInMs(state);
  return elapsedInMs + remainingInMs === 0 ? 0 : (100 * elapsedInMs) / (elapsedInMs + remainingInMs);
}

/** The mean of the past durations that were longer than this age, from now on. */
function remainingOf(durations: readonly number[] | undefined, ageInMs: number): number {
  const longer = (durations ?? []).filter((duration) => duration > ageInMs);
  if (longer.length === 0) return Math.max(0, ageInMs) * overdueShare;
  return longer.reduce((sum, duration) => sum + duration, 0) / longer.length - ageInMs;
}

/** A part that takes longer than ever may take a tenth of its age more. */
const overdueShare = 0.1;

/** Each nested deployment's row in the list above it follows seconds later. */
function parentsInMs({ deployments }: PartsState): number {
  const open = [...deployments.values()].filter(
    ({ isClosed, rows }) => !isClosed && [...rows.values()].some((row) => !isNested(row)),
  );
  return 7000 * maxOf(open.map(({ depth }) => depth));
}

/** Returns the greatest of numbers from 0 on: spread arguments are limited, and lists are not. */
function maxOf(numbers: readonly number[]): number {
  return numbers.reduce((one, other) => Math.max(one, other), 0);
}
