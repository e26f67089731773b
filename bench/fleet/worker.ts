import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { LroClient } from "lro-poller";
import { createStepper, sqlPace } from "lro-poller/durable";
import type { Pace, StepState } from "lro-poller/durable";

/** The ways to share a rate. */
export type Sharing = "nothing" | "process" | "sql";

/** What the fleet tells a worker. */
export interface WorkerSetup {
  readonly endpoint: string;
  readonly databaseUrl: string;
  readonly table: string;
  readonly sharing: Sharing;
  readonly hasRateHeaders: boolean;
  readonly states: readonly StepState[];
}

/** Steps the waits of its states until it is told to stop, and then hands them back: a process of a durable engine. */
async function work(setup: WorkerSetup): Promise<void> {
  const { endpoint, databaseUrl, sharing, table } = setup;
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 4 });
  pool.on("error", console.error);
  const stop = new AbortController();
  process.once("message", () => stop.abort());
  const paces: Record<Sharing, Pace | undefined> = {
    nothing: { turn: () => 0, learn: () => {} },
    process: undefined,
    sql: sqlPace((sql, parameters) => pool.query(sql, parameters).then(({ rows }) => rows), { table }),
  };
  const pace = paces[sharing];
  const client = new LroClient(endpoint, undefined, {
    additionalPolicies: setup.hasRateHeaders ? [] : [{ policy: withoutRateHeaders, position: "perCall" }],
  });
  const stepper = createStepper({ clients: [client], ...(pace && { pace }) });
  const states = await Promise.all(setup.states.map((state) => stepUntil(stop.signal, state)));
  await pool.end();
  process.send?.(states, () => process.disconnect());

  async function stepUntil(signal: AbortSignal, first: StepState): Promise<StepState> {
    let state = first;
    while (!signal.aborted) {
      const dueInMs = Math.max(0, state.dueAt - Date.now());
      await delay(dueInMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) break;
      const result = await stepper.step(state);
      if (result.type === "ended") throw new Error(`a wait ended: ${JSON.stringify(result.outcome)}`);
      ({ state } = result);
    }
    return state;
  }
}

type Policy = NonNullable<
  NonNullable<ConstructorParameters<typeof LroClient>[2]>["additionalPolicies"]
>[number]["policy"];

const withoutRateHeaders: Policy = {
  name: "withoutRateHeaders",
  async sendRequest(request, next) {
    const response = await next(request);
    for (const name of ["limit", "remaining", "reset"]) response.headers.delete(`x-rate-limit-${name}`);
    return response;
  },
};

process.once("message", (setup: WorkerSetup) => void work(setup));
