import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { RedisServer } from "../../examples/redis-server.ts";
import { importing } from "../support/library.ts";

/** Arguments of Node. */
export const preload: readonly string[] = importing("index", "bullmq/index");

/** Worker processes on one queue. */
export interface Workers extends AsyncDisposable {
  /** When each killed process was killed, by `performance.now()`; the keys are process ids. */
  readonly killedAt: ReadonlyMap<number, number>;
  readonly processes: readonly ChildProcess[];
  /** Kills one process, and starts another in its place. */
  killOne(random: () => number): Promise<void>;
}

/** Starts `count` processes with one worker each. */
export async function startWorkers(
  count: number,
  { connection }: RedisServer,
  { endpoint }: { readonly endpoint: string },
  extraEnv: (index: number) => NodeJS.ProcessEnv = () => ({}),
): Promise<Workers> {
  const start = (index: number): ChildProcess =>
    fork(new URL("worker-process.ts", import.meta.url), [], {
      execArgv: ["--no-warnings", ...preload],
      env: { ...process.env, REDIS_PORT: String(connection.port), ENDPOINT: endpoint, ...extraEnv(index) },
    });
  const children = Array.from({ length: count }, (_, index) => start(index));
  await Promise.all(children.map(untilStarted));
  const killedAt = new Map<number, number>();
  return {
    killedAt,
    processes: children,
    async killOne(random) {
      const index = Math.floor(random() * count);
      killedAt.set(children[index]?.pid ?? 0, performance.now());
      await kill(children[index]);
      children[index] = start(index);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(children.map(kill));
    },
  };
}

async function untilStarted(child: ChildProcess): Promise<void> {
  const exited = once(child, "exit").then(([code]: unknown[]) => {
    throw new Error(`a worker exited with ${String(code)} before it had started`);
  });
  await Promise.race([once(child, "message"), exited]);
  exited.catch(() => {});
}

async function kill(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

/** Performs an action about once a second, until `stop` is called. */
export function everySecond(action: (second: number) => Promise<void>): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const loop = (async () => {
    for (let second = 1; !stopping.signal.aborted; second++) {
      await delay(1000, undefined, { signal: stopping.signal }).catch(() => {});
      if (!stopping.signal.aborted) await action(second);
    }
  })();
  return {
    stop: () => {
      stopping.abort();
      return loop;
    },
  };
}
