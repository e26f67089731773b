import { test } from "vitest";
import { isRedisInstalled, missingRedis, startRedis } from "../../examples/redis-server.ts";
import type { RedisServer } from "../../examples/redis-server.ts";

/** In CI a Redis that is missing is a mistake, which the test then fails by. */
export const whyNone: string | undefined =
  !isRedisInstalled() && !process.env["CI"] ? missingRedis : undefined;

/** A test against a real Redis; skipped, and saying so, on a machine that has none. */
export function redisTest(
  name: string,
  run: (redis: RedisServer) => Promise<void>,
  timeout = 60_000,
  whySkipped: string | undefined = whyNone,
): void {
  // oxlint-disable-next-line vitest/expect-expect, vitest/valid-title -- who calls this gives both
  test(name, { timeout }, async (context) => {
    if (whySkipped !== undefined) {
      console.log(`Skipped "${name}": ${whySkipped}`);
      context.skip(whySkipped);
    }
    await using redis = await startRedis();
    await run(redis);
  });
}
