import { pollAll } from "lro-poller";
import type { PollAllOptions } from "lro-poller";
import { createVirtualClock } from "lro-poller/testing";
import { seeded } from "../schedule/random.ts";
import { LimitedService, minuteInMs } from "./limited-service.ts";
import type { LimitedServiceOptions } from "./limited-service.ts";

/** The operations to wait for, and how the service tells of its limit. */
export interface FleetOptions extends Omit<LimitedServiceOptions, "durationsInMs" | "latencyInMs"> {
  readonly count: number;
  /** The shortest and the longest duration. */
  readonly minutes: readonly [number, number];
  readonly pollOptions?: PollAllOptions;
}

/** The end of a wait for all operations. */
export interface Waited {
  readonly service: LimitedService;
  readonly rejected: number;
}

/** Waits with `pollAll` for seeded operations at a service that accepts 300 requests a minute, in virtual time. */
export async function pollLimited(
  { count, minutes: [least, most], pollOptions, ...options }: FleetOptions,
  seed = 1,
): Promise<Waited> {
  const clock = createVirtualClock();
  const random = seeded(seed);
  const durations = Array.from({ length: count }, () => (least + (most - least) * random()) * minuteInMs);
  const latencyInMs = (): number => 50 + 200 * random();
  const service = new LimitedService(clock, { ...options, durationsInMs: durations, latencyInMs });
  const operations = Array.from({ length: count }, (_, index) => service.operation(index));
  const results = await clock.runUntilSettled(pollAll(operations, { clock, random, ...pollOptions }));
  return { service, rejected: results.filter(({ status }) => status === "rejected").length };
}
