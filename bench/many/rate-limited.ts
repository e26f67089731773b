import { createHttpPoller } from "@azure/core-lro";
import type { OperationResponse } from "@azure/core-lro";
import { RestError } from "@azure/core-rest-pipeline";
import { RequestError, RequestLimiter, createPoller, createPollerGroup, fixed } from "lro-poller";
import { createVirtualClock } from "lro-poller/testing";
import type { VirtualClock } from "lro-poller/testing";
import { withTimersOf } from "./lent-timers.ts";
import { LimitedService, limitPerMinute, minuteInMs } from "./limited-service.ts";

/** 500 seeded operations of 5 to 20 minutes, in virtual time, at a service that accepts 300 requests a minute. */
export const count = 500;

/** The result of waiting for all operations in one way. */
export interface FleetResult {
  readonly requests: number;
  /** The share of throttled requests, in percent. */
  readonly throttled: number;
  /** The used share of the limit while all operations ran (the first five minutes), in percent. */
  readonly used: number;
  /** The mean time between an operation's end and the poll that showed it, in seconds. */
  readonly lateness: number;
  /** Operations that succeeded and whose wait did not. */
  readonly wrong: number;
}

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Waits for all operations. */
type Fleet = (
  clock: VirtualClock,
  service: LimitedService,
  random: () => number,
  onEnd: (index: number, isRight: boolean) => void,
) => unknown;

const toldNothing: Fleet = (clock, service, random, onEnd) => {
  const limiter = new RequestLimiter(clock);
  for (let index = 0; index < count; index++) {
    void createPoller(
      service.operation(index, () => limiter),
      { clock, random },
    )
      .pollUntilDone()
      .then(
        () => onEnd(index, true),
        () => onEnd(index, false),
      );
  }
};

/** How the service tells of its limit. */
interface Telling {
  readonly hasRateHeaders: boolean;
  readonly hasRetryAfter: boolean;
}

const withHeaders: Telling = { hasRateHeaders: true, hasRetryAfter: true };

/** A way to wait for all operations, and what the service tells. */
export interface Scenario {
  readonly fleet: Fleet;
  readonly telling: Telling;
}

/** The ways to wait for all operations. */
const fleets: Readonly<Record<string, Fleet>> = {
  "lro-poller, told 300 a minute": (clock, service, random, onEnd) => {
    const group = createPollerGroup({ clock, random, requestsPerMinute: limitPerMinute });
    for (let index = 0; index < count; index++) {
      group
        .add(service.operation(index))
        .onProgress(({ status }) => status === "Succeeded" && onEnd(index, true));
    }
    return group.pollUntilDone();
  },
  "lro-poller, told nothing": toldNothing,
  "a fixed 100 s": (clock, service, random, onEnd) => {
    for (let index = 0; index < count; index++) {
      const schedule = fixed(100_000);
      clock.setTimer(() => {
        void createPoller(service.operation(index), { clock, random, schedule })
          .pollUntilDone()
          .then(
            () => onEnd(index, true),
            () => onEnd(index, false),
          );
      }, 100_000 * random());
    }
  },
  "core-lro": (clock, service, _random, onEnd) => {
    for (let index = 0; index < count; index++) {
      void coreLroPoller(index, service, clock)
        .pollUntilDone()
        .then(
          () => onEnd(index, true),
          () => onEnd(index, false),
        );
    }
  },
};

const withRetryAfter: Telling = { hasRateHeaders: false, hasRetryAfter: true };
const withNeither: Telling = { hasRateHeaders: false, hasRetryAfter: false };

/** The rows of the comparison. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  ...Object.fromEntries(
    Object.entries(fleets).map(([name, fleet]) => [name, { fleet, telling: withHeaders }]),
  ),
  "lro-poller, told nothing, no rate headers": { fleet: toldNothing, telling: withRetryAfter },
  "lro-poller, told nothing, neither rate headers nor Retry-After": {
    fleet: toldNothing,
    telling: withNeither,
  },
};

/** Creates a poller with the retries of Azure's pipeline, which honours Retry-After three times. */
function coreLroPoller(
  index: number,
  service: LimitedService,
  clock: VirtualClock,
): ReturnType<typeof createHttpPoller> {
  const request = { method: "POST", url: "https://dev.example/" };
  const responseOf = (statusCode: number, body: unknown): OperationResponse => ({
    flatResponse: body,
    rawResponse: { statusCode, headers: { "operation-location": "https://dev.example/1" }, body, request },
  });
  const poll = async (triesLeft: number): Promise<OperationResponse> => {
    try {
      return responseOf(200, { status: service.poll(index).isOver ? "Succeeded" : "Running" });
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      if (triesLeft === 0) throw new RestError("HTTP 429", { statusCode: 429 });
      await new Promise<void>((resolve) => void clock.setTimer(resolve, error.retryAfterInMs ?? 0));
      return poll(triesLeft - 1);
    }
  };
  return createHttpPoller({
    sendInitialRequest: () => Promise.resolve(responseOf(202, {})),
    sendPollRequest: () => poll(3),
  });
}

/** Waits for all operations in one way. */
export async function run({ fleet, telling }: Scenario, seed = 1): Promise<FleetResult> {
  const clock = createVirtualClock();
  const random = seeded(seed);
  const durationsInMs = Array.from({ length: count }, () => (5 + 15 * random()) * minuteInMs);
  const service = new LimitedService(clock, { ...telling, durationsInMs });
  const lateness: number[] = [];
  let wrong = 0;
  await withTimersOf(clock, async () => {
    fleet(clock, service, random, (index, isRight) => {
      if (isRight) lateness.push(clock.now() - (durationsInMs[index] ?? 0));
      else wrong++;
    });
    while (lateness.length + wrong < count) await clock.advance(1000);
  });
  const all = service.countOf(0);
  const early = service.countOf(0, 5);
  return {
    requests: all.requests,
    throttled: (100 * all.throttled) / all.requests,
    used: (100 * (early.requests - early.throttled)) / (5 * limitPerMinute),
    lateness: lateness.reduce((sum, value) => sum + value, 0) / Math.max(1, lateness.length) / 1000,
    wrong,
  };
}
