import { pollLimited } from "./limited-fleet.ts";
import { minuteInMs } from "./limited-service.ts";
import { run, scenarios } from "./rate-limited.ts";

/** The result of waiting for 10,000 operations. */
export interface LargeFleetResult {
  /** 429s in the first two minutes, in which the rate is learned. */
  readonly early: number;
  /** The share of 429s from the third minute on, in percent. */
  readonly later: number;
  readonly rejected: number;
  /** The longest time between two polls of one operation, in minutes. */
  readonly longestGap: number;
}

const tellings = {
  "rate headers and Retry-After": { hasRateHeaders: true, hasRetryAfter: true },
  "Retry-After": { hasRateHeaders: false, hasRetryAfter: true },
  nothing: { hasRateHeaders: false, hasRetryAfter: false },
};

const fleets: Record<string, unknown> = {};
for (const [name, scenario] of Object.entries(scenarios)) fleets[name] = await run(scenario);
const large: Record<string, LargeFleetResult> = {};
for (const [name, telling] of Object.entries(tellings)) {
  const { service, rejected } = await pollLimited({ count: 10_000, minutes: [60, 180], ...telling });
  const { requests, throttled } = service.countOf(2);
  large[name] = {
    early: service.countOf(0, 2).throttled,
    later: (100 * throttled) / requests,
    rejected,
    longestGap: service.longestGapInMs / minuteInMs,
  };
}
console.log(JSON.stringify({ fleets, large }));
