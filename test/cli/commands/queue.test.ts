import { Queue } from "bullmq";
import type { Job } from "bullmq";
import { expect, test } from "vitest";
import { CountingCredential } from "../../support/credential.ts";
import { redisTest } from "../../support/redis.ts";
import { startRouteServer } from "../../support/route-server.ts";
import { failing, operationId, runCli, startServer, succeeding } from "../run-cli.ts";

redisTest(
  "operations are added, polled, waited for and counted from the command line",
  async ({ connection }) => {
    const server = await startServer();
    const good = server.addOperation({ timeline: succeeding }).operationLocation;
    const bad = server.addOperation({ timeline: failing }).operationLocation;
    const redis = ["--redis", `redis://${connection.host}:${connection.port}`];
    const stopping = new AbortController();
    const worker = runCli(["queue", "worker", ...redis], { interruption: stopping.signal });

    const added = await runCli(["queue", "add", ...redis, good, bad]);
    expect(added).toMatchObject({ exitCode: 0, stderr: "" });
    expect(added.stdout).toMatch(/^([0-9a-f]{32}\n){2}$/);
    const waited = await runCli(["queue", "add", ...redis, "--wait", good, bad]);
    expect(waited.exitCode).toBe(1);
    expect(waited.stdout).toContain('"uri": "https://box"');
    expect(waited.stderr).toContain("ProvisioningFailed: The dev box could not be created.");
    const counted = await runCli(["queue", "status", ...redis, "-o", "json"]);
    expect(JSON.parse(counted.stdout)).toEqual({
      delayed: 0,
      waiting: 0,
      active: 0,
      completed: 2,
      rejected: 0,
      holds: [],
    });

    stopping.abort();
    expect(await worker).toMatchObject({ exitCode: 0, stderr: expect.stringContaining("Working.") });
  },
);

redisTest(
  "a queued wait keeps the stall timeout and the words of the command line",
  async ({ connection }) => {
    const server = await startServer();
    const { operationLocation } = server.addOperation({ timeline: [{ status: "Running" }] });
    const redis = ["--redis", `redis://${connection.host}:${connection.port}`];
    const options = ["--stall-timeout", "10m", "--succeeded-state", "Dequeued", "--failed-state", "Dead"];
    const { stdout } = await runCli(["queue", "add", ...redis, ...options, operationLocation]);
    const queue = new Queue("operations", { connection });
    const job: Job | undefined = await queue.getJob(stdout.trim());
    await queue.close();
    expect(job?.data).toMatchObject({
      options: {
        stallTimeoutInMs: 600_000,
        terminalStates: { succeeded: ["Dequeued"], failed: ["Dead"], canceled: [] },
      },
    });
  },
);

redisTest("a worker prints its warnings once, with the options of the command", async ({ connection }) => {
  const server = await startServer();
  const error = { code: "Broken", message: "It broke." };
  const timeline = [{ status: "Dead", error, polls: 2 }, { status: "Succeeded" }];
  const { operationLocation } = server.addOperation({ operationId, timeline });
  const redis = ["--redis", `redis://${connection.host}:${connection.port}`];
  const stopping = new AbortController();
  const worker = runCli(["queue", "worker", ...redis], { interruption: stopping.signal });
  expect(await runCli(["queue", "add", ...redis, "--wait", operationLocation])).toMatchObject({
    exitCode: 0,
  });
  stopping.abort();
  const { stderr } = await worker;
  expect(stderr.split("\n").filter((line) => line.startsWith("warning:"))).toEqual([
    `warning: Operation ${operationId}: Dead came with an error: if it is terminal, ` +
      "name it by --succeeded-state, --failed-state or --canceled-state.",
  ]);
});

redisTest("a worker sends no token to a host that a job names and nobody allowed", async ({ connection }) => {
  const redis = ["--redis", `redis://${connection.host}:${connection.port}`];
  const stopping = new AbortController();
  const short = ["--unclaimed-timeout", "1ms"];
  const worker = runCli(["queue", "worker", ...redis, ...short], { interruption: stopping.signal });
  const names = ["--endpoint", "https://elsewhere.example", "--project", "myProject"];
  const id = ["--operation", "fa067167-e49d-41bd-8dd8-de719b9de3b3"];
  const allowed = ["--allow-host", "elsewhere.example"];
  const waited = await runCli(["queue", "add", ...redis, "--wait", ...names, ...id, ...allowed]);
  expect(waited.exitCode).toBe(5);
  expect(waited.stderr).toContain("elsewhere.example is no host of an Azure service");
  stopping.abort();
  await worker;
});

redisTest("a worker polls the operations of any service", async ({ connection }) => {
  const path = "/subscriptions/s/operationresults/1?api-version=1";
  const server = await startRouteServer([
    { method: "GET", path, status: 202 },
    { method: "GET", path, status: 200, body: { size: 1 } },
  ]);
  const redis = ["--redis", `redis://${connection.host}:${connection.port}`];
  const stopping = new AbortController();
  const worker = runCli(["queue", "worker", ...redis], { interruption: stopping.signal });
  const waited = await runCli(["queue", "add", ...redis, "--wait", `${server.origin}${path}`]);
  expect(waited).toMatchObject({ exitCode: 0, stdout: '{\n  "size": 1\n}\n' });
  stopping.abort();
  await worker;
  await server.close();
});

redisTest("a worker asks for the token of each operation's service", async ({ connection }) => {
  const redis = ["--redis", `redis://${connection.host}:${connection.port}`];
  const stopping = new AbortController();
  const credential = new CountingCredential();
  credential.failWith = Object.assign(new Error("Not signed in."), { name: "CredentialUnavailableError" });
  const options = ["--scope", "mine", "--allow-host", "gw.example", "--unclaimed-timeout", "1ms"];
  const worker = runCli(["queue", "worker", ...redis, ...options], {
    interruption: stopping.signal,
    loadCredential: () => Promise.resolve(credential),
  });
  const add = ["queue", "add", ...redis, "--scope", "mine"];
  const arm = "https://management.azure.com/op/1";
  await runCli([...add, "https://gw.example/op/1", "https://elsewhere.example/op/1", arm]);
  await expect.poll(() => credential.calls.length).toBeGreaterThanOrEqual(2);
  const refused = await runCli([...add, "--wait", "https://elsewhere.example/op/1"]);
  expect(refused).toMatchObject({
    exitCode: 5,
    stderr: expect.stringContaining("--scope and --allow-host:"),
  });
  stopping.abort();
  await worker;
  // A job that a worker had to give back when it stopped is polled again.
  expect(new Set(credential.calls.flatMap(({ scopes }) => scopes))).toEqual(
    new Set(["https://management.azure.com/.default", "mine"]),
  );
});

test("a worker takes --scope only with --allow-host", async () => {
  const run = await runCli(["queue", "worker", "--scope", "mine"]);
  expect(run).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("--scope: expected --allow-host too"),
  });
});

redisTest("a host that has asked to wait is shown, and lifted by its name", async ({ connection }) => {
  const server = await startServer();
  const { origin, host } = new URL(server.endpoint);
  const redis = ["--redis", `redis://${connection.host}:${connection.port}`];
  const stopping = new AbortController();
  const worker = runCli(["queue", "worker", ...redis], { interruption: stopping.signal });
  const status = async (): Promise<string> => (await runCli(["queue", "status", ...redis])).stdout;
  const faults = { 1: { kind: "status", status: 503, retryAfter: 3600 } } as const;
  await runCli(["queue", "add", ...redis, server.addOperation({ faults }).operationLocation]);
  await expect.poll(status).toMatch(`held      ${origin} until 2`);
  const { operationLocation } = server.addOperation({ timeline: [{ status: "Succeeded" }] });
  const waiting = runCli(["queue", "add", ...redis, "--wait", operationLocation]);
  await expect.poll(status).toMatch(/delayed +2\n/);
  expect(server.requests).toHaveLength(1);

  const unknown = await runCli(["queue", "lift", ...redis, "elsewhere.example"]);
  expect(unknown.exitCode).toBe(2);
  expect(unknown.stderr).toContain(`host: expected one that is held (${origin}), got "elsewhere.example"`);
  expect(await runCli(["queue", "lift", ...redis, host])).toMatchObject({
    exitCode: 0,
    stdout: `Lifted the hold of ${origin}.\n`,
  });
  expect(await waiting).toMatchObject({ exitCode: 0 });
  expect(await status()).not.toContain("held");
  stopping.abort();
  await worker;
});

test("a queue name with a colon is rejected", async () => {
  const run = await runCli(["queue", "status", "--queue", "a:b"]);
  expect(run.exitCode).toBe(2);
  expect(run.stderr).toContain("Expected a name without a colon.");
});

test("an invalid Redis URL is rejected without its password", async () => {
  const run = await runCli(["queue", "status", "--redis", "http://user:hunter2@127.0.0.1"]);
  expect(run.exitCode).toBe(2);
  expect(run.stderr).toContain("--redis: expected a URL");
  expect(run.stderr).not.toContain("hunter2");
});
