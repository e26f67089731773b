import { createHttpPoller } from "@azure/core-lro";
import type { OperationResponse } from "@azure/core-lro";
import { RestError } from "@azure/core-rest-pipeline";
import { RequestError, RequestLimiter, createPoller, createPollerGroup, fixed } from "lro-poller";
import type { Clock, Operation, RateLimit, StatusResponse } from "lro-poller";
import { createVirtualClock } from "lro-poller/testing";
import type { VirtualClock } from "lro-poller/testing";
import { withTimersOf } from "./lent-timers.ts";
import { idOf } from "./operations.ts";

/** 500 seeded operations of 5 to 20 minutes, in virtual time, at a service that accepts 300 requests a minute. */
export const count = 500;
const limitPerMinute = 300;
const minuteInMs = 60_000;

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

type ServiceResponse = { readonly rateLimit: RateLimit } & (
  | { readonly isOver: boolean }
  | { readonly retryAfterInMs: number }
);

/** A service that limits requests in fixed windows of a minute, as DevCenter does. */
class Service {
  requests = 0;
  throttled = 0;
  acceptedEarly = 0;
  readonly endsAt: readonly number[];
  readonly #clock: Clock;
  #window = 0;
  #inWindow = 0;

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.endsAt = Array.from({ length: count }, () => (5 + 15 * random()) * minuteInMs);
  }

  poll(index: number): ServiceResponse {
    const now = this.#clock.now();
    const window = Math.floor(now / minuteInMs);
    if (window !== this.#window) [this.#window, this.#inWindow] = [window, 0];
    this.requests++;
    const resetInMs = (window + 1) * minuteInMs - now;
    const rateLimit = { remaining: Math.max(0, limitPerMinute - this.#inWindow - 1), resetInMs };
    if (++this.#inWindow > limitPerMinute) {
      this.throttled++;
      return { rateLimit, retryAfterInMs: Math.ceil(resetInMs / 1000) * 1000 };
    }
    if (now < 5 * minuteInMs) this.acceptedEarly++;
    return { rateLimit, isOver: now >= (this.endsAt[index] ?? 0) };
  }
}

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function operation(
  index: number,
  service: Service,
  limiterFor?: (clock: Clock) => RequestLimiter,
): Operation {
  const id = idOf(index);
  return {
    id,
    toJSON: () => ({ id }),
    ...(limiterFor && { limiterFor }),
    getStatus(): Promise<StatusResponse> {
      const response = service.poll(index);
      if ("retryAfterInMs" in response) {
        const details = { kind: "transient", statusCode: 429, isThrottled: true, ...response } as const;
        return Promise.reject(new RequestError("HTTP 429", details));
      }
      const status = response.isOver ? "Succeeded" : "Running";
      const { rateLimit } = response;
      return Promise.resolve({ rateLimit, status: { id, name: id, status, properties: undefined } });
    },
  };
}

type Fleet = (
  clock: VirtualClock,
  service: Service,
  random: () => number,
  onEnd: (index: number, isRight: boolean) => void,
) => unknown;

/** The ways to wait for all operations. */
export const fleets: Readonly<Record<string, Fleet>> = {
  "lro-poller, told 300 a minute": (clock, service, random, onEnd) => {
    const group = createPollerGroup({ clock, random, requestsPerMinute: limitPerMinute });
    for (let index = 0; index < count; index++) {
      group
        .add(operation(index, service))
        .onProgress(({ status }) => status === "Succeeded" && onEnd(index, true));
    }
    return group.pollUntilDone();
  },
  "lro-poller, told nothing": (clock, service, random, onEnd) => {
    const limiter = new RequestLimiter(clock);
    for (let index = 0; index < count; index++) {
      void createPoller(
        operation(index, service, () => limiter),
        { clock, random },
      )
        .pollUntilDone()
        .then(
          () => onEnd(index, true),
          () => onEnd(index, false),
        );
    }
  },
  "a fixed 100 s": (clock, service, random, onEnd) => {
    for (let index = 0; index < count; index++) {
      const schedule = fixed(100_000);
      clock.setTimer(() => {
        void createPoller(operation(index, service), { clock, random, schedule })
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

/** Creates a poller with the retries of Azure's pipeline, which honours Retry-After three times. */
function coreLroPoller(
  index: number,
  service: Service,
  clock: VirtualClock,
): ReturnType<typeof createHttpPoller> {
  const request = { method: "POST", url: "https://dev.example/" };
  const responseOf = (statusCode: number, body: unknown): OperationResponse => ({
    flatResponse: body,
    rawResponse: { statusCode, headers: { "operation-location": "https://dev.example/1" }, body, request },
  });
  const poll = async (triesLeft: number): Promise<OperationResponse> => {
    const response = service.poll(index);
    if ("isOver" in response) return responseOf(200, { status: response.isOver ? "Succeeded" : "Running" });
    if (triesLeft === 0) throw new RestError("HTTP 429", { statusCode: 429 });
    await new Promise<void>((resolve) => void clock.setTimer(resolve, response.retryAfterInMs));
    return poll(triesLeft - 1);
  };
  return createHttpPoller({
    sendInitialRequest: () => Promise.resolve(responseOf(202, {})),
    sendPollRequest: () => poll(3),
  });
}

/** Waits for all operations in one way. */
export async function run(fleet: Fleet, seed = 1): Promise<FleetResult> {
  const clock = createVirtualClock();
  const random = seeded(seed);
  const service = new Service(clock, random);
  const lateness: number[] = [];
  let wrong = 0;
  await withTimersOf(clock, async () => {
    fleet(clock, service, random, (index, isRight) => {
      if (isRight) lateness.push(clock.now() - (service.endsAt[index] ?? 0));
      else wrong++;
    });
    while (lateness.length + wrong < count) await clock.advance(1000);
  });
  return {
    requests: service.requests,
    throttled: (100 * service.throttled) / service.requests,
    used: (100 * service.acceptedEarly) / (5 * limitPerMinute),
    lateness: lateness.reduce((sum, value) => sum + value, 0) / Math.max(1, lateness.length) / 1000,
    wrong,
  };
}
