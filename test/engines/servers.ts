import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort, isRedisInstalled, missingRedis, startRedis } from "../../examples/redis-server.ts";
import { isPostgresInstalled, missingPostgres, startPostgres } from "../support/postgres.ts";
import { examplesFolder } from "./examples.ts";

/** A program that an engine keeps its state in. */
export interface EngineServer extends AsyncDisposable {
  /** How a client connects, as JSON. */
  readonly connection: string;
}

/** A server that runs on this machine, once it is installed. */
export interface EngineServerKind {
  /** Returns what to install, if it is missing. */
  missing(): string | undefined;
  start(): Promise<EngineServer>;
}

export const postgres: EngineServerKind = {
  missing: () => (isPostgresInstalled ? undefined : missingPostgres),
  async start() {
    const server = await startPostgres();
    return { connection: server.url, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
  },
};

export const azurite: EngineServerKind = {
  missing: () => undefined,
  async start() {
    const folder = mkdtempSync(join(tmpdir(), "azurite-"));
    const port = await freePort();
    const key = randomBytes(64).toString("base64");
    const program = join(examplesFolder, "node_modules/azurite/dist/src/queue/main.js");
    const where = ["--queueHost", "127.0.0.1", "--queuePort", String(port), "--location", folder];
    const child = spawn(process.execPath, [program, ...where, "--skipApiVersionCheck", "--silent"], {
      env: { ...process.env, AZURITE_ACCOUNTS: `waits:${key}` },
      stdio: ["ignore", "ignore", "inherit"],
    });
    const url = `http://127.0.0.1:${port}/waits`;
    await untilReachable(port, child);
    return {
      connection: `DefaultEndpointsProtocol=http;AccountName=waits;AccountKey=${key};QueueEndpoint=${url};`,
      [Symbol.asyncDispose]: () => stop(child, folder),
    };
  },
};

async function untilReachable(port: number, child: ChildProcess): Promise<void> {
  // Also after an interrupt it does not stay.
  process.once("exit", () => child.kill("SIGKILL"));
  while (child.exitCode === null) {
    const socket = connect(port, "127.0.0.1");
    const isReachable = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isReachable) return;
    await delay(100);
  }
  throw new Error(`${child.spawnfile} ended with ${child.exitCode} before it was reachable`);
}

async function stop(child: ChildProcess, folder: string): Promise<void> {
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
  rmSync(folder, { recursive: true });
}

export const redis: EngineServerKind = {
  missing: () => (isRedisInstalled() ? undefined : missingRedis),
  async start() {
    const server = await startRedis();
    return {
      connection: String(server.connection.port),
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  },
};
