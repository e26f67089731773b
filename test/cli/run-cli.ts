import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { WriteStream } from "node:tty";
import { systemClock } from "lro-poller";
import type { PollOptions } from "lro-poller";
import { expect, onTestFinished } from "vitest";
import { startOperationServer } from "lro-poller/testing";
import type { OperationServer, OperationServerOptions, Timeline } from "lro-poller/testing";
import type { CliContext, Output } from "../../src/cli/input/context.ts";
import { run } from "../../src/cli/commands/program.ts";
import { fastClock } from "../support/clock.ts";

/** A stream that keeps its text. */
export class CapturedOutput extends Writable implements Output {
  readonly isTTY: boolean;
  readonly columns: number;
  readonly rows = 24;
  text = "";

  constructor({ columns }: { columns?: number } = {}) {
    super();
    this.isTTY = columns !== undefined;
    this.columns = columns ?? 80;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }

  /** Decides as Node does for a real terminal. */
  hasColors(env: object = {}): boolean {
    return WriteStream.prototype.hasColors.call(this, 16, { TERM: "xterm", ...env });
  }
}

export interface CliRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliWorld extends Partial<Omit<CliContext, "stdin">> {
  readonly stdin?: string;
  /** Makes stdout a terminal. */
  readonly columns?: number;
}

/** A slow machine must not look like an outage of the service. */
const fast: PollOptions = {
  clock: fastClock(systemClock),
  requestTimeoutInMs: 1e9,
  outageToleranceInMs: Infinity,
};

/** A context with nothing but what a test gives. */
export function contextOf(given: Partial<CliContext>): CliContext {
  return {
    stdin: Readable.from([]),
    stdout: new CapturedOutput(),
    stderr: new CapturedOutput(),
    env: {},
    interruption: new AbortController().signal,
    loadCredential: () => Promise.reject(new Error("A credential was loaded.")),
    // A slow machine must not look like a Redis that is gone.
    redisTimeoutInMs: 100_000,
    ...given,
  };
}

/** Runs the command in this process, with a clock that is a thousand times as fast. */
export async function runCli(argv: readonly string[], world: CliWorld = {}): Promise<CliRun> {
  const { stdin = "", columns, pollOptions, ...given } = world;
  const stdout = new CapturedOutput(columns === undefined ? {} : { columns });
  const stderr = new CapturedOutput();
  const context = contextOf({ stdout, stderr, ...given, stdin: Readable.from([stdin]) });
  const exitCode = await run(argv, { ...context, pollOptions: { ...fast, ...pollOptions } });
  return { exitCode, stdout: stdout.text, stderr: stderr.text };
}

/** The lines of a wait without their times, and without the heartbeat lines that a slow machine adds. */
export function untimed(output: string): string {
  return output.replaceAll(/^\d+:\d\d(?::\d\d)? (?:\S+ still .*\n)?/gm, "");
}

/** Resolves with the address of the live page as soon as the command has printed it. */
export async function pageOf(stderr: CapturedOutput): Promise<string> {
  await expect.poll(() => stderr.text).toMatch(/^Live page: .*\n/m);
  return /^Live page: (.*)$/m.exec(stderr.text)?.[1] ?? "";
}

/** A folder that is gone when the test is over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "lro-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  return folder;
}

/** A server that is closed when the test is over. */
export async function startServer(options: OperationServerOptions = {}): Promise<OperationServer> {
  const server = await startOperationServer(options);
  onTestFinished(() => server.close());
  return server;
}

export const operationId = "fa067167-e49d-41bd-8dd8-de719b9de3b3";

export const succeeding: Timeline = [
  { status: "NotStarted", polls: 1 },
  { status: "Running", polls: 1, percentComplete: 42.5 },
  { status: "Succeeded", percentComplete: 100, properties: { uri: "https://box" } },
];

export const failing: Timeline = [
  { status: "Running", polls: 1 },
  {
    status: "Failed",
    error: {
      code: "ProvisioningFailed",
      message: "The dev box could not be created.",
      target: "myBox",
      details: [{ code: "NoCapacity", message: "No cores left.", target: "westeurope" }],
      innererror: { code: "Allocation", innererror: { code: "Quota" } },
    },
  },
];
