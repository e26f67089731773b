import { systemClock } from "../clock.ts";
import { RateEstimator } from "../limiter/rate-estimator.ts";
import { isObject } from "../operation/json-object.ts";
import { checkFunction } from "../validate.ts";
import type { Pace, PaceRequest, PaceResult } from "./pace.ts";

/**
 * Executes one statement of PostgreSQL, with the parameters `$1`, `$2` and so on, and returns its rows.
 *
 * @example
 * ```ts
 * const execute: ExecuteSql = async (sql, parameters) => (await pool.query(sql, parameters)).rows;
 * ```
 */
export type ExecuteSql = (sql: string, parameters: SqlParameter[]) => Promise<readonly unknown[]>;

/** A parameter of a statement. */
export type SqlParameter = string | number | boolean | null;

/** A pace that needs other processes for all that it does. */
export interface AsyncPace extends Pace {
  /** Reserves a turn, as {@link Pace.turn} says. */
  turn(request: PaceRequest): Promise<number>;
  /** Learns from a response, as {@link Pace.learn} says. */
  learn(origin: string, result: PaceResult): Promise<void>;
}

/** Options of {@link sqlPace} and {@link createPaceTable}. */
export interface SqlPaceOptions {
  /** The name of the table, possibly with that of its schema: `schema.table`. Default `lro_poller_pace`. */
  readonly table?: string;
}

/**
 * Creates the table of {@link sqlPace}, unless it exists. Processes may call it at the same time.
 *
 * @throws RangeError if `table` is no identifier; the errors of `execute`
 */
export async function createPaceTable(execute: ExecuteSql, options: SqlPaceOptions = {}): Promise<void> {
  checkFunction("execute", execute);
  const table = quotedTable(options.table);
  // "if not exists" alone fails for one of two processes that create a table at the same time.
  const sql = `do $create$ begin
  perform pg_advisory_xact_lock(hashtext('lro-poller pace'));
  create table if not exists ${table} (
    origin text primary key,
    turn_at timestamptz not null,
    next_at timestamptz not null,
    hold_until timestamptz not null default '-infinity',
    interval_in_ms float8 not null default 0,
    sustained_interval_in_ms float8 not null default 0,
    window_ends_at timestamptz not null default '-infinity',
    rates text not null default '{}'
  );
end $create$`;
  await execute(sql, []);
}

/**
 * Shares the rate of requests, and a service's Retry-After, among all processes that use one table of PostgreSQL. Create
 * the table with {@link createPaceTable}.
 *
 * A turn costs one statement, a response two. Responses that come while the process shares others are shared together.
 *
 * @example
 * ```ts
 * const execute: ExecuteSql = async (sql, parameters) => (await pool.query(sql, parameters)).rows;
 * await createPaceTable(execute);
 * const stepper = createStepper({ clients: [client], pace: sqlPace(execute) });
 * ```
 * @throws TypeError or RangeError that names the argument that is wrong
 */
export function sqlPace(execute: ExecuteSql, options: SqlPaceOptions = {}): AsyncPace {
  checkFunction("execute", execute);
  return new SqlPace(execute, quotedTable(options.table));
}

/** Of processes that write at the same time, one succeeds: a hundred of them share within a hundred attempts. */
const maxAttempts = 100;

interface SeenResponse {
  readonly at: number;
  readonly result: PaceResult;
}

/** The responses of one origin that this process has not shared yet. */
interface Unshared {
  responses: SeenResponse[];
  /** Settles when the responses before these are shared. */
  current: Promise<void>;
  /** Settles when these are shared. */
  next: Promise<void> | undefined;
}

/** One row for each origin. All its times are of the database's clock. */
class SqlPace implements AsyncPace {
  readonly #execute: ExecuteSql;
  readonly #unshared = new Map<string, Unshared>();
  readonly #table: string;

  constructor(execute: ExecuteSql, table: string) {
    this.#execute = execute;
    this.#table = table;
  }

  async turn({ origin, isReserved }: PaceRequest): Promise<number> {
    const row = await this.#firstRow(turnSql(this.#table), [origin, isReserved]);
    return Math.max(0, parseNumber(row, "wait_in_ms"));
  }

  learn(origin: string, result: PaceResult): Promise<void> {
    const unshared = this.#unsharedOf(origin);
    unshared.responses.push({ at: systemClock.now(), result });
    unshared.next ??= this.#shareNext(origin, unshared);
    return unshared.next;
  }

  #unsharedOf(origin: string): Unshared {
    const known = this.#unshared.get(origin);
    if (known) return known;
    const unshared = { responses: [], current: Promise.resolve(), next: undefined };
    this.#unshared.set(origin, unshared);
    return unshared;
  }

  async #shareNext(origin: string, unshared: Unshared): Promise<void> {
    await unshared.current.catch(() => {});
    const { responses } = unshared;
    unshared.responses = [];
    unshared.next = undefined;
    unshared.current = this.#share(origin, responses);
    await unshared.current;
  }

  /** Compares and sets: a lock would need a transaction, which a pool of connections does not promise. */
  async #share(origin: string, responses: readonly SeenResponse[]): Promise<void> {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const row = await this.#firstRow(readSql(this.#table), [origin]);
      const now = parseNumber(row, "now_in_ms");
      const before = parseText(row, "rates");
      const rates = parseRates(before);
      const heldUntil = rates.throttledUntil;
      // The age of a response needs no two clocks that agree.
      for (const { at, result } of responses) rates.record(now - (systemClock.now() - at), result);
      // Only a new hold is written: an operator may have lifted the last one.
      const newHold = rates.throttledUntil > heldUntil ? rates.throttledUntil : null;
      const written = await this.#execute(writeSql(this.#table), [
        origin,
        before,
        JSON.stringify(rates),
        newHold,
        rates.intervalInMs(now),
        rates.sustainedIntervalInMs(now),
        Math.max(0, rates.hintedUntil),
      ]);
      if (written.length > 0) return;
    }
    throw new Error(
      `the row of ${origin} in ${this.#table} was changed before each of ${maxAttempts} writes`,
    );
  }

  async #firstRow(sql: string, parameters: SqlParameter[]): Promise<unknown> {
    const rows: unknown = await this.#execute(sql, parameters);
    if (Array.isArray(rows) && rows.length === 1) return rows[0];
    const received = Array.isArray(rows) ? `${rows.length} rows` : typeof rows;
    throw new TypeError(`execute: expected a promise of an array of one row, got ${received}`);
  }
}

const identifier = /^[A-Za-z_]\w{0,62}$/;

function quotedTable(table = "lro_poller_pace"): string {
  const parts = typeof table === "string" ? table.split(".") : [];
  if (parts.length > 0 && parts.length <= 2 && parts.every((part) => identifier.test(part)))
    return parts.map((part) => `"${part}"`).join(".");
  throw new RangeError(
    `table: expected an identifier such as my_table or my_schema.my_table, got ${JSON.stringify(table)}`,
  );
}

/** Parameters: origin, and whether the turn is reserved. The row is locked before its values are read. */
function turnSql(table: string): string {
  return `insert into ${table} as pace (origin, turn_at, next_at)
values ($1, clock_timestamp(), clock_timestamp())
on conflict (origin) do update set (turn_at, next_at) = (
  select at, case when is_free then pace.next_at else least(
    at + pace.interval_in_ms * interval '1 ms',
    greatest(at + pace.sustained_interval_in_ms * interval '1 ms', pace.window_ends_at)
  ) end
  from (select $2::boolean and pace.hold_until <= excluded.turn_at as is_free) as reserved,
  lateral (select case when is_free then excluded.turn_at
    else greatest(excluded.turn_at, pace.hold_until, pace.next_at) end as at) as turn
)
returning (extract(epoch from turn_at - clock_timestamp()) * 1000)::float8 as wait_in_ms`;
}

/** Parameter: origin. */
function readSql(table: string): string {
  return `select (extract(epoch from clock_timestamp()) * 1000)::float8 as now_in_ms,
  coalesce((select rates from ${table} where origin = $1), '{}') as rates`;
}

/** Parameters: origin, rates as they were read, rates, hold, interval, lasting interval, end of the window. */
function writeSql(table: string): string {
  return `insert into ${table} as pace
  (origin, turn_at, next_at, rates, hold_until, interval_in_ms, sustained_interval_in_ms, window_ends_at)
values ($1, clock_timestamp(), clock_timestamp(), $3,
  coalesce(to_timestamp($4::float8 / 1000), '-infinity'), $5::float8, $6::float8, to_timestamp($7::float8 / 1000))
on conflict (origin) do update set
  rates = excluded.rates,
  hold_until = greatest(pace.hold_until, excluded.hold_until),
  interval_in_ms = excluded.interval_in_ms,
  sustained_interval_in_ms = excluded.sustained_interval_in_ms,
  window_ends_at = excluded.window_ends_at
where pace.rates = $2
returning origin`;
}

function parseNumber(row: unknown, column: string): number {
  const value = isObject(row) ? row[column] : undefined;
  // Some drivers return numbers as text.
  const number = typeof value === "string" ? Number(value) : value;
  if (typeof number === "number" && Number.isFinite(number)) return number;
  throw new TypeError(`execute: expected a row with a number ${column}, got ${typeof value}`);
}

function parseText(row: unknown, column: string): string {
  const value = isObject(row) ? row[column] : undefined;
  if (typeof value === "string") return value;
  throw new TypeError(`execute: expected a row with a text ${column}, got ${typeof value}`);
}

/** Takes over what this version knows: an older or a newer one may have written it. */
function parseRates(text: string): RateEstimator {
  const rates = new RateEstimator();
  const fields: unknown = JSON.parse(text);
  const known = Object.entries(isObject(fields) ? fields : {}).filter(
    ([name, value]) => Object.hasOwn(rates, name) && typeof value === "number",
  );
  return Object.assign(rates, Object.fromEntries(known));
}
