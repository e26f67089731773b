import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { startOperationServer } from "lro-poller/testing";
import type { AddOperationOptions } from "lro-poller/testing";
import { expect, onTestFinished, test } from "vitest";

// A process starts slowly on a busy machine.

const library = new URL("../../src/index.ts", import.meta.url).href;

/** Runs a program against a server until it ends. Returns the exit code, its output and the number of requests. */
async function run(
  program: string,
  plan: AddOperationOptions = {},
): Promise<[unknown, string, string, number]> {
  const server = await startOperationServer();
  onTestFinished(() => server.close());
  const { operationLocation } = server.addOperation(plan);
  const script = `
    import { OperationStatusesClient, createPoller, createPollerGroup, pollUntilDone } from ${JSON.stringify(library)};
    const client = new OperationStatusesClient(${JSON.stringify(server.endpoint)});
    const operation = client.operationAt(${JSON.stringify(operationLocation)});
    ${program}
  `;
  const child = spawn(
    process.execPath,
    ["--no-warnings", "--input-type=module-typescript", "--eval", script],
    {
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  onTestFinished(() => void child.kill("SIGKILL"));
  const [[code], stdout, stderr] = await Promise.all([
    once(child, "exit"),
    text(child.stdout),
    text(child.stderr),
  ]);
  return [code, stdout, stderr, server.requests.length];
}

const runningFor = (polls: number): AddOperationOptions => ({
  timeline: [
    { status: "Running", polls },
    { status: "Succeeded", properties: "deployed" },
  ],
});
/** An hour: a process that waits for it does not end within the test. */
const throttledForAnHour: AddOperationOptions = {
  timeline: [{ status: "Running" }],
  faults: { 1: { kind: "status", status: 503, retryAfter: 3600 } },
};
const hanging: AddOperationOptions = { faults: { 1: { kind: "hang" } } };

test("a process stays alive while a caller waits, with no more than a timer pending", async () => {
  const program = `void createPoller(operation).pollUntilDone().then((result) => console.log(result));`;
  expect(await run(program, runningFor(1))).toEqual([0, "deployed\n", "", 2]);
});

test.each<[string, string, AddOperationOptions, number]>([
  [
    "has only created pollers and groups, and listens",
    `
    createPoller(operation).onProgress(() => {});
    createPollerGroup().add(operation).onFailedPoll(() => {});
  `,
    {},
    0,
  ],
  ["has no wait left", `await createPoller(operation).pollUntilDone();`, runningFor(1), 2],
  ["polled once, and does not wait", `await createPoller(operation).poll();`, runningFor(9), 1],
  [
    "has aborted its wait during a Retry-After",
    `
    const end = new AbortController();
    const onFailedPoll = () => end.abort();
    await pollUntilDone(operation, { abortSignal: end.signal, onFailedPoll }).catch(() => {});
  `,
    throttledForAnHour,
    1,
  ],
  [
    "has aborted a request that hangs",
    `
    const end = new AbortController();
    setTimeout(() => end.abort(), 300);
    await pollUntilDone(operation, { abortSignal: end.signal, requestTimeoutInMs: 3_600_000 }).catch(() => {});
  `,
    hanging,
    1,
  ],
  [
    "has left a loop over the progress",
    `
    for await (const progress of createPoller(operation, { minDelayInMs: 3e6, maxDelayInMs: 4e6 })) break;
  `,
    runningFor(9),
    1,
  ],
  [
    "has disposed of a poller during a Retry-After",
    `
    const poller = createPoller(operation);
    const failed = new Promise((resolve) => poller.onFailedPoll(resolve));
    void poller.pollUntilDone();
    await failed;
    await poller[Symbol.asyncDispose]();
  `,
    throttledForAnHour,
    1,
  ],
  [
    "has disposed of a group whose request hangs",
    `
    const group = createPollerGroup({ requestTimeoutInMs: 3_600_000 });
    group.add(operation);
    void group.pollUntilDone();
    await new Promise((resolve) => setTimeout(resolve, 300));
    await group[Symbol.asyncDispose]();
  `,
    hanging,
    1,
  ],
])("a process ends by itself that %s", async (_, program, plan, requests) => {
  expect(await run(program, plan)).toEqual([0, "", "", requests]);
});

test("a process whose block throws ends with that error, not with one of the wait that the block started", async () => {
  const program = `
    const poller = createPoller(operation);
    try {
      void poller.pollUntilDone();
      await new Promise((resolve) => poller.onFailedPoll(resolve));
      throw new Error("the block's own");
    } finally {
      await poller[Symbol.asyncDispose]();
    }
  `;
  const [code, , stderr] = await run(program, throttledForAnHour);
  expect(code).toBe(1);
  expect(stderr).toContain("Error: the block's own");
  expect(stderr).not.toContain("disposed of");
});
