import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { startOperationServer } from "lro-poller/testing";
import type { AddOperationOptions } from "lro-poller/testing";
import { expect, onTestFinished, test } from "vitest";
import { moduleUrl } from "../support/library.ts";
import { isLong } from "../support/long.ts";

/** A program that waits for an operation of a server of its own. */
interface Program {
  readonly code: string;
  readonly plan?: AddOperationOptions;
}

/** Runs programs in one process, one after the other, until it ends. Returns its exit code, its output and the number of requests. */
async function run(...programs: readonly Program[]): Promise<[unknown, string, string, number]> {
  const servers = await Promise.all(programs.map(() => startOperationServer()));
  onTestFinished(async () => void (await Promise.all(servers.map((server) => server.close()))));
  const blocks = programs.map(({ code, plan = {} }, index) => {
    const server = servers[index];
    const { operationLocation } = server?.addOperation(plan) ?? {};
    return `{
      const client = new OperationStatusesClient(${JSON.stringify(server?.endpoint)});
      const operation = client.operationAt(${JSON.stringify(operationLocation)});
      ${code}
    }`;
  });
  const script = `
    import { OperationStatusesClient, createPoller, createPollerGroup, pollUntilDone } from ${JSON.stringify(moduleUrl("index"))};
    ${blocks.join("\n")}
  `;
  const argv = ["--no-warnings", "--input-type=module", "--eval", script];
  const child = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [[code], stdout, stderr] = await Promise.all([
    once(child, "exit"),
    text(child.stdout),
    text(child.stderr),
  ]);
  return [code, stdout, stderr, servers.reduce((sum, { requests }) => sum + requests.length, 0)];
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
  const code = `void createPoller(operation).pollUntilDone().then((result) => console.log(result));`;
  expect(await run({ code, plan: runningFor(1) })).toEqual([0, "deployed\n", "", 2]);
});

/** Programs after which a process ends by itself: what each has done, and its number of requests. */
const endings: readonly [string, string, AddOperationOptions, number][] = [
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
];

/** By default one process runs them all, one after the other. */
const processes = (isLong ? endings.map((ending) => [ending]) : [endings]).map(
  (all) => [all.map(([what]) => what).join(", then "), all] as const,
);

test.each(processes)("a process ends by itself that %s", async (_, all) => {
  const requests = all.reduce((sum, [, , , count]) => sum + count, 0);
  expect(await run(...all.map(([, code, plan]) => ({ code, plan })))).toEqual([0, "", "", requests]);
});

test("a process whose block throws ends with that error, not with one of the wait that the block started", async () => {
  const code = `
    const poller = createPoller(operation);
    try {
      void poller.pollUntilDone();
      await new Promise((resolve) => poller.onFailedPoll(resolve));
      throw new Error("the block's own");
    } finally {
      await poller[Symbol.asyncDispose]();
    }
  `;
  const [exitCode, , stderr] = await run({ code, plan: throttledForAnHour });
  expect(exitCode).toBe(1);
  expect(stderr).toContain("Error: the block's own");
  expect(stderr).not.toContain("disposed of");
});
