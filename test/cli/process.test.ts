import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { commandPath } from "../support/library.ts";
import { isLong } from "../support/long.ts";
import { failing, startServer } from "./run-cli.ts";

interface Process {
  readonly output: { stdout: string; stderr: string };
  /** The exit code or the signal, once all the output is here. */
  readonly end: Promise<unknown>;
  interrupt(signal?: NodeJS.Signals): void;
  closeStdout(): void;
}

/** The real command, as a process of its own. */
function start(argv: readonly string[], nodeOptions: readonly string[] = []): Process {
  const child = spawn(process.execPath, ["--no-warnings", ...nodeOptions, commandPath, ...argv], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output.stderr += chunk.toString()));
  return {
    output,
    end: once(child, "close").then(([code, signal]: unknown[]) => code ?? signal),
    interrupt: (signal = "SIGINT") => void child.kill(signal),
    closeStdout: () => void child.stdout.destroy(),
  };
}

/** Returns the options that let Node run a script first. */
function preloading(script: string): readonly string[] {
  return ["--import", `data:text/javascript,${encodeURIComponent(script)}`];
}

/** Waits until a process has printed something. */
async function untilPrinted(lro: Process, stream: "stdout" | "stderr"): Promise<void> {
  await expect.poll(() => lro.output[stream]).not.toBe("");
}

test("the process ends with the exit code, and by itself", async () => {
  const server = await startServer();
  const { operationLocation } = server.addOperation({ timeline: failing.slice(1) });
  const lro = start(["wait", "-o", "json", operationLocation]);
  expect(await lro.end).toBe(1);
  expect(lro.output).toEqual({ stdout: expect.stringContaining('"event":"error"'), stderr: "" });
});

test.each(["20.20.2", "22.2.0"])("Node %s gets an error that names the required version", async (version) => {
  const set = (object: string, name: string, value: string): string =>
    `Object.defineProperty(${object}, "${name}", { value: "${value}" });`;
  const script = set("process", "version", `v${version}`) + set("process.versions", "node", version);
  const lro = start(["--help"], preloading(script));
  expect(await lro.end).toBe(2);
  expect(lro.output).toEqual({ stdout: "", stderr: `lro needs Node 22.3 or newer; this is v${version}\n` });
});

test("nothing is imported before the check of Node's version", () => {
  expect(readFileSync("src/cli/main.ts", "utf8")).not.toMatch(/^\s*(import|export)\b[^(]/m);
});

test("wrong usage is exit code 2", async () => {
  const lro = start(["wait"]);
  expect(await lro.end).toBe(2);
  expect(lro.output.stderr).toContain("operation-location");
});

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const)("%s stops the wait and prints the resume command", async (signal, exitCode) => {
  const server = await startServer();
  const { operationLocation } = server.addOperation({ timeline: [{ status: "Running" }] });
  const lro = start(["wait", operationLocation]);
  await untilPrinted(lro, "stdout");
  lro.interrupt(signal);
  expect(await lro.end).toBe(exitCode);
  expect(lro.output.stderr).toContain("  npx lro wait --resume '{");
});

/** The command has one rule for all three. That it has it for each is shown by the waits, or by all with `LONG=1`. */
const anySignal = isLong ? (["SIGINT", "SIGTERM", "SIGHUP"] as const) : (["SIGTERM"] as const);

test.each(anySignal)("%s ends a process that SIGINT did not end", async (signal) => {
  const server = await startServer();
  const { operationLocation } = server.addOperation({ timeline: [{ status: "Running" }] });
  // It says when the command no longer handles the signal: one that comes earlier is a part of the first.
  const stayAlive = `
    setInterval(() => {}, 1000);
    process.on("removeListener", (name) => name === "${signal}" && console.error("left to Node"));
  `;
  const lro = start(["wait", operationLocation], preloading(stayAlive));
  await untilPrinted(lro, "stdout");
  lro.interrupt();
  await expect.poll(() => lro.output.stderr).toContain("left to Node");
  lro.interrupt(signal);
  expect(await lro.end).toBe(signal);
});

test.each(anySignal)("%s ends the emulator cleanly", async (signal) => {
  const lro = start(["emulate"]);
  await untilPrinted(lro, "stdout");
  lro.interrupt(signal);
  expect(await lro.end).toBe(0);
  expect(lro.output.stderr).toBe("");
});

test("a reader that closes the output ends the wait without a stack", async () => {
  const server = await startServer();
  const { operationLocation } = server.addOperation({
    timeline: [{ status: "NotStarted", polls: 1 }, { status: "Running" }],
  });
  const lro = start(["wait", operationLocation]);
  await untilPrinted(lro, "stdout");
  lro.closeStdout();
  expect(await lro.end).toBe(141);
  expect(lro.output.stderr).not.toMatch(/EPIPE|\n +at /);
});

/** An output on a full disk. */
const fullOutput = (stream: "stdout" | "stderr"): readonly string[] =>
  preloading(`process.${stream}._write = (chunk, encoding, done) =>
    done(Object.assign(new Error("no space left on device"), { code: "ENOSPC" }));`);

test.each(["--help", "-h --quiet", "URL"])(
  "an output that cannot be written is no failed operation: lro wait %s",
  async (words) => {
    const server = await startServer();
    const { operationLocation } = server.addOperation({ timeline: [{ status: "Running" }] });
    const argv = ["wait", ...words.replace("URL", operationLocation).split(" ")];
    const lro = start(argv, fullOutput("stdout"));
    expect(await lro.end).toBe(5);
    expect(lro.output.stderr).toContain("error: could not write the output: no space left on device\n");
    expect(lro.output.stderr).not.toMatch(/\n +at /);
  },
);

test("messages that cannot be written do not change the exit code", async () => {
  expect(await start(["wait", "--nope"], fullOutput("stderr")).end).toBe(2);
});

const signalsOfQueue = [
  ["status", "SIGINT", 130],
  ["worker", "SIGTERM", 0],
  ["status", "SIGHUP", 129],
  ["worker", "SIGHUP", 0],
] as const;

test.each(isLong ? signalsOfQueue : signalsOfQueue.slice(0, 2))(
  "a queue %s that gets %s ends by itself, though there is no Redis",
  async (name, signal, code) => {
    const lro = start(["queue", name, "--redis", "redis://127.0.0.1:1"]);
    await untilPrinted(lro, "stderr");
    lro.interrupt(signal);
    expect(await lro.end).toBe(code);
    expect(lro.output).toEqual({ stdout: "", stderr: expect.stringContaining("connect ECONNREFUSED") });
  },
);
