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

/** When each list was read and changed, by the clock of the wait. */
export interface ReadTimes {
  /** The next time to read it. */
  readonly nextAt: number;
  readonly readAt: number;
  /** When a row was last new or in another state; at first, when the deployment was first seen. */
  readonly changedAt: number;
}

/** The price of a list: how much later the end of a part may be seen to save one request. */
const listCostInMs = 1600;
const terms: Terms = { pollCostInMs: listCostInMs, minDelayInMs: 4000, maxDelayInMs: 30_000 };
const prior = uninformed(terms);
/** A part that starts shows later than one that ends, and costs nobody a wait. */
const arrivalTerms: Terms = { pollCostInMs: 3 * listCostInMs, minDelayInMs: 6000, maxDelayInMs: 45_000 };
const arrivalPrior = uninformed(arrivalTerms);

/** The delay after which the row of a nested deployment follows its own last action. */
export const parentLagInMs = 7000;

/** So many lists are under way at a time. */
export const maxListsAtOnce = 4;

/** Lists give way to status polls from this number of remaining requests on. */
const fewRequests = 60;

/**
 * Returns the wait before the next read of a list, from the one just made.
 *
 * Each running part ends with a hazard h, which alone would be read every √(2·price / h); hazards add up. A nested
 * deployment has a list of its own, so that the row about it is no reason to read its parent.
 */
export function readGapInMs(
  deployment: Pick<KnownDeployment, "rows" | "depth">,
  now: number,
  serviceNow: number,
  changedAt: number,
  past: DurationsOfTypes,
): number {
  let rate = gapOf(arrivalPrior, now - changedAt, arrivalTerms) ** -2;
  for (const row of deployment.rows.values()) {
    if (!isTerminal(row.status) && !isNested(row)) rate += gapOfPart(row, serviceNow, past) ** -2;
  }
  return Math.min(terms.maxDelayInMs, Math.max(terms.minDelayInMs, rate ** -0.5));
}

function gapOfPart({ type, startedAt }: Row, serviceNow: number, past: DurationsOfTypes): number {
  const ageInMs = Math.max(0, serviceNow - (startedAt ?? serviceNow));
  const durations = past.get(type.toLowerCase());
  const known = durations === undefined || durations.length === 0 ? prior : learnedFrom(durations, terms);
  return gapOf(known, ageInMs, terms);
}

/** Returns the factor by which lists become rarer while the service accepts few more requests; `Infinity` for none. */
export function scarcity(rateLimit: RateLimit | undefined): number {
  if (rateLimit === undefined || rateLimit.remaining >= fewRequests) return 1;
  return rateLimit.remaining < maxListsAtOnce ? Infinity : fewRequests / rateLimit.remaining;
}
