import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Redis } from "ioredis";
import type { Pool } from "pg";
import { expect, onTestFinished, test, vi } from "vitest";
import { firstState, resultOf } from "lro-poller/durable";
import type { Pace, StepResult, Stepper } from "lro-poller/durable";
import { startOperationServer } from "lro-poller/testing";
import { skipReason, startPostgres } from "../support/postgres.ts";
import { redisTest } from "../support/redis.ts";

const blocks = readFileSync("docs/pace.md", "utf8").matchAll(/```ts\n([\s\S]*?)```/g);
const [withSql = "", withRedis = ""] = Array.from(blocks, ([, code = ""]) => code);

interface Exports {
  readonly stepper: Stepper;
  readonly pace: Pace;
  readonly pool: Pool;
  readonly redis: Redis;
}

/** Runs a program of the page, in a folder inside the repository, so that imports find the packages. */
async function exportsOf(code: string): Promise<Exports> {
  const folder = mkdtempSync(join(import.meta.dirname, "page-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "program.ts");
  writeFileSync(file, code.replace(/^const (pool|redis)/m, "export const $1"));
  return import(file);
}

if (skipReason !== undefined) console.log(`Skipped "the program with PostgreSQL": ${skipReason}`);

test.skipIf(skipReason !== undefined)("the program with PostgreSQL makes steps", async () => {
  await using postgres = await startPostgres();
  await using server = await startOperationServer();
  vi.stubEnv("DATABASE_URL", postgres.url);
  // The emulator uses plain HTTP, over which no credential is sent.
  const code = withSql
    .replace('"https://management.azure.com", new DefaultAzureCredential()', JSON.stringify(server.endpoint))
    .replace(/^import .*identity";\n/m, "");
  const { stepper, pool } = await exportsOf(code);
  const { operationLocation } = server.addOperation({ timeline: [{ status: "Succeeded", properties: 7 }] });
  const result: StepResult = await stepper.step(firstState(operationLocation));
  await pool.end();
  expect(result.type === "ended" && resultOf(result.outcome)).toBe(7);
});

redisTest("the program with Redis gives turns, and holds them for a Retry-After", async ({ connection }) => {
  vi.stubEnv("REDIS_URL", `redis://${connection.host}:${connection.port}`);
  const { pace, redis } = await exportsOf(withRedis.replace("intervalInMs = 200", "intervalInMs = 60_000"));
  const due = { origin: "https://management.azure.com", isReserved: false };
  const reserved = { ...due, isReserved: true };
  const turns = await Promise.all([pace.turn(due), pace.turn(due), pace.turn(due)]);
  expect(turns.map((wait) => Math.ceil(wait / 60_000))).toEqual([0, 1, 2]);
  expect(await pace.turn(reserved)).toBe(0);
  await pace.learn(due.origin, {
    isThrottled: true,
    statusCode: 429,
    retryAfterInMs: 600_000,
    durationInMs: 1,
  });
  const held = [await pace.turn(reserved), await pace.turn(reserved)];
  expect(held.map((wait) => Math.ceil(wait / 60_000))).toEqual([10, 11]);
  redis.disconnect();
});
