import type { Queue } from "bullmq";
import type { RateEstimator } from "../limiter/rate-estimator.ts";
import {
  parseArray,
  parseJson,
  parseNumber,
  parseObject,
  parseOptionalNumber,
  parseString,
} from "../operation/json-fields.ts";
import { parseTime, runScript } from "./redis-state.ts";
import type { RedisScript } from "./redis-state.ts";

/** The part of an estimate that the workers share, as JSON. Times are Redis's, in milliseconds since 1970, 0 for never. */
interface SharedRate {
  readonly throttledUntil: number;
  readonly throttlings: number;
  readonly learnedInMs: number;
  readonly beforeInMs: number;
  readonly maxRemaining: number;
  readonly maxResetInMs: number;
  readonly hintedInMs: number;
  readonly hintedUntil: number;
  readonly exhaustedUntil: number;
}

/** Returns what other workers should know of an estimate. */
export function sharedRateOf(rate: RateEstimator): SharedRate {
  const { throttlings, learnedInMs, beforeInMs, maxRemaining, maxResetInMs, hintedInMs } = rate;
  return {
    throttlings,
    learnedInMs,
    beforeInMs,
    maxRemaining,
    maxResetInMs,
    hintedInMs,
    throttledUntil: wholeTime(rate.heldUntil),
    hintedUntil: wholeTime(rate.hintedUntil),
    exhaustedUntil: wholeTime(rate.exhaustedUntil),
  };
}

/** A fraction of a millisecond would be lost on the way, and the same 429 look like a later one. */
function wholeTime(time: number): number {
  return Math.ceil(Math.max(0, time));
}

/** Takes into an estimate what other workers know: the later 429, the later hint. */
export function adoptRate(rate: RateEstimator, shared: SharedRate): void {
  if (shared.throttledUntil > rate.heldUntil) {
    rate.heldUntil = shared.throttledUntil;
    rate.throttlings = Math.max(rate.throttlings, shared.throttlings);
    rate.learnedInMs = shared.learnedInMs;
    rate.beforeInMs = shared.beforeInMs;
  } else if (shared.throttledUntil === rate.heldUntil) {
    rate.learnedInMs = Math.max(rate.learnedInMs, shared.learnedInMs);
  }
  if (shared.hintedUntil > rate.hintedUntil) {
    rate.hintedInMs = shared.hintedInMs;
    rate.hintedUntil = shared.hintedUntil;
  }
  rate.exhaustedUntil = Math.max(rate.exhaustedUntil, shared.exhaustedUntil);
  rate.maxRemaining = Math.max(rate.maxRemaining, shared.maxRemaining);
  rate.maxResetInMs = Math.max(rate.maxResetInMs, shared.maxResetInMs);
}

/** The rate of one origin, as the workers of a queue know it. Times are Redis's, in milliseconds since 1970. */
export interface RateRecord extends SharedRate {
  /** The time of the next turn that is free. */
  readonly nextAt: number;
  /** When a hold was last lifted by hand; 0 for never. */
  readonly liftedAt: number;
  /** The status of the last response that asked to wait. */
  readonly statusCode?: number | undefined;
}

/** The state of a queue in Redis that a worker needs. */
interface FleetState {
  readonly timeInMs: number;
  /** Jobs that are due and wait for a worker. */
  readonly waiting: number;
  /** Workers that have polled lately. */
  readonly workers: number;
  readonly rates: ReadonlyMap<string, RateRecord>;
}

/** How far turns are apart, in milliseconds. */
interface TurnIntervals {
  readonly intervalInMs: number;
  /** The same for turns after the window in which few requests remain. */
  readonly sustainedInMs: number;
}

/** The result of a reservation. */
interface ReservedTurn {
  readonly waitInMs: number;
  /** `undefined` if no worker knows a limit. */
  readonly record: RateRecord | undefined;
}

/** A learned rate grows back in 17 minutes at most, after the longest Retry-After: a day. */
const fadeInMs = 1_200_000;
const expiryInMs = 86_400_000 + 2 * fadeInMs;
/** A worker that has not polled for so long sends no requests that would count. */
const workerExpiryInMs = 10_000;
/** The turns after a hold without a rate: a hundred thousand jobs at one moment would be a burst, and block others. */
export const minIntervalAfterHoldInMs = 5;
const negligibleWaitInMs = 100;

/** Shared by the scripts: one hash has a field with JSON for each origin. */
const prelude = `
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local function load(origin)
  local text = redis.call('HGET', KEYS[1], origin)
  return text and cjson.decode(text) or {}
end
local function held(rate)
  return math.max(rate.throttledUntil or 0, rate.exhaustedUntil or 0)
end
local function save(origin, rate, lifetime)
  rate.expiresAt = math.max(rate.expiresAt or 0, held(rate) + ${fadeInMs}, rate.hintedUntil or 0, rate.nextAt or 0, lifetime or 0)
  local text = cjson.encode(rate)
  redis.call('HSET', KEYS[1], origin, text)
  redis.call('PEXPIRE', KEYS[1], ${expiryInMs})
  return text
end
local function live(at)
  local rates, found = redis.call('HGETALL', KEYS[1]), {}
  for index = 1, #rates, 2 do
    if (cjson.decode(rates[index + 1]).expiresAt or 0) <= at then
      redis.call('HDEL', KEYS[1], rates[index])
    else
      table.insert(found, rates[index])
      table.insert(found, rates[index + 1])
    end
  end
  return found
end
`;

const reserveScript: RedisScript = {
  name: "lroPollerReserve",
  numberOfKeys: 1,
  lua: `${prelude}
local rate, at = load(ARGV[1]), now()
local untilFree = held(rate)
if (ARGV[3] == '1' or tonumber(ARGV[2]) == 0) and untilFree <= at then
  return {0, rate.expiresAt and cjson.encode(rate) or ''}
end
-- The clocks differ a little: a turn that comes a moment early keeps its place.
if ARGV[3] == '1' and untilFree - at < ${negligibleWaitInMs} then
  return {math.ceil(untilFree - at), cjson.encode(rate)}
end
local turn = math.max(at, untilFree, rate.nextAt or 0)
local interval = tonumber(turn < (rate.hintedUntil or 0) and ARGV[2] or ARGV[4])
if untilFree > at then interval = math.max(interval, ${minIntervalAfterHoldInMs}) end
rate.nextAt = turn + interval
return {math.ceil(turn - at), save(ARGV[1], rate)}
`,
};

const learnScript: RedisScript = {
  name: "lroPollerLearn",
  numberOfKeys: 1,
  lua: `${prelude}
local rate, news, at = load(ARGV[1]), cjson.decode(ARGV[2]), now()
local function keepMax(name) rate[name] = math.max(rate[name] or 0, news[name]) end
-- A worker that has not heard of a lift yet would renew the hold.
if (rate.liftedAt or 0) > tonumber(ARGV[3]) then return cjson.encode(rate) end
if ARGV[4] ~= '' then
  if (rate.throttledUntil or 0) <= at then
    rate.learnedInMs, rate.beforeInMs, rate.throttlings = 0, 0, 0
  end
  for _, name in ipairs({'learnedInMs', 'beforeInMs', 'throttledUntil', 'throttlings'}) do keepMax(name) end
  rate.statusCode = tonumber(ARGV[4])
end
for _, name in ipairs({'maxRemaining', 'maxResetInMs', 'exhaustedUntil'}) do keepMax(name) end
rate.hintedInMs, rate.hintedUntil = news.hintedInMs, news.hintedUntil
return save(ARGV[1], rate)
`,
};

const liftScript: RedisScript = {
  name: "lroPollerLift",
  numberOfKeys: 1,
  lua: `${prelude}
local rate, at = load(ARGV[1]), now()
local was = held(rate)
if was <= at and (rate.nextAt or 0) <= at then return 0 end
rate.liftedAt, rate.throttledUntil, rate.nextAt = at, math.min(rate.throttledUntil or 0, at), nil
rate.throttlings, rate.hintedInMs, rate.hintedUntil, rate.exhaustedUntil, rate.statusCode = 0, 0, 0, 0, nil
rate.expiresAt = nil
save(ARGV[1], rate, at + ${expiryInMs})
return 1
`,
};

const readScript: RedisScript = {
  name: "lroPollerReadRates",
  numberOfKeys: 1,
  lua: `${prelude}
return live(now())
`,
};

const readOneScript: RedisScript = {
  name: "lroPollerReadRate",
  numberOfKeys: 1,
  lua: "return redis.call('HGET', KEYS[1], ARGV[1]) or ''",
};

const refreshScript: RedisScript = {
  name: "lroPollerRefresh",
  numberOfKeys: 3,
  lua: `${prelude}
local time, at = redis.call('TIME'), now()
redis.call('ZADD', KEYS[2], at, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', at - ${workerExpiryInMs})
redis.call('PEXPIRE', KEYS[2], ${workerExpiryInMs})
return {time, redis.call('LLEN', KEYS[3]), redis.call('ZCARD', KEYS[2]), live(at)}
`,
};

const heldJobsScript: RedisScript = {
  name: "lroPollerHeldJobs",
  numberOfKeys: 1,
  lua: `
local page = redis.call('ZSCAN', KEYS[1], ARGV[1], 'COUNT', 1000)
local held = {}
for index = 1, #page[2], 2 do
  local data = redis.call('HGET', ARGV[2] .. page[2][index], 'data')
  if data and string.find(data, ARGV[3], 1, true)
    and (string.find(data, '"isReserved":true', 1, true) or string.find(data, '"outage":{', 1, true)) then
    table.insert(held, page[2][index])
  end
end
return {page[1], held}
`,
};

/**
 * The rates that the workers of a queue share, in Redis: one for each origin. All keys have the prefix of the queue's
 * keys, so that they are in the same slot of a cluster, and all expire.
 */
export class SharedRates {
  readonly #queue: Queue;

  constructor(queue: Queue) {
    this.#queue = queue;
  }

  /** Registers a worker, and reads what all workers know, in one round trip. */
  async refresh(workerId: string): Promise<FleetState> {
    const keys = [this.#key, this.#queue.toKey("pace:workers"), this.#queue.toKey("wait")];
    const reply = await runScript(this.#queue, refreshScript, [...keys, workerId]);
    const [time, waiting, workers, rates] = parseArray(reply, "refresh", (item) => item);
    return {
      timeInMs: parseTime(time),
      waiting: Number(waiting),
      workers: Number(workers),
      rates: parseRates(rates),
    };
  }

  /** Returns what the workers know. */
  async read(): Promise<ReadonlyMap<string, RateRecord>> {
    return parseRates(await runScript(this.#queue, readScript, [this.#key]));
  }

  /** Returns what the workers know of one origin. */
  async readOne(origin: string): Promise<RateRecord | undefined> {
    const text = await runScript(this.#queue, readOneScript, [this.#key, origin]);
    return text === "" ? undefined : parseRecord(text);
  }

  /** Reserves the next turn. One that was reserved before costs nothing, unless there is a hold. */
  async reserve(
    origin: string,
    { intervalInMs, sustainedInMs }: TurnIntervals,
    isReserved: boolean,
  ): Promise<ReservedTurn> {
    const args = [this.#key, origin, intervalInMs, isReserved ? 1 : 0, sustainedInMs];
    const reply = await runScript(this.#queue, reserveScript, args);
    const [waitInMs, text] = parseArray(reply, "turn", (item) => item);
    return { waitInMs: Number(waitInMs), record: text === "" ? undefined : parseRecord(text) };
  }

  /** Tells the other workers. Returns what all know together. */
  async learn(
    origin: string,
    rate: SharedRate,
    liftedAt: number,
    throttledBy: number | undefined,
  ): Promise<RateRecord> {
    const args = [this.#key, origin, JSON.stringify(rate), liftedAt, throttledBy ?? ""];
    return parseRecord(await runScript(this.#queue, learnScript, args));
  }

  /** Lifts a hold. Returns whether there was one, or a queue of turns. */
  async lift(origin: string): Promise<boolean> {
    return (await runScript(this.#queue, liftScript, [this.#key, origin])) === 1;
  }

  /** Finds the jobs that wait for a turn of an origin, or after a failed poll: a page of some thousand delayed jobs at a time. */
  async *heldJobs(origin: string): AsyncGenerator<readonly string[], void, undefined> {
    // Not that of another port, which starts alike.
    const start = origin === "" ? "" : `${origin}/`;
    let cursor: unknown = "0";
    do {
      const args = [this.#queue.toKey("delayed"), String(cursor), this.#queue.toKey(""), start];
      const reply = await runScript(this.#queue, heldJobsScript, args);
      const [next, ids] = parseArray(reply, "heldJobs", (item) => item);
      yield parseArray(ids, "heldJobs", parseString);
      cursor = next;
    } while (cursor !== "0");
  }

  get #key(): string {
    return this.#queue.toKey("pace");
  }
}

function parseRates(reply: unknown): Map<string, RateRecord> {
  const parts = parseArray(reply, "rates", parseString);
  const rates = new Map<string, RateRecord>();
  for (let index = 0; index < parts.length; index += 2)
    rates.set(parts[index] ?? "", parseRecord(parts[index + 1]));
  return rates;
}

function parseRecord(text: unknown): RateRecord {
  const path = "rate";
  const fields = parseObject(parseJson(parseString(text, path), path), path);
  const numberAt = (name: keyof RateRecord): number =>
    fields[name] === undefined ? 0 : parseNumber(fields[name], `${path}.${name}`);
  return {
    throttledUntil: numberAt("throttledUntil"),
    throttlings: numberAt("throttlings"),
    learnedInMs: numberAt("learnedInMs"),
    beforeInMs: numberAt("beforeInMs"),
    maxRemaining: numberAt("maxRemaining"),
    maxResetInMs: numberAt("maxResetInMs"),
    hintedInMs: numberAt("hintedInMs"),
    hintedUntil: numberAt("hintedUntil"),
    exhaustedUntil: numberAt("exhaustedUntil"),
    nextAt: numberAt("nextAt"),
    liftedAt: numberAt("liftedAt"),
    statusCode: parseOptionalNumber(fields["statusCode"], `${path}.statusCode`),
  };
}
