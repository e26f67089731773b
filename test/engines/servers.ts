import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chownSync, globSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort, isRedisInstalled, missingRedis, startRedis } from "../../examples/redis-server.ts";
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

const [postgresFolder] = globSync("/usr/lib/postgresql/*/bin").toSorted().toReversed();

export const postgres: EngineServerKind = {
  missing: () =>
    postgresFolder === undefined
      ? "PostgreSQL is not installed (Debian: apt-get install postgresql)"
      : undefined,
  async start() {
    const folder = mkdtempSync(join(tmpdir(), "postgres-"));
    const port = await freePort();
    const data = join(folder, "data");
    // The server refuses to run as root.
    const isRoot = process.getuid?.() === 0;
    if (isRoot) chownSync(folder, Number(idOf("-u")), Number(idOf("-g")));
    const run = (program: string, ...args: string[]): void => {
      const command = [join(postgresFolder ?? "", program), ...args];
      const [first = "", ...rest] = isRoot ? ["runuser", "-u", "postgres", "--", ...command] : command;
      const { status, stderr } = spawnSync(first, rest, {
        cwd: folder,
        encoding: "utf8",
        stdio: ["ignore", "ignore", "pipe"],
      });
      if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`);
    };
    run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync");
    const settings = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=${folder} -c fsync=off -c max_connections=300`;
    run("pg_ctl", "-D", data, "-w", "-l", join(folder, "log"), "-o", settings, "start");
    return {
      connection: `postgres://postgres@127.0.0.1:${port}/postgres`,
      async [Symbol.asyncDispose]() {
        run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop");
        rmSync(folder, { recursive: true });
      },
    };
  },
};

function idOf(option: string): string {
  return spawnSync("id", [option, "postgres"], { encoding: "utf8" }).stdout.trim();
}

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
    await untilReachable(url, () => child.exitCode === null);
    return {
      connection: `DefaultEndpointsProtocol=http;AccountName=waits;AccountKey=${key};QueueEndpoint=${url};`,
      async [Symbol.asyncDispose]() {
        const exited = new Promise((resolve) => child.once("exit", resolve));
        child.kill("SIGKILL");
        await exited;
        rmSync(folder, { recursive: true });
      },
    };
  },
};

async function untilReachable(url: string, isAlive: () => boolean): Promise<void> {
  while (isAlive()) {
    try {
      await fetch(url);
      return;
    } catch {
      await delay(100);
    }
  }
  throw new Error(`the server at ${url} ended before it was reachable`);
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
