import { AzureLogger, setLogLevel } from "@azure/logger";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { OperationStatusesClient, createPoller, fixed } from "lro-poller";
import type { PollOptions, Poller } from "lro-poller";
import { scriptedOperation, startOperationServer } from "lro-poller/testing";
import type { Fault, OperationServer, Timeline } from "lro-poller/testing";
import { newNoticesOf } from "../../src/poller/notices.ts";
import { leapingClock } from "../support/clock.ts";

let server: OperationServer;
const lines: string[] = [];

beforeAll(async () => {
  server = await startOperationServer();
});
afterAll(() => server.close());
beforeEach(() => {
  lines.length = 0;
  const { log } = AzureLogger;
  AzureLogger.log = (...args) => {
    const [, level, line] = /^azure:lro-poller:(\w+) (.*)$/s.exec(args.map(String).join(" ")) ?? [];
    if (level && line) lines.push(`${level} ${line.replace(/[-\da-f]{36}/g, "…")}`);
  };
  setLogLevel("verbose");
  onTestFinished(() => {
    AzureLogger.log = log;
    setLogLevel(undefined);
  });
});

const client = (): OperationStatusesClient => new OperationStatusesClient(server.endpoint);

function pollerOf(timeline: Timeline, options: PollOptions = {}, faults: Record<number, Fault> = {}): Poller {
  const { operationLocation } = server.addOperation({ timeline, faults });
  const limits = { requestTimeoutInMs: Infinity, outageToleranceInMs: Infinity, random: () => 0 };
  const exact = { schedule: fixed(10_000), clock: leapingClock(), ...limits };
  return createPoller(client().operationAt(operationLocation), { ...exact, ...options });
}

test("a wait that succeeds: unchanged states are verbose, the rest is info, with the time to the next poll", async () => {
  const timeline: Timeline = [{ status: "Running", polls: 2, percentComplete: 40 }, { status: "Succeeded" }];
  await pollerOf(timeline).pollUntilDone();
  expect(lines).toEqual([
    "info Operation …: waiting.",
    "info Operation …: Running at 40 %. Next poll in 10000 ms.",
    "verbose Operation …: Running at 40 %. Next poll in 10000 ms.",
    "info Operation …: Succeeded at 40 %.",
    "info Operation …: the wait ended, Succeeded at 40 % (20000 ms, 3 polls, 0 of them failed).",
  ]);
});

test("an operation that fails is one warning; polls that are retried are none", async () => {
  const faults: Record<number, Fault> = {
    1: { kind: "status", status: 429, retryAfter: 7 },
    2: { kind: "status", status: 500 },
  };
  const error = { code: "QuotaExceeded", message: "No cores left." };
  await pollerOf([{ status: "Failed", error }], {}, faults)
    .pollUntilDone()
    .catch(() => {});
  expect(lines).toEqual([
    "info Operation …: waiting.",
    expect.stringMatching(/^info Operation …: throttled: HTTP 429.*[^.]\. Next poll in 7000 ms\.$/),
    expect.stringMatching(/^info Operation …: poll failed: HTTP 500.*[^.]\. Next poll in \d+ ms\.$/),
    "info Operation …: Failed.",
    expect.stringMatching(
      /^warning Operation …: the wait ended \(\d+ ms, 3 polls, 2 of them failed\): Operation … failed\. QuotaExceeded: No cores left\.$/,
    ),
  ]);
});

test("a wait whose polling failed is a warning", async () => {
  await pollerOf([{ status: "Running" }], {}, { 1: { kind: "status", status: 403 } })
    .pollUntilDone()
    .catch(() => {});
  expect(lines).toEqual([
    "info Operation …: waiting.",
    expect.stringMatching(/^info Operation …: poll failed: HTTP 403[^]*[^.]\.$/),
    expect.stringMatching(
      /^warning Operation …: polling failed \(0 ms, 1 polls, 1 of them failed\): Polling operation/,
    ),
  ]);
});

test("an unknown state that looks terminal is one warning for each word", async () => {
  const warnings: unknown[] = [];
  const ignore = (): void => {};
  const logger = {
    verbose: ignore,
    info: ignore,
    error: ignore,
    warning: (text: unknown) => warnings.push(text),
  };
  const endTime = "2025-01-01T00:00:00Z";
  const replies = ["Dequeued", "Dequeued", "Buried", "Dequeued"].map((status) => ({ status, endTime }));
  const operation = scriptedOperation([...replies, "Dead", "Succeeded"], { logger });
  await createPoller(operation, { clock: leapingClock() }).pollUntilDone();
  expect(warnings).toEqual([
    `Operation ${operation.id}: Dequeued came with an end time: if it is terminal, add it to terminalStates.`,
    `Operation ${operation.id}: Buried came with an end time: if it is terminal, add it to terminalStates.`,
  ]);
});

test("fields that could not be read are logged once for a wait", () => {
  const status = {
    id: "7",
    name: "7",
    status: "Running",
    invalidFields: { startTime: "yesterday", error: [] },
  };
  const logged = new Set<string>();
  const first = newNoticesOf(status, () => logged);
  expect(first).toEqual([
    {
      level: "info",
      key: "fields startTime,error",
      message: 'fields that could not be read: startTime is "yesterday", error is an array.',
    },
  ]);
  expect(newNoticesOf(status, () => logged)).toEqual([]);
});

test("a service that sends a new word with each response does not fill the log", () => {
  const logged = new Set<string>();
  const words = Array.from({ length: 100 }, (_, index) => `Word${index}`);
  const notices = words.flatMap((status) =>
    newNoticesOf({ id: "7", name: "7", status, endTime: new Date() }, () => logged),
  );
  expect(notices).toHaveLength(50);
});

test("a wait that its callers abort, and that continues later, here or by a token", async () => {
  const poller = pollerOf([{ status: "Running", polls: 2 }, { status: "Succeeded" }]);
  for await (const _ of poller) break;
  for await (const _ of client().resume(JSON.stringify(poller), {
    clock: leapingClock(),
    requestTimeoutInMs: Infinity,
  }))
    break;
  expect(lines).toEqual([
    "info Operation …: waiting.",
    "info Operation …: Running. Next poll in 10000 ms.",
    "info Operation …: every caller has stopped waiting, Running (0 ms, 1 polls, 0 of them failed).",
    "info Operation …: waiting again, last seen Running.",
    expect.stringMatching(/^verbose Operation …: Running\. Next poll in \d+ ms\.$/),
    expect.stringMatching(
      /^info Operation …: every caller has stopped waiting, Running \(\d+ ms, 2 polls, 0 of them failed\)\.$/,
    ),
  ]);
});

test("a wait whose poller is disposed of ends once; without a caller it never starts", async () => {
  const poller = pollerOf([{ status: "Running" }]);
  const wait = poller.pollUntilDone().catch(() => {});
  await poller[Symbol.asyncDispose]();
  await wait;
  await pollerOf([{ status: "Running" }])[Symbol.asyncDispose]();
  expect(lines).toEqual([
    "info Operation …: waiting.",
    "info Operation …: every caller has stopped waiting, state unknown (0 ms, 0 polls, 0 of them failed).",
  ]);
});

test("an error that a listener throws is logged as an error", async () => {
  const onProgress = vi.fn<() => void>(() => {
    throw new Error("the screen is full");
  });
  await pollerOf([{ status: "Succeeded" }], { onProgress }).pollUntilDone();
  expect(lines).toContainEqual(expect.stringMatching(/^error A listener failed; polling continues\./));
});

test("the query of a URL in the message of a foreign error is hidden", async () => {
  const schedule = (): never => {
    throw new Error("cannot reach https://x.example/?sig=secret");
  };
  await pollerOf([{ status: "Running" }], { schedule })
    .pollUntilDone()
    .catch(() => {});
  expect(lines.at(-1)).toMatch(/^warning .+: cannot reach https:\/\/x\.example\//);
  expect(lines.join()).not.toContain("secret");
});
