import { test } from "vitest";
import { isRedisInstalled, missingRedis, startRedis } from "../../examples/redis-server.ts";
import type { RedisServer } from "../../examples/redis-server.ts";

/** In CI a Redis that is missing is a mistake, which the test then fails by. */
const isSkipped = !isRedisInstalled() && process.env["CI"] === undefined;

/** A test against a real Redis; skipped, and saying so, on a machine that has none. */
export function redisTest(name: string, run: (redis: RedisServer) => Promise<void>, timeout = 60_000): void {
  // oxlint-disable-next-line vitest/expect-expect, vitest/valid-title -- who calls this gives both
  test(name, { timeout }, async (context) => {
    if (isSkipped) {
      console.log(`Skipped "${name}": ${missingRedis}`);
      context.skip(missingRedis);
    }
    await using redis = await startRedis();
    await run(redis);
  });
}
