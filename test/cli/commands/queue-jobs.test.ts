import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { createOperationQueue, createOperationWorker } from "lro-poller/bullmq";
import { LroClient, OperationStatusesClient } from "lro-poller";
import { expect, test } from "vitest";
import { startRedis } from "../../../examples/redis-server.ts";
import { redisTest } from "../../support/redis.ts";
import {
  CapturedOutput,
  contextOf,
  failing,
  operationId,
  runCli,
  startServer,
  temporaryFolder,
} from "../run-cli.ts";
import type { CliRun } from "../run-cli.ts";
import { run } from "../../../src/cli/commands/program.ts";

const silent = { verbose() {}, info() {}, warning() {}, error() {} };

/** Returns a function that runs `lro queue` on a Redis. */
function queueOn({ host, port }: { host: string; port: number }) {
  return (...argv: string[]): Promise<CliRun> =>
    runCli(["queue", ...argv, "--redis", `redis://${host}:${port}`]);
}

/** `2027-01-01T00:00:00.000Z (0:12 ago)` as `<time>` */
function untimed(text: string): string {
  return text.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z(?: \([^)]*\))?/g, "<time>");
}

redisTest("an operator stops the polling of a job, retries and removes it", async ({ connection }) => {
  const server = await startServer();
  const { operationLocation } = server.addOperation({
    operationId,
    timeline: [{ status: "Running", percentComplete: 42.5 }],
    retryAfter: 3000,
  });
  const lro = queueOn(connection);
  const client = new LroClient(server.endpoint);
  const url = operationLocation;
  const worker = createOperationWorker({ connection, clients: [client], logger: silent });
  await worker.started;
  const jobId = (await lro("add", url)).stdout.trim();
  await expect.poll(async () => (await lro("get", jobId)).stdout).toContain(`job ${jobId} delayed`);
  expect(await lro("stop", jobId)).toMatchObject({
    exitCode: 0,
    stdout: `Stopped polling for job ${jobId}. Its operation continues; lro queue retry polls it again.\n`,
  });
  expect(await lro("stop", jobId)).toMatchObject({
    exitCode: 0,
    stdout: `Polling for job ${jobId} had stopped before.\n`,
  });
  const stopped = await lro("get", jobId);
  expect(untimed(stopped.stdout)).toBe(`job ${jobId} completed
  operation ${operationId}
  url       ${url.split("?")[0]}
  status    Running 42 %
  polls     1
  added     <time>
  started   <time>
  finished  <time>
  attempts  1
  outcome   stopped: Polling operation ${operationId} failed: job ${jobId} was stopped, and the operation continues. It was Running at 43 % at the last successful poll.
`);
  expect(await lro("retry", jobId)).toMatchObject({ exitCode: 0, stdout: `Queued job ${jobId} again.\n` });
  expect(await lro("retry", jobId)).toMatchObject({
    exitCode: 0,
    stdout: `Job ${jobId} needs no retry: it is in the queue.\n`,
  });
  await worker.close();
  expect(await lro("remove", jobId)).toMatchObject({ exitCode: 0, stdout: `Removed job ${jobId}.\n` });
  for (const command of ["get", "remove", "retry", "stop"]) {
    const unknown = await lro(command, jobId);
    expect(unknown).toMatchObject({ exitCode: 5, stdout: "" });
    expect(unknown.stderr).toContain(`The queue has no job ${jobId}`);
  }
});

redisTest("list prints a table that fits a terminal, and JSON", async ({ connection }) => {
  const server = await startServer();
  const busy = { error: { code: "Busy\u001B[2J", message: "Not\u001B[2J now." } };
  const headers = { "Retry-After": "3000" };
  const delayed = server.addOperation({
    operationId,
    faults: { 1: { kind: "status", status: 503, body: busy, headers } },
  });
  const lro = queueOn(connection);
  const client = new LroClient(server.endpoint);
  const worker = createOperationWorker({ connection, clients: [client], logger: silent });
  await worker.started;
  const failed = server.addOperation({ timeline: failing.slice(1) });
  const failedId = (await lro("add", failed.operationLocation)).stdout.trim();
  await using queue = createOperationQueue({ connection });
  await queue
    .handle(failedId)
    .pollUntilDone()
    .catch(() => {});
  const delayedId = (await lro("add", delayed.operationLocation)).stdout.trim();
  await expect.poll(async () => (await queue.counts()).delayed).toBe(1);
  await worker.close();
  const reference = { endpoint: "https://elsewhere.example", projectName: "myProject", operationId };
  const { jobId: waitingId } = await queue.add(reference);

  const { stdout } = await lro("list");
  const words = stdout.split("\n").map((line) => line.split(/ {2,}/));
  expect(words).toEqual([
    ["JOB", "STATE", "STATUS", "POLLS", "NEXT", "PROBLEM", "OPERATION"],
    [delayedId, "delayed", "-", "1 (1 failed)", expect.stringMatching(/^\d+:\d\d$/), "Busy", operationId],
    [waitingId, "waiting", "-", "0", "-", "-", operationId],
    [failedId, "completed", "Failed", "1", "-", expect.any(String), failed.operationId],
    [""],
  ]);
  const lines = (await lro("list", "--state", "completed", "-o", "json")).stdout.trim().split("\n");
  expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
    {
      jobId: failedId,
      state: "completed",
      outcome: { type: "failed", error: { code: "ProvisioningFailed", details: [{ code: "NoCapacity" }] } },
    },
  ]);
  expect(await lro("list", "--limit", "2")).toMatchObject({
    stdout: expect.not.stringContaining(failedId),
    stderr: "There are more than 2 jobs; --limit prints more of them.\n",
  });
  expect(await lro("list", "--limit", "3")).toMatchObject({ stderr: "" });

  const narrow = await runCli(["queue", "list", "--redis", `redis://${connection.host}:${connection.port}`], {
    columns: 60,
  });
  expect(Math.max(...narrow.stdout.split("\n").map((line) => line.length))).toBe(60);

  const text = (await lro("get", delayedId, failedId)).stdout;
  expect(text).toContain("  failure   HTTP 503: Busy: Not now.\n");
  expect(text).toContain('"code": "ProvisioningFailed"');
  expect(stdout + text).not.toContain("\u001B");
});

redisTest("a rejected job and a result are shown", async ({ connection }) => {
  const server = await startServer();
  const { operationLocation } = server.addOperation({
    timeline: [{ status: "Succeeded", properties: { uri: "x" } }],
  });
  const lro = queueOn(connection);
  await using queue = createOperationQueue({ connection });
  await using worker = createOperationWorker({
    connection,
    clients: [new OperationStatusesClient(server.endpoint)],
    logger: silent,
  });
  await worker.started;
  const raw = new Queue("operations", { connection });
  await raw.add("operation", { version: 1 }, { jobId: "damaged" });
  await raw.close();
  const rejected = queue.handle("damaged");
  await rejected.pollUntilDone().catch(() => {});
  const succeeded = (await lro("add", "--wait", operationLocation)).stderr;
  const succeededId = /^Job ([0-9a-f]{32}): /.exec(succeeded)?.[1] ?? "";
  const { exitCode, stdout } = await lro("get", rejected.jobId, succeededId);
  expect(exitCode).toBe(0);
  expect(stdout).toContain("  rejected  ");
  expect(stdout).toContain("  outcome   succeeded\n  result\n{\n");
  const terminal = await lro("retry", succeededId);
  expect(terminal).toMatchObject({ exitCode: 5, stderr: expect.stringContaining("nothing left to poll") });
});

redisTest("operations of a file are added, in the queue of a prefix", async ({ connection }) => {
  const file = join(temporaryFolder(), "ops.txt");
  const ids = ["fa067167-e49d-41bd-8dd8-de719b9de3b3", "fa067167-e49d-41bd-8dd8-de719b9de3b4"];
  const urls = ids.map((id) => `https://c.devcenter.azure.com/projects/myProject/operationstatuses/${id}`);
  writeFileSync(file, `# two\none=${urls[0]}\n\n${urls[1]}\n`);
  const lro = queueOn(connection);
  const added = await lro("add", "--from", file, "--prefix", "mine");
  expect(added).toMatchObject({ exitCode: 0, stderr: "" });
  const jobIds = added.stdout.trim().split("\n");
  expect(jobIds).toHaveLength(2);
  const listed = (await lro("list", "--prefix", "mine", "-o", "json")).stdout;
  for (const jobId of jobIds) expect(listed).toContain(`"jobId":"${jobId}"`);
  expect((await lro("get", jobIds[0] ?? "")).exitCode).toBe(5);
  expect((await lro("list", "-o", "json")).stdout).toBe("");
  expect((await lro("status", "--prefix", "mine")).stdout).toBe(
    "delayed   0\nwaiting   2\nactive    0\ncompleted 0\nrejected  0\n",
  );
});

const location = `https://c.devcenter.azure.com/projects/myProject/operationstatuses/${operationId}`;

const commands = ["status", "list", "get x", "retry x", "stop x", "remove x", "add URL", "add --wait URL"];

test.each(commands)("without Redis, lro queue %s ends with an error", async (command) => {
  const argv = command.replace("URL", location).split(" ");
  const redis = ["--redis", "redis://me:hunter2@127.0.0.1:1/3"];
  const { exitCode, stdout, stderr } = await runCli(["queue", ...argv, ...redis], {
    redisTimeoutInMs: 200,
  });
  expect({ exitCode, stdout }).toEqual({ exitCode: 5, stdout: "" });
  expect(stderr).toContain(
    "error: Redis at redis://127.0.0.1:1/3 could not be used within 0.2 s. Check that it runs, " +
      "and the URL, user and password in --redis or REDIS_URL.",
  );
  expect(stderr).not.toContain("hunter2");
});

redisTest("a wait continues when Redis comes back, and names its job", async () => {
  await using redis = await startRedis();
  const { connection } = redis;
  const server = await startServer();
  const { operationLocation } = server.addOperation({ timeline: [{ status: "Succeeded", properties: 42 }] });
  const stderr = new CapturedOutput();
  const stdout = new CapturedOutput();
  const url = `redis://${connection.host}:${connection.port}`;
  const waiting = run(
    ["queue", "add", "--wait", "--redis", url, operationLocation],
    contextOf({ stdout, stderr }),
  );
  await expect.poll(() => stderr.text).toMatch(/^Job [0-9a-f]{32}: /);
  await redis.restart("SIGTERM");
  await using worker = createOperationWorker({
    connection,
    clients: [new OperationStatusesClient(server.endpoint)],
    logger: silent,
  });
  await worker.started;
  expect(await waiting).toBe(0);
  expect(stdout.text).toBe("42\n");
});

redisTest("a command that Redis refuses ends with its reason", async ({ connection }) => {
  const redis = new Redis(connection);
  await redis.config("SET", "maxmemory", "1");
  redis.disconnect();
  const { exitCode, stderr } = await queueOn(connection)("add", location);
  expect(exitCode).toBe(5);
  expect(stderr).toMatch(/^error: Redis at redis:\/\/[\d.:]+ refused a command: .*maxmemory/m);
});

test("a misspelt option or command is rejected", async () => {
  for (const argv of [["add", "--wiat", location], ["list", "--stat", "active"], ["get"], ["cancel", "x"]]) {
    const { exitCode, stderr } = await runCli(["queue", ...argv]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/unknown option|unknown command|missing required argument/);
  }
});
