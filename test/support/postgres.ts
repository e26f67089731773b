import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, globSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** A PostgreSQL server on the loopback address, with its data in a temporary folder. */
export interface PostgresServer extends AsyncDisposable {
  readonly url: string;
}

// Debian installs the server beside the PATH.
const programs = ["/usr/local/bin", "/usr/bin", ...globSync("/usr/lib/postgresql/*/bin")]
  .filter((folder) => existsSync(join(folder, "initdb")) && existsSync(join(folder, "postgres")))
  .at(-1);

/** The message for a machine without PostgreSQL. */
export const missingPostgres = "PostgreSQL is not installed (Debian: apt-get install postgresql)";

export const isPostgresInstalled: boolean = programs !== undefined;

/** Why tests skip without PostgreSQL. In CI a missing one is a mistake, so the tests fail there instead. */
export const skipReason: string | undefined =
  programs === undefined && !process.env["CI"] ? missingPostgres : undefined;

/** Starts PostgreSQL. */
export async function startPostgres(): Promise<PostgresServer> {
  if (programs === undefined) throw new Error(missingPostgres);
  const folder = mkdtempSync(join(tmpdir(), "postgres-"));
  const user = unprivilegedUser();
  if (user) chownSync(folder, user.uid, user.gid);
  const data = join(folder, "data");
  const initialized = spawnSync(
    join(programs, "initdb"),
    ["--no-sync", "--auth=trust", "--username=postgres", `--pgdata=${data}`],
    { ...user, cwd: folder, encoding: "utf8" },
  );
  if (initialized.status !== 0)
    throw new Error(`initdb ended with ${initialized.status}: ${initialized.stderr}`);
  const port = await freePort();
  const settings = [
    `port=${port}`,
    "listen_addresses=127.0.0.1",
    `unix_socket_directories=${folder}`,
    "fsync=off",
  ];
  const child = spawn(
    join(programs, "postgres"),
    ["-D", data, ...settings.flatMap((setting) => ["-c", setting])],
    {
      ...user,
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  // Also after an interrupt it does not stay.
  process.once("exit", () => child.kill("SIGQUIT"));
  const log: string[] = [];
  for await (const line of createInterface({ input: child.stderr })) {
    log.push(line);
    if (line.includes("ready to accept connections")) break;
  }
  if (child.exitCode !== null) throw new Error(`postgres ended with ${child.exitCode}: ${log.join("\n")}`);
  child.stderr.resume();
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    [Symbol.asyncDispose]: async () => {
      await stop(child);
      rmSync(folder, { recursive: true });
    },
  };
}

/** PostgreSQL refuses to run as root: its package brings a user for it. */
function unprivilegedUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const idOf = (flag: string): number =>
    Number(spawnSync("id", [flag, "postgres"], { encoding: "utf8" }).stdout);
  return { uid: idOf("-u"), gid: idOf("-g") };
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  // The immediate shutdown of PostgreSQL, which ends its own processes too.
  child.kill("SIGQUIT");
  await ended;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (typeof address === "object" && address) return address.port;
  throw new Error("no port to listen on");
}
