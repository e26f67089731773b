import { test } from "vitest";
import { isRedisInstalled, missingRedis, startRedis } from "../../examples/redis-server.ts";
import type { RedisServer } from "../../examples/redis-server.ts";

/** Why tests skip without Redis. In CI a missing Redis is a mistake, so the tests fail there instead. */
export const skipReason: string | undefined =
  !isRedisInstalled() && !process.env["CI"] ? missingRedis : undefined;

/** Runs a test against a real Redis. On a machine without one the test is skipped and says so. */
export function redisTest(
  name: string,
  run: (redis: RedisServer) => Promise<void>,
  timeout = 120_000,
  reason: string | undefined = skipReason,
): void {
  // oxlint-disable-next-line vitest/expect-expect, vitest/valid-title -- the caller gives both
  test(name, { timeout }, async (context) => {
    if (reason !== undefined) {
      console.log(`Skipped "${name}": ${reason}`);
      context.skip(reason);
    }
    // By default a killed Redis may lose what it has confirmed in the last seconds, if the disk is busy.
    await using redis = await startRedis(["--appendfsync", "always"]);
    await run(redis);
  });
}
