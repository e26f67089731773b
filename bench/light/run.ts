import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** A program that Node runs. */
export interface Program {
  readonly name: string;
  /** The arguments of `node`. */
  readonly argv: readonly string[];
  /** Default: the folder of this process. */
  readonly cwd?: string;
  /** Whether an exit code other than 0 is no error. */
  readonly mayFail?: boolean;
  /** Added to the environment of this process. */
  readonly env?: NodeJS.ProcessEnv;
}

/** The time that a process has spent from its start to its end. */
export interface Spent {
  /** User and system time of all threads. */
  readonly cpuInMs: number;
  readonly wallInMs: number;
}

/** Runs a program, and takes its times from the shell: nothing is added to the process. */
export async function run({ argv, cwd, mayFail = false, env }: Program): Promise<Spent> {
  const script = `TIMEFORMAT='%R %U %S'; time "$@" >/dev/null 2>&1${mayFail ? " || true" : ""}`;
  const { stderr } = await promisify(execFile)("bash", ["-c", script, "bash", process.execPath, ...argv], {
    cwd,
    env: { ...process.env, ...env },
  });
  const [wall = NaN, user = NaN, system = NaN] = stderr.trim().split(" ").map(Number);
  return { cpuInMs: (user + system) * 1000, wallInMs: wall * 1000 };
}
