import { Queue } from "bullmq";
import { Redis } from "ioredis";
import type { RateLimit } from "lro-poller";
import { expect } from "vitest";
import { RedisPace } from "../../src/bullmq/redis-pace.ts";
import { redisTest } from "../support/redis.ts";

const origin = "https://one.example";
const other = "https://other.example";
const accepted = { isThrottled: false, durationInMs: 1000 };
const throttled = { isThrottled: true, durationInMs: 1000 };
const dayInMs = 86_400_000;

async function paceOf(raw: Queue, concurrency = 1): Promise<RedisPace> {
  const pace = new RedisPace(raw, concurrency, (error) => expect.unreachable(String(error)));
  await pace.start();
  return pace;
}

redisTest(
  "a hold of one origin holds no other, in every worker, also one that starts later",
  async (redis) => {
    const raw = new Queue("operations", redis);
    const pace = await paceOf(raw);
    await pace.learn(origin, { ...throttled, statusCode: 503, retryAfterInMs: 3_600_000 });
    for (const worker of [pace, await paceOf(raw)]) {
      for (const isReserved of [false, true]) {
        expect(await worker.turn({ origin, isReserved })).toBeGreaterThan(3_590_000);
        expect(await worker.turn({ origin: other, isReserved })).toBe(0);
      }
    }
    await raw.close();
  },
);

redisTest("a worker that runs learns of a hold when it next reads the state of Redis", async (redis) => {
  const raw = new Queue("operations", redis);
  const [one, two] = [await paceOf(raw), await paceOf(raw)];
  await one.learn(origin, { ...throttled, retryAfterInMs: 60_000 });
  await two.refreshIfOld(-1);
  expect(await two.turn({ origin, isReserved: false })).toBeGreaterThan(50_000);
  await raw.close();
});

redisTest("a longer Retry-After that another worker got is not cut short", async (redis) => {
  const raw = new Queue("operations", redis);
  const [one, two] = [await paceOf(raw), await paceOf(raw)];
  await one.learn(origin, { ...throttled, retryAfterInMs: 60_000 });
  await two.learn(origin, { ...throttled, retryAfterInMs: 1000 });
  for (const worker of [one, two])
    expect(await worker.turn({ origin, isReserved: false })).toBeGreaterThan(50_000);
  await raw.close();
});

redisTest("a 429 whose Retry-After is no duration holds polls for the backoff", async (redis) => {
  const raw = new Queue("operations", redis);
  for (const retryAfterInMs of [NaN, -1]) {
    const pace = await paceOf(raw);
    await pace.learn(`${origin}:${retryAfterInMs}`, { ...throttled, retryAfterInMs });
    expect(await pace.turn({ origin: `${origin}:${retryAfterInMs}`, isReserved: false })).toBeGreaterThan(0);
  }
  await raw.close();
});

redisTest("workers take turns at the interval that one of them has learned", async (redis) => {
  const raw = new Queue("operations", redis);
  const [one, two] = [await paceOf(raw), await paceOf(raw)];
  await one.learn(origin, { ...accepted, rateLimit: { remaining: 60, resetInMs: 60_000 } });
  await one.learn(origin, { ...accepted, rateLimit: { remaining: 0, resetInMs: 60_000 } });
  await two.refreshIfOld(-1);
  const turns: number[] = [];
  for (const worker of [one, two, one, two]) turns.push(await worker.turn({ origin, isReserved: false }));
  const gaps = turns.slice(1).map((turn, index) => turn - (turns[index] ?? 0));
  // After the window in which nothing remains, as many as it accepts in one.
  expect(turns[0]).toBeGreaterThan(59_000);
  for (const gap of gaps) expect(Math.abs(gap - 1000)).toBeLessThan(200);
  // A turn that has come costs nothing, if there is no hold.
  await one.learn(other, { ...accepted, rateLimit: { remaining: 1000, resetInMs: 60_000 } });
  await one.learn(other, { ...accepted, rateLimit: { remaining: 60, resetInMs: 60_000 } });
  expect(await one.turn({ origin: other, isReserved: false })).toBe(0);
  expect(await one.turn({ origin: other, isReserved: true })).toBe(0);
  expect(await one.turn({ origin: other, isReserved: false })).toBeGreaterThan(900);
  await raw.close();
});

redisTest("a worker sends no command for the pace while there is no limit", async (redis) => {
  const raw = new Queue("operations", redis);
  const pace = await paceOf(raw);
  const client = new Redis(redis.connection);
  const commands = async (): Promise<number> =>
    Number(/^total_commands_processed:(\d+)/m.exec(await client.info("stats"))?.[1]);
  const before = await commands();
  for (let polls = 0; polls < 20; polls++) {
    expect(await pace.turn({ origin, isReserved: false })).toBe(0);
    await pace.learn(origin, { ...accepted, rateLimit: { remaining: 1000 - polls, resetInMs: 60_000 } });
  }
  // That of the count itself.
  expect(await commands()).toBe(before + 1);
  client.disconnect();
  await raw.close();
});

redisTest("nothing that a worker wrote is kept for ever, or counts after its time", async (redis) => {
  const raw = new Queue("operations", redis);
  const client = new Redis(redis.connection);
  const pace = await paceOf(raw);
  await pace.learn(origin, { ...throttled, retryAfterInMs: 400 * dayInMs });
  const keys = await client.keys("*pace*");
  expect(keys.toSorted()).toEqual(["bull:operations:pace", "bull:operations:pace:workers"]);
  for (const key of keys) {
    const ttl = await client.pttl(key);
    expect(ttl).toBeGreaterThan(0);
    expect(ttl).toBeLessThan(1.1 * dayInMs);
  }
  expect(await pace.turn({ origin, isReserved: false })).toBeLessThanOrEqual(dayInMs + 100);
  // The worker dies; its time passes.
  const written: object = JSON.parse((await client.hget("bull:operations:pace", origin)) ?? "");
  const past = Object.entries(written).map(([name, value]) => [
    name,
    typeof value === "number" && value > 1e12 ? value - 2 * dayInMs : value,
  ]);
  await client.hset("bull:operations:pace", origin, JSON.stringify(Object.fromEntries(past)));
  const later = await paceOf(raw);
  expect(await later.turn({ origin, isReserved: false })).toBe(0);
  expect(await client.exists("bull:operations:pace")).toBe(0);
  client.disconnect();
  await raw.close();
});

redisTest("the price of a poll includes the time that other jobs wait for it", async (redis) => {
  const raw = new Queue("operations", redis);
  /** Returns by what share the jobs that wait raise the price of a poll: 0 if none waits. Intervals grow with its root. */
  const addedPrice = (pace: RedisPace, of = origin): number => {
    const added = pace.stretch(of, 1000) ** 2 - 1;
    expect(pace.stretch(of, 10_000) ** 2 - 1).toBeCloseTo(added / 10, 1);
    return added;
  };
  const polled = async (limits: readonly RateLimit[], concurrency = 1): Promise<RedisPace> => {
    const pace = await paceOf(raw, concurrency);
    for (const rateLimit of limits) await pace.learn(origin, { ...accepted, rateLimit });
    await pace.refreshIfOld(-1);
    return pace;
  };
  const plenty = [{ remaining: 1000, resetInMs: 60_000 }];
  const scarce = [...plenty, { remaining: 60, resetInMs: 60_000 }];
  expect(addedPrice(await polled(plenty))).toBe(0);
  // Each of 20 jobs that wait for their turn waits 1 s longer.
  const pace = await polled(scarce);
  for (let turns = 0; turns < 20; turns++) await pace.turn({ origin, isReserved: false });
  expect(addedPrice(pace)).toBeGreaterThan(19);
  expect(addedPrice(pace)).toBeLessThanOrEqual(20.1);
  expect(addedPrice(pace, other)).toBe(0);
  // A poll of 1 s counts as a twentieth of it: each of 20 jobs that wait for a worker waits 50 ms longer.
  await raw.addBulk(Array.from({ length: 20 }, () => ({ name: "operation", data: {} })));
  await pace.refreshIfOld(-1);
  expect(addedPrice(pace, other)).toBeGreaterThan(0.3);
  await raw.close();
});
