import { createHttpPoller } from "@azure/core-lro";
import type { OperationResponse } from "@azure/core-lro";
import { RestError } from "@azure/core-rest-pipeline";
import { RequestError, RequestLimiter, createPoller, createPollerGroup, fixed } from "lro-poller";
import type { Clock, Operation, RateLimit, StatusResponse } from "lro-poller";
import { createVirtualClock } from "lro-poller/testing";
import type { VirtualClock } from "lro-poller/testing";
import { withTimersOf } from "./lent-timers.ts";
import { idOf } from "./operations.ts";

/** 500 operations of 5 to 20 minutes at a service that takes 300 requests a minute, on a virtual clock, seeded. */
export const count = 500;
const limitPerMinute = 300;
const minuteInMs = 60_000;

/** What came of a fleet. */
export interface FleetResult {
  readonly requests: number;
  /** Of all requests, in percent. */
  readonly throttled: number;
  /** Of what the service took while all operations ran (the first five minutes), in percent. */
  readonly used: number;
  /** Mean time between an operation's end and the moment that it was known, in seconds. */
  readonly lateness: number;
  /** Operations that succeeded and were reported otherwise. */
  readonly wrong: number;
}

type Answer = { readonly rateLimit: RateLimit } & (
  | { readonly isOver: boolean }
  | { readonly retryAfterInMs: number }
);

/** A service that counts by fixed windows of a minute, as DevCenter does. */
class Service {
  requests = 0;
  refused = 0;
  acceptedEarly = 0;
  readonly endsAt: readonly number[];
  readonly #clock: Clock;
  #window = 0;
  #inWindow = 0;

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.endsAt = Array.from({ length: count }, () => (5 + 15 * random()) * minuteInMs);
  }

  ask(index: number): Answer {
    const now = this.#clock.now();
    const window = Math.floor(now / minuteInMs);
    if (window !== this.#window) [this.#window, this.#inWindow] = [window, 0];
    this.requests++;
    const resetInMs = (window + 1) * minuteInMs - now;
    const rateLimit = { remaining: Math.max(0, limitPerMinute - this.#inWindow - 1), resetInMs };
    if (++this.#inWindow > limitPerMinute) {
      this.refused++;
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
      const answer = service.ask(index);
      if ("retryAfterInMs" in answer) {
        const details = { kind: "transient", statusCode: 429, isThrottled: true, ...answer } as const;
        return Promise.reject(new RequestError("HTTP 429", details));
      }
      const status = answer.isOver ? "Succeeded" : "Running";
      const { rateLimit } = answer;
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

/** The ways to wait for them all. */
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
    const budget = new RequestLimiter(clock);
    for (let index = 0; index < count; index++) {
      void createPoller(
        operation(index, service, () => budget),
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

/** With the retries of Azure's pipeline, which honour Retry-After three times. */
function coreLroPoller(
  index: number,
  service: Service,
  clock: VirtualClock,
): ReturnType<typeof createHttpPoller> {
  const request = { method: "POST", url: "https://dev.example/" };
  const answer = (statusCode: number, body: unknown): OperationResponse => ({
    flatResponse: body,
    rawResponse: { statusCode, headers: { "operation-location": "https://dev.example/1" }, body, request },
  });
  const poll = async (triesLeft: number): Promise<OperationResponse> => {
    const said = service.ask(index);
    if ("isOver" in said) return answer(200, { status: said.isOver ? "Succeeded" : "Running" });
    if (triesLeft === 0) throw new RestError("HTTP 429", { statusCode: 429 });
    await new Promise<void>((resolve) => void clock.setTimer(resolve, said.retryAfterInMs));
    return poll(triesLeft - 1);
  };
  return createHttpPoller({
    sendInitialRequest: () => Promise.resolve(answer(202, {})),
    sendPollRequest: () => poll(3),
  });
}

/** Lets a fleet wait for all. */
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
    throttled: (100 * service.refused) / service.requests,
    used: (100 * service.acceptedEarly) / (5 * limitPerMinute),
    lateness: lateness.reduce((sum, value) => sum + value, 0) / Math.max(1, lateness.length) / 1000,
    wrong,
  };
}
