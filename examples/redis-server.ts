import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** A Redis server on the loopback address, with its data in a temporary folder. */
export interface RedisServer extends AsyncDisposable {
  readonly connection: { readonly host: string; readonly port: number };
  /** Ends the server by this signal, and starts it again with its data on disk. */
  restart(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
}

/** Whether this machine has a redis-server. */
export function isRedisInstalled(): boolean {
  return spawnSync("redis-server", ["--version"]).status === 0;
}

/** The message for a machine without a redis-server. */
export const missingRedis = "redis-server is not installed (Debian: apt-get install redis-server)";

/** Starts Redis with an append-only file, and with these arguments. */
export async function startRedis(settings: readonly string[] = []): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), "redis-"));
  const port = await freePort();
  let child = await launch(folder, port, settings);
  return {
    connection: { host: "127.0.0.1", port },
    restart: async (signal) => {
      await stop(child, signal);
      child = await launch(folder, port, settings);
    },
    [Symbol.asyncDispose]: async () => {
      await stop(child, "SIGKILL");
      rmSync(folder, { recursive: true });
    },
  };
}

async function launch(folder: string, port: number, settings: readonly string[]): Promise<ChildProcess> {
  const where = ["--bind", "127.0.0.1", "--port", String(port), "--dir", folder];
  const child = spawn("redis-server", [...where, "--appendonly", "yes", "--save", "", ...settings], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.includes("Ready to accept connections")) break;
  }
  if (child.exitCode !== null) throw new Error(`redis-server ended with ${child.exitCode}`);
  child.stdout.resume();
  return child;
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const ended = once(child, "exit");
  child.kill(signal);
  await ended;
}

/** Returns a port of the loopback address that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (typeof address === "object" && address) return address.port;
  throw new Error("no port to listen on");
}
