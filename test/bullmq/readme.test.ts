import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { createOperationQueue } from "lro-poller/bullmq";
import { startOperationServer } from "lro-poller/testing";
import type { OperationServer, Timeline } from "lro-poller/testing";
import { expect, onTestFinished, test } from "vitest";
import type { RedisServer } from "../../examples/redis-server.ts";
import { redisTest } from "../support/redis.ts";
import { preload } from "./fleet.ts";

const page = readFileSync("docs/queue.md", "utf8");
const [, diff = ""] = /```diff\n([\s\S]*?)```/.exec(page) ?? [];
/** Each `ts` block, with the `text` block right after it. */
const blocks = Array.from(
  page.matchAll(/```ts\n([\s\S]*?)```(?:\n\n```text\n([\s\S]*?)```)?/g),
  ([, code = "", output = ""]) => ({ code, output }),
);
const [worker, service, client, addAgain] = blocks;
const programs: Readonly<Record<string, string>> = {
  "before.ts": side("-"),
  "after.ts": side("+"),
  "worker.ts": worker?.code ?? "",
  "service.ts": service?.code ?? "",
  "client.ts": client?.code ?? "",
  "add-again.ts": addAgain?.code ?? "",
};

/** Returns one side of the diff: the lines of both sides, and its own. */
function side(sign: "-" | "+"): string {
  const lines = diff.split("\n").filter((line) => line.startsWith(" ") || line.startsWith(sign));
  return lines.map((line) => line.slice(1)).join("\n");
}

/** Writes the page's programs to a folder inside the repository, so that imports find the packages. */
function folderOfPrograms(change: (text: string) => string = (text) => text): string {
  const folder = mkdtempSync(join(import.meta.dirname, "page-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(programs))
    writeFileSync(join(folder, name), `${change(text)}\nexport {};\n`);
  return folder;
}

/** Runs the page's programs against an emulator and a Redis. */
interface Runner {
  /** Resolves with the output of the program. */
  run(program: string, env?: NodeJS.ProcessEnv): Promise<string>;
  start(program: string, env?: NodeJS.ProcessEnv): ChildProcess;
}

function runnerFor(server: OperationServer, { connection }: RedisServer): Runner {
  // The emulator uses plain HTTP, over which no credential is sent.
  const folder = folderOfPrograms((text) =>
    text.replace(/^import .*identity";\n/m, "").replace(", new DefaultAzureCredential()", ""),
  );
  const argv = (program: string): string[] => ["--no-warnings", ...preload, join(folder, program)];
  const known = {
    ...process.env,
    ENDPOINT: server.endpoint,
    PROJECT: "myProject",
    REDIS_URL: `redis://${connection.host}:${connection.port}`,
  };
  return {
    run: async (program, env) =>
      (await promisify(execFile)(process.execPath, argv(program), { env: { ...known, ...env } })).stdout,
    start: (program, env) => {
      const stdio = ["ignore", "pipe", "inherit"] as const;
      const child = spawn(process.execPath, argv(program), { env: { ...known, ...env }, stdio: [...stdio] });
      onTestFinished(() => void child.kill("SIGKILL"));
      return child;
    },
  };
}

async function exitCodeAfter(signal: NodeJS.Signals, child: ChildProcess): Promise<unknown> {
  const exited = once(child, "exit");
  child.kill(signal);
  const [code]: unknown[] = await exited;
  return code;
}

const uri = "https://devbox.example/my-dev-box";

test("the page about the queue has its programs", () => {
  expect(blocks).toHaveLength(4);
  expect(worker?.code).toContain("createOperationWorker(");
  expect(service?.code).toContain("createServer(");
});

test("a script changes to the queue by its import and one option, and all programs compile", async () => {
  const [removed, added] = ["-", "+"].map((sign) => diff.split("\n").filter((line) => line.startsWith(sign)));
  const imports = added?.filter((line) => line.startsWith("+import"));
  expect(removed).toHaveLength(1);
  expect(removed?.[0]).toMatch(/^-import .* from "lro-poller";$/);
  expect(added?.length).toBe((imports?.length ?? 0) + 1);

  const folder = folderOfPrograms();
  const config = { extends: "../../tsconfig.json", include: ["."], compilerOptions: { rootDir: "../../.." } };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  const compiled = promisify(execFile)("tsc", ["-p", folder]);
  await expect(compiled).resolves.toMatchObject({ stdout: "" });
});

redisTest("the worker and both sides of the diff run", async (redis) => {
  await using server = await startOperationServer();
  const { projectName: PROJECT, operationId: OPERATION_ID } = server.addOperation({
    timeline: [
      { status: "Running", polls: 1, percentComplete: 40 },
      { status: "Succeeded", properties: 42 },
    ],
  });
  const runner = runnerFor(server, redis);
  const workerProcess = runner.start("worker.ts");
  expect(await runner.run("after.ts", { PROJECT, OPERATION_ID })).toBe("Running 40\nSucceeded 40\n42\n");
  expect(await runner.run("before.ts", { PROJECT, OPERATION_ID })).toBe("Succeeded undefined\n42\n");
  expect(await exitCodeAfter("SIGTERM", workerProcess)).toBe(0);
});

redisTest(
  "a service adds an operation, a worker polls it, and a third process gets the result",
  async (redis) => {
    const timeline: Timeline = [{ status: "Running", polls: 1 }, { status: "Succeeded" }];
    await using server = await startOperationServer({ onInitialRequest: () => ({ timeline }) });
    const runner = runnerFor(server, redis);
    const serviceProcess = runner.start("service.ts", { PORT: "0" });
    const [output]: unknown[] = await once(serviceProcess.stdout ?? serviceProcess, "data");
    const port = /port: (\d+)/.exec(String(output))?.[1];
    const response = await fetch(`http://127.0.0.1:${port}/my-dev-box`, { method: "PUT" });
    const jobId = await response.text();
    expect({ status: response.status, jobId }).toEqual({
      status: 202,
      jobId: expect.stringMatching(/^\w{32}$/),
    });
    expect(await exitCodeAfter("SIGTERM", serviceProcess)).toBe(0);

    const workerProcess = runner.start("worker.ts");
    await using queue = createOperationQueue({ connection: redis.connection });
    await queue.handle(jobId).pollUntilDone();
    expect(await runner.run("client.ts", { JOB_ID: jobId })).toBe(client?.output);
    expect(await exitCodeAfter("SIGTERM", workerProcess)).toBe(0);
  },
);

redisTest("a wait that timed out continues when its operation is added again", async (redis) => {
  await using server = await startOperationServer();
  const { projectName, operationId } = server.addOperation({ timeline: [{ status: "Running" }] });
  const { endpoint } = server;
  const runner = runnerFor(server, redis);
  const workerProcess = runner.start("worker.ts");
  await using queue = createOperationQueue({ connection: redis.connection });
  const { jobId, pollUntilDone } = await timedOut();
  server.setStatus(operationId, { status: "Succeeded", properties: { uri } });
  expect(await runner.run("add-again.ts", { JOB_ID: jobId })).toBe(addAgain?.output);
  // The new result is kept like any other.
  expect(await pollUntilDone()).toEqual({ uri });
  expect(await exitCodeAfter("SIGTERM", workerProcess)).toBe(0);

  async function timedOut(): Promise<{ jobId: string; pollUntilDone: () => Promise<unknown> }> {
    const handle = await queue.add({ endpoint, projectName, operationId }, { timeoutInMs: 100 });
    await expect(handle.pollUntilDone()).rejects.toThrow("still Running");
    return { jobId: handle.jobId, pollUntilDone: () => queue.handle(handle.jobId).pollUntilDone() };
  }
});
