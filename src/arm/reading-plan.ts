import { isTerminal } from "../operation/status.ts";
import type { RateLimit } from "../operation/limiter.ts";
import { learnedFrom } from "../schedule/duration-model.ts";
import { gapOf, uninformed } from "../schedule/hazard.ts";
import type { Terms } from "../schedule/hazard.ts";
import { isNested } from "./parts.ts";
import type { KnownDeployment } from "./parts.ts";
import type { Row } from "./row.ts";

/** Past durations in milliseconds by resource type, in small letters. */
export type DurationsOfTypes = ReadonlyMap<string, readonly number[]>;

/** The moments of a list that its next read follows from, in milliseconds. */
interface ListTimes {
  /** The clock of the wait. */
  readonly now: number;
  /** When a row was last new or in another state; at first, when the deployment was first seen. */
  readonly changedAt: number;
  /** The service's clock, to which the dates of the rows belong. */
  readonly serviceNow: number;
  /** Whether no other part runs. */
  readonly isLastPart: boolean;
}

/** How lists are spaced. */
interface Spacing {
  /** The price of a list: how much later the end of a part may be seen to save one request. */
  readonly terms: Terms;
  /** The same for the last part that runs: its end is that of the whole. */
  readonly termsOfLast: Terms;
  /** The shortest wait for parts that are not listed yet. They follow the end of another, or the start. */
  readonly minArrivalGapInMs: number;
  /** The growth of that wait, as a share of the time without news. */
  readonly arrivalGrowth: number;
}

const maxDelayInMs = 120_000;

const uninformedSpacing: Spacing = {
  terms: { pollCostInMs: 1800, minDelayInMs: 4000, maxDelayInMs },
  termsOfLast: { pollCostInMs: 600, minDelayInMs: 4000, maxDelayInMs },
  minArrivalGapInMs: 6000,
  arrivalGrowth: 1,
};

/** With past durations a list is read less often, but at the right time (`npm run bench:arm`). */
const informedSpacing: Spacing = {
  terms: { pollCostInMs: 1000, minDelayInMs: 10_000, maxDelayInMs },
  termsOfLast: { pollCostInMs: 250, minDelayInMs: 4000, maxDelayInMs },
  minArrivalGapInMs: 24_000,
  arrivalGrowth: 2.5,
};

const maxArrivalGapInMs = 240_000;

/** So many lists are under way at a time. */
export const maxListsAtOnce = 4;

/** Lists give way to status polls from this number of remaining requests on. */
const fewRequests = 60;

/**
 * Returns the wait before the next read of a list, from the one just made.
 *
 * Each running part ends with a hazard h, for which alone the best spacing is √(2·price / h); hazards add up. A nested
 * deployment has a list of its own, so that the row about it is no reason to read its parent.
 */
export function readGapInMs(
  { rows }: Pick<KnownDeployment, "rows">,
  { now, changedAt, serviceNow, isLastPart }: ListTimes,
  past: DurationsOfTypes,
): number {
  const spacing = past.size > 0 ? informedSpacing : uninformedSpacing;
  const terms = isLastPart ? spacing.termsOfLast : spacing.terms;
  const arrivalGapInMs = Math.max(spacing.minArrivalGapInMs, spacing.arrivalGrowth * (now - changedAt));
  let density = Math.min(maxArrivalGapInMs, arrivalGapInMs) ** -2;
  for (const row of rows.values())
    if (!isTerminal(row.status) && !isNested(row)) density += gapOfPart(row, serviceNow, past, terms) ** -2;
  return Math.min(terms.maxDelayInMs, Math.max(terms.minDelayInMs, density ** -0.5));
}

function gapOfPart(
  { type, startedAt }: Row,
  serviceNow: number,
  past: DurationsOfTypes,
  terms: Terms,
): number {
  const ageInMs = Math.max(0, serviceNow - (startedAt ?? serviceNow));
  const durations = past.get(type.toLowerCase()) ?? [];
  return gapOf(durations.length === 0 ? uninformed(terms) : learnedFrom(durations, terms), ageInMs, terms);
}

/** Returns the factor by which lists become rarer while the service accepts few more requests; `Infinity` for none. */
export function scarcity(rateLimit: RateLimit | undefined): number {
  if (rateLimit === undefined || rateLimit.remaining >= fewRequests) return 1;
  return rateLimit.remaining < maxListsAtOnce ? Infinity : fewRequests / rateLimit.remaining;
}
