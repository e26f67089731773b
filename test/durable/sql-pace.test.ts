import { Pool } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createPaceTable, createStepper, firstState, resultOf, sqlPace } from "lro-poller/durable";
import type { AsyncPace, ExecuteSql, PaceResult } from "lro-poller/durable";
import { scriptedOperation } from "lro-poller/testing";
import { skipReason, startPostgres } from "../support/postgres.ts";
import type { PostgresServer } from "../support/postgres.ts";
import { silent } from "../bullmq/loggers.ts";

const origin = "https://management.azure.com";
const accepted: PaceResult = { isThrottled: false, durationInMs: 1 };
const throttled: PaceResult = { isThrottled: true, statusCode: 429, durationInMs: 1 };
const due = { origin, isReserved: false };
const reserved = { origin, isReserved: true };

/** Makes this many calls of each process at the same time. */
function callsOf<T>(count: number, fleet: readonly AsyncPace[], call: (pace: AsyncPace) => T): T[] {
  return Array.from({ length: count }, () => fleet.map(call)).flat();
}

if (skipReason !== undefined) console.log(`Skipped "a pace in SQL": ${skipReason}`);

describe.skipIf(skipReason !== undefined)("a pace in SQL", () => {
  let postgres: PostgresServer;
  let pool: Pool;
  let table: string;
  let tables = 0;

  /** Executes statements each on a connection of its own, as the processes of a fleet do. */
  const execute: ExecuteSql = async (sql, parameters) => (await pool.query(sql, parameters)).rows;

  beforeAll(async () => {
    postgres = await startPostgres();
    pool = new Pool({ connectionString: postgres.url, max: 20 });
  });

  afterAll(async () => {
    await pool.end();
    await postgres[Symbol.asyncDispose]();
  });

  beforeEach(async () => {
    table = `pace_${++tables}`;
    await createPaceTable(execute, { table });
  });

  /** The pace of another process. */
  function pace(): AsyncPace {
    return sqlPace(execute, { table });
  }

  async function setRow(values: string): Promise<void> {
    await pool.query(`update ${table} set ${values}`);
  }

  async function row(): Promise<{ intervalInMs: number; heldForInMs: number }> {
    const { rows } = await pool.query(
      `select interval_in_ms as "intervalInMs",
        (extract(epoch from hold_until - clock_timestamp()) * 1000)::float8 as "heldForInMs" from ${table}`,
    );
    return rows[0];
  }

  /** Lets this much of the database's time pass, as the row sees it. */
  async function age(byInMs: number): Promise<void> {
    const { rows } = await pool.query(`select rates from ${table}`);
    const rates: Record<string, number | null> = JSON.parse(rows[0].rates);
    for (const name of ["since", "heldUntil", "hintedUntil", "exhaustedUntil"])
      rates[name] = rates[name] == null ? null : rates[name] - byInMs;
    const passed = (column: string): string => `${column} = ${column} - ${byInMs} * interval '1 ms'`;
    await pool.query(
      `update ${table} set rates = $1,
        ${["turn_at", "next_at", "hold_until", "window_ends_at"].map(passed).join(", ")}`,
      [JSON.stringify(rates)],
    );
  }

  test("has a table that many processes can create at once, in a schema too", async () => {
    await pool.query("create schema if not exists waits");
    for (const name of ["lro_poller_pace", "waits.Pace"]) {
      const options = { table: name };
      await Promise.all(Array.from({ length: 20 }, () => createPaceTable(execute, options)));
      expect(await sqlPace(execute, options).turn(due)).toBe(0);
    }
    expect(await sqlPace(execute).turn(due)).toBe(0);
  });

  test("lets all requests go while no limit is known", async () => {
    const fleet = [pace(), pace()];
    const waits = await Promise.all(callsOf(10, fleet, (process) => process.turn(due)));
    expect(waits).toEqual(waits.map(() => 0));
  });

  test("gives the turns of calls at the same time one interval apart, whichever process makes them", async () => {
    await pace().turn(due);
    await setRow("interval_in_ms = 60000, sustained_interval_in_ms = 60000");
    const fleet = [pace(), pace(), pace(), pace()];
    const waits = await Promise.all(callsOf(10, fleet, (process) => process.turn(due)));
    // Each call takes far less than an interval, so rounding tells the turns.
    const turns = waits.map((wait) => Math.ceil(wait / 60_000)).toSorted((a, b) => a - b);
    expect(turns).toEqual(Array.from({ length: 40 }, (_, index) => index));
  });

  test("keeps the turns of origins apart", async () => {
    await pace().turn(due);
    await setRow("interval_in_ms = 60000, sustained_interval_in_ms = 60000");
    await pace().turn(due);
    expect(await pace().turn({ origin: "https://other.example", isReserved: false })).toBe(0);
    expect(await pace().turn(due)).toBeGreaterThan(50_000);
  });

  test("charges nothing for a turn that was reserved", async () => {
    await pace().turn(due);
    await setRow("interval_in_ms = 60000, sustained_interval_in_ms = 60000");
    await pace().turn(due);
    expect(await pace().turn(reserved)).toBe(0);
    expect(await pace().turn(reserved)).toBe(0);
    expect(Math.ceil((await pace().turn(due)) / 60_000)).toBe(1);
  });

  test("holds the requests of all processes for a Retry-After, reserved ones too, and then one after the other", async () => {
    for (let count = 0; count < 30; count++) await pace().learn(origin, accepted);
    await age(30_000);
    await pace().learn(origin, { ...throttled, retryAfterInMs: 3_600_000 });
    await setRow("interval_in_ms = 60000, sustained_interval_in_ms = 60000");
    const waits = [await pace().turn(reserved), await pace().turn(reserved), await pace().turn(due)];
    expect(waits.map((wait) => Math.ceil(wait / 60_000))).toEqual([60, 61, 62]);
  });

  test("holds requests for a day at most", async () => {
    await pace().learn(origin, { ...throttled, retryAfterInMs: 1e12 });
    const waitInMs = await pace().turn(due);
    expect(waitInMs).toBeLessThanOrEqual(86_400_000);
    expect(waitInMs).toBeGreaterThan(86_000_000);
  });

  test("lets reserved turns go again when a hold is over", async () => {
    await pace().learn(origin, { ...throttled, statusCode: 503, retryAfterInMs: 60_000 });
    await age(60_000);
    expect(await pace().turn(reserved)).toBe(0);
    expect(await pace().turn(due)).toBe(0);
  });

  test("does not restore a hold that an operator has lifted", async () => {
    await pace().learn(origin, { ...throttled, statusCode: 503, retryAfterInMs: 3_600_000 });
    await setRow("hold_until = now()");
    await pace().learn(origin, accepted);
    expect(await pace().turn(due)).toBe(0);
    await pace().learn(origin, { ...throttled, statusCode: 503, retryAfterInMs: 7_200_000 });
    expect(await pace().turn(due)).toBeGreaterThan(7_000_000);
  });

  test("learns the rate of the fleet, of which each process sees a part", async () => {
    const fleet = Array.from({ length: 5 }, pace);
    for (let second = 0; second < 30; second++) {
      await Promise.all(callsOf(2, fleet, (process) => process.learn(origin, accepted)));
      await age(1000);
    }
    // 300 requests in 30 s, and no more for 30 s: what a limit of 300 a minute looks like.
    await fleet[0]?.learn(origin, { ...throttled, retryAfterInMs: 30_000 });
    const { intervalInMs } = await row();
    expect(60_000 / intervalInMs).toBeGreaterThan(270);
    expect(60_000 / intervalInMs).toBeLessThan(300);
  });

  test("loses no response of processes that learn at the same time", async () => {
    await Promise.all(Array.from({ length: 40 }, () => pace().learn(origin, accepted)));
    const { rows } = await pool.query(`select rates from ${table}`);
    expect(JSON.parse(rows[0].rates)).toMatchObject({ accepted: 40 });
  });

  test("lets the rate grow after a 429, in the row too", async () => {
    for (let count = 0; count < 30; count++) await pace().learn(origin, accepted);
    await age(30_000);
    await pace().learn(origin, { ...throttled, retryAfterInMs: 30_000 });
    const learned = await row();
    await age(30_000 + 300_000);
    await pace().learn(origin, accepted);
    expect((await row()).intervalInMs / learned.intervalInMs).toBeCloseTo(Math.exp(-1), 1);
    await age(3_000_000);
    await pace().learn(origin, accepted);
    expect((await row()).intervalInMs).toBe(0);
  });

  test("spreads the few requests that remain over the rest of their window, and not beyond it", async () => {
    await pace().learn(origin, { ...accepted, rateLimit: { remaining: 15, resetInMs: 300_000 } });
    await pace().learn(origin, { ...accepted, rateLimit: { remaining: 5, resetInMs: 240_000 } });
    const waits: number[] = [];
    for (let count = 0; count < 8; count++) waits.push(await pace().turn(due));
    // The next window has 15 requests in 300 s.
    expect(waits.map((wait) => 4 * Math.ceil(wait / 4000))).toEqual([0, 48, 96, 144, 192, 240, 260, 280]);
  });

  test("holds all requests at once when none remains", async () => {
    await pace().learn(origin, { ...accepted, rateLimit: { remaining: 0, resetInMs: 50_000 } });
    expect(await pace().turn(due)).toBeGreaterThan(40_000);
  });

  test("shares responses together that come while others are shared", async () => {
    const statements: string[] = [];
    const counting: ExecuteSql = (sql, parameters) => {
      statements.push(sql);
      return execute(sql, parameters);
    };
    const process = sqlPace(counting, { table });
    await Promise.all(Array.from({ length: 50 }, () => process.learn(origin, accepted)));
    expect(statements.length).toBeLessThanOrEqual(4);
    const { rows } = await pool.query(`select rates from ${table}`);
    expect(JSON.parse(rows[0].rates)).toMatchObject({ accepted: 50 });
  });

  test("shares responses again after an error", async () => {
    const failing: ExecuteSql = (sql, parameters) =>
      isDown ? Promise.reject(new Error("down")) : execute(sql, parameters);
    let isDown = true;
    const process = sqlPace(failing, { table });
    const lost = [process.learn(origin, accepted), process.learn(origin, accepted)];
    expect(await Promise.allSettled(lost)).toMatchObject([{ reason: { message: "down" } }, { reason: {} }]);
    isDown = false;
    await process.learn(origin, { ...throttled, retryAfterInMs: 60_000 });
    expect(await process.turn(due)).toBeGreaterThan(50_000);
  });

  test("takes over what it knows of a row that another version wrote", async () => {
    await pace().learn(origin, accepted);
    await setRow(`rates = '{"accepted": 7, "since": "soon", "ofTomorrow": 1}'`);
    await pace().learn(origin, { ...throttled, retryAfterInMs: 30_000 });
    const { rows } = await pool.query(`select rates from ${table}`);
    expect(JSON.parse(rows[0].rates)).toMatchObject({ accepted: 7, since: null });
    expect(JSON.parse(rows[0].rates)).not.toHaveProperty("ofTomorrow");
  });

  test("makes the steps of a wait wait", async () => {
    const operation = scriptedOperation(["Running"]);
    const key = { ...reserved, origin: "" };
    await pace().learn(key.origin, { ...throttled, retryAfterInMs: 3_600_000 });
    const stepper = createStepper({ resolveOperation: () => operation, pace: pace() });
    const result = await stepper.step(firstState(operation));
    expect(result).toMatchObject({ type: "again", state: { isReserved: true } });
    expect(operation.polls).toEqual([]);
  });

  test("costs no poll when the database is gone", async () => {
    const gone: ExecuteSql = () => pool.query("select * from no_such_table").then(({ rows }) => rows);
    const errors: string[] = [];
    const note = (message: unknown): void => void errors.push(String(message));
    const operation = scriptedOperation([{ status: "Succeeded", properties: 7 }]);
    const stepper = createStepper({
      resolveOperation: () => operation,
      pace: sqlPace(gone),
      logger: { ...silent, error: note },
    });
    const result = await stepper.step(firstState(operation));
    expect(result.type === "ended" && resultOf(result.outcome)).toBe(7);
    const missing = expect.stringContaining('relation "no_such_table" does not exist');
    expect(errors).toEqual([missing, missing]);
  });
});

test.each([
  ["a;drop table x", "table: expected an identifier"],
  ["", "table: expected an identifier"],
  ["a.b.c", "table: expected an identifier"],
  [`a"b`, "table: expected an identifier"],
  [7, "table: expected an identifier"],
])("a table named %j is refused", async (table, message) => {
  const execute: ExecuteSql = () => Promise.reject(new Error("sent"));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a caller in JavaScript has no types
  const options = { table } as { table: string };
  expect(() => sqlPace(execute, options)).toThrow(message);
  await expect(createPaceTable(execute, options)).rejects.toThrow(message);
});

test.each<[string, unknown, string]>([
  ["no rows", undefined, "execute: expected a promise of an array of one row, got undefined"],
  ["the result in place of its rows", { rows: [] }, "execute: expected a promise of an array of one row"],
  ["a row as an array", [[5]], "execute: expected a row with a number wait_in_ms, got undefined"],
])("an execute that returns %s is named", async (_, rows, message) => {
  // @ts-expect-error A driver in JavaScript has no types.
  const execute: ExecuteSql = () => Promise.resolve(rows);
  await expect(async () => sqlPace(execute).turn(due)).rejects.toThrow(message);
});

test("an execute that is no function is named", () => {
  // @ts-expect-error A caller in JavaScript has no types.
  expect(() => sqlPace({})).toThrow("execute: expected a function, got object");
});
