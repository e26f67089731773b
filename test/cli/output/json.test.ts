import { expect, test } from "vitest";
import { Interruption } from "../../../src/cli/input/context.ts";
import { leapingClock } from "../../support/clock.ts";
import { failing, operationId, runCli, startServer, succeeding } from "../run-cli.ts";

function eventsIn(stdout: string): unknown[] {
  return stdout
    .trimEnd()
    .split("\n")
    .map((line): unknown => JSON.parse(line));
}

const nothing = { total: 1, succeeded: 0, failed: 0, canceled: 0, unknown: 0 };

/** The last event of a wait for one operation, unless another total is given. */
function summaryOf(counts: object): object {
  return { event: "summary", ...nothing, ...counts };
}

const whole = expect.toSatisfy(Number.isInteger);

test("progress and the result are one JSON object on each line", async () => {
  const server = await startServer();
  // An estimate needs two levels of the percentage, at about one speed.
  const timeline = succeeding.toSpliced(1, 0, { status: "Running", polls: 1, percentComplete: 11 });
  const { operationLocation } = server.addOperation({ operationId, timeline });
  // On a slow machine a clock of real time would leave too long a time between two levels.
  const { exitCode, stdout, stderr } = await runCli(["wait", "--output", "json", operationLocation], {
    pollOptions: { clock: leapingClock(), requestTimeoutInMs: Infinity },
  });
  expect(exitCode).toBe(0);
  expect(stderr).toBe("");
  const common = {
    event: "progress",
    operation: operationId,
    changed: true,
    elapsedInMs: whole,
    failedPollCount: 0,
    isOverdue: false,
  };
  expect(eventsIn(stdout)).toEqual([
    { ...common, status: "NotStarted", pollCount: 1, nextPollInMs: whole },
    {
      ...common,
      status: "Running",
      previousStatus: "NotStarted",
      percentComplete: 11,
      pollCount: 2,
      nextPollInMs: whole,
    },
    {
      ...common,
      status: "Running",
      previousStatus: "Running",
      percentComplete: 42.5,
      estimatedRemainingInMs: whole,
      estimatedRemainingRangeInMs: [whole, whole],
      pollCount: 3,
      nextPollInMs: whole,
    },
    {
      ...common,
      status: "Succeeded",
      previousStatus: "Running",
      percentComplete: 100,
      estimatedRemainingInMs: 0,
      estimatedRemainingRangeInMs: [0, 0],
      pollCount: 4,
    },
    { event: "result", operation: operationId, result: { uri: "https://box" } },
    summaryOf({ succeeded: 1, exitCode: 0 }),
  ]);
});

test("a failure is an event with the service's error", async () => {
  const server = await startServer();
  const { operationLocation } = server.addOperation({ operationId, timeline: failing });
  const { exitCode, stdout, stderr } = await runCli(["wait", "--output", "json", operationLocation]);
  expect(exitCode).toBe(1);
  expect(stderr).toBe("");
  expect(eventsIn(stdout).at(-1)).toEqual(summaryOf({ failed: 1, exitCode: 1 }));
  expect(eventsIn(stdout).at(-2)).toEqual({
    event: "error",
    operation: operationId,
    error: {
      name: "OperationFailedError",
      code: "ProvisioningFailed",
      message: "The dev box could not be created.",
      rootCause: { code: "NoCapacity", message: "No cores left." },
      target: "myBox",
      details: [{ code: "NoCapacity", message: "No cores left.", target: "westeurope" }],
      innererror: { code: "Allocation", innererror: { code: "Quota" } },
      requestId: expect.stringMatching(/^[\w-]{36}$/),
    },
  });
});

test("the event of an error has every field of the service's error", async () => {
  const server = await startServer();
  const error = {
    code: "InvalidTemplateDeployment",
    message: "Not valid.",
    name: "of the service",
    retryable: false,
    details: [{ code: "ZonalAllocationFailed", message: "Full.", zone: 1 }],
    additionalInfo: [{ type: "PolicyViolation", info: { policyDefinitionName: "no-public-ip" } }],
  };
  const failed = server.addOperation({ timeline: [{ status: "Failed", error }] });
  const rejected = server.addOperation({ faults: { 1: { kind: "status", status: 403, body: { error } } } });
  for (const { operationLocation } of [failed, rejected]) {
    const { stdout } = await runCli(["wait", "-o", "json", "--quiet", operationLocation]);
    const [event] = eventsIn(stdout);
    expect(event).toMatchObject({
      error: { ...error, name: expect.stringMatching(/Error$/), message: expect.any(String) },
    });
  }
});

test("a failed poll is an event of its own", async () => {
  const server = await startServer();
  const { operationLocation } = server.addOperation({
    operationId,
    timeline: succeeding,
    faults: { 1: { kind: "status", status: 503, retryAfter: 7 } },
  });
  const { stdout } = await runCli(["wait", "--output", "json", operationLocation]);
  expect(eventsIn(stdout)[0]).toEqual({
    event: "failedPoll",
    operation: operationId,
    elapsedInMs: whole,
    nextPollInMs: expect.toSatisfy((delay: number) => delay >= 7000),
    pollCount: 1,
    failedPollCount: 1,
    error: {
      name: "RequestError",
      code: "Fault503",
      message: "HTTP 503: Fault503: A fault of 503.",
      statusCode: 503,
      requestId: expect.any(String),
    },
  });
});

test("a timeout and an interruption carry the resume token", async () => {
  const server = await startServer();
  const { operationLocation } = server.addOperation({ timeline: [{ status: "Running" }] });
  const timedOut = await runCli(["wait", "--output", "json", "--timeout", "60s", operationLocation]);
  expect(timedOut.exitCode).toBe(4);
  expect(eventsIn(timedOut.stdout).at(-1)).toEqual(summaryOf({ unknown: 1, exitCode: 4 }));
  expect(eventsIn(timedOut.stdout).at(-2)).toMatchObject({
    event: "error",
    error: {
      name: "PollingTimeoutError",
      code: "PollingTimeout",
      resumeToken: expect.stringMatching(/^\{"version":1/),
    },
  });
  const interruption = AbortSignal.abort(new Interruption("interrupted", 130));
  const interrupted = await runCli(["wait", "--output", "json", operationLocation], { interruption });
  expect(interrupted.exitCode).toBe(130);
  expect(timedOut.stderr).toMatch(
    /^To continue waiting:\n {2}npx lro wait --timeout 1m -o json --resume '\{.*\}'\n$/,
  );
  expect(eventsIn(interrupted.stdout).at(-1)).toEqual(summaryOf({ unknown: 1, exitCode: 130 }));
  expect(eventsIn(interrupted.stdout).at(-2)).toMatchObject({
    event: "error",
    error: {
      code: "Interrupted",
      message: "interrupted",
      resumeToken: expect.stringMatching(/^\{"version":1/),
    },
  });
});

const rejected = { kind: "status", status: 403 } as const;

test("the last event counts the operations by their end, and has the exit code", async () => {
  const server = await startServer();
  const timelines = [succeeding, succeeding, failing, [{ status: "Canceled" }]];
  const plans = [...timelines.map((timeline) => ({ timeline })), { faults: { 1: rejected } }];
  const locations = plans.map((plan) => server.addOperation(plan).operationLocation);
  const { exitCode, stdout } = await runCli(["wait", "-o", "json", ...locations]);
  expect(exitCode).toBe(1);
  const counts = { total: 5, succeeded: 2, failed: 1, canceled: 1, unknown: 1, exitCode: 1 };
  expect(eventsIn(stdout).at(-1)).toEqual(summaryOf(counts));
  expect(stdout.match(/"event":"summary"/g)).toHaveLength(1);
});

test("an operation with a name is identified by its id and the name", async () => {
  const server = await startServer();
  const { operationLocation } = server.addOperation({ operationId, timeline: succeeding });
  const { stdout } = await runCli(["wait", "-o", "json", `my box=${operationLocation}`]);
  expect(eventsIn(stdout)).toHaveLength(5);
  for (const event of eventsIn(stdout).slice(0, -1))
    expect(event).toMatchObject({ operation: operationId, name: "my box" });
});

test("with --quiet only results, errors and the summary are events, and a missing result is null", async () => {
  const server = await startServer();
  const { operationLocation } = server.addOperation({
    operationId,
    timeline: [{ status: "Running", polls: 1 }, { status: "Succeeded" }],
    faults: { 1: { kind: "reset" } },
  });
  const { stdout } = await runCli(["wait", "--output", "json", "--quiet", operationLocation]);
  expect(eventsIn(stdout)).toEqual([
    { event: "result", operation: operationId, result: null },
    summaryOf({ succeeded: 1, exitCode: 0 }),
  ]);
});

test("a terminal gets JSON too with -o json, without control characters", async () => {
  const server = await startServer();
  const properties = { text: "\u001B[2J\u009B\u202E\n" };
  const { operationLocation } = server.addOperation({
    operationId,
    timeline: [{ status: "Succeeded", properties }],
  });
  const { stdout } = await runCli(["wait", "-o", "json", operationLocation], { columns: 80 });
  expect(stdout).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
  expect(eventsIn(stdout).at(-2)).toMatchObject({ event: "result", result: properties });
});
