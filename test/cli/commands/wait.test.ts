import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { PollingTimeoutError, systemClock } from "lro-poller";
import type { Progress } from "lro-poller";
import { expect, onTestFinished, test, vi } from "vitest";
import { StatusOperation } from "../../../src/azure/lro/status-operation.ts";
import { Interruption } from "../../../src/cli/input/context.ts";
import { combinedExitCode } from "../../../src/cli/output/exit-codes.ts";
import { ResultPrinter } from "../../../src/cli/output/result-printer.ts";
import { explainError } from "../../../src/cli/output/wait-outcome.ts";
import { createLinesReporter } from "../../../src/cli/output/lines-reporter.ts";
import { fastClock } from "../../support/clock.ts";
import { CountingCredential } from "../../support/credential.ts";
import { createCertificate, trust } from "../../support/tls.ts";
import {
  CapturedOutput,
  contextOf,
  failing,
  operationId,
  runCli,
  startServer,
  succeeding,
  temporaryFolder,
  untimed,
} from "../run-cli.ts";

const otherId = "0b1c2d3e-e49d-41bd-8dd8-de719b9de3b3";

test("a success is exit code 0: a line for each change, then the result", async () => {
  const server = await startServer();
  const { operationLocation } = server.addOperation({ operationId, timeline: succeeding });
  const { stdout, ...outcome } = await runCli(["wait", operationLocation]);
  expect(outcome).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout).toMatch(/^\d+:\d\d \S+ NotStarted\n/);
  expect(untimed(stdout)).toBe(`${operationId} NotStarted
${operationId} Running 42 %
${operationId} Succeeded 100 %
{
  "uri": "https://box"
}
`);
});

test("a status that does not change is not repeated", async () => {
  const server = await startServer();
  const timeline = [{ status: "Running", polls: 5 }, { status: "Succeeded" }];
  const { operationLocation } = server.addOperation({ operationId, timeline });
  const { stdout } = await runCli(["wait", operationLocation]);
  expect(untimed(stdout)).toBe(`${operationId} Running\n${operationId} Succeeded\n`);
  expect(server.requests).toHaveLength(6);
});

test("endpoint, project and operations can be named one by one", async () => {
  const server = await startServer();
  for (const id of [operationId, otherId]) server.addOperation({ operationId: id, timeline: succeeding });
  const named = [
    "--endpoint",
    server.endpoint,
    "--project",
    "myProject",
    "--operation",
    operationId,
    otherId,
  ];
  const { exitCode, stdout } = await runCli(["wait", "--api-version", "2024-02-01", ...named]);
  expect(exitCode).toBe(0);
  expect(stdout).toContain(`${operationId} result:\n{`);
  expect(stdout).toContain(`${otherId} result:\n{`);
  expect(server.requests.every(({ url }) => url.endsWith("?api-version=2024-02-01"))).toBe(true);
});

test("an operation with two names is polled once, and told by both", async () => {
  const server = await startServer();
  const { operationLocation } = server.addOperation({ operationId, timeline: succeeding });
  const names = [`web=${operationLocation}`, `db=${operationLocation}`, operationLocation];
  const { stdout, exitCode } = await runCli(["wait", ...names]);
  expect(exitCode).toBe(0);
  for (const name of ["web", "db"]) expect(stdout).toMatch(new RegExp(`${name} Succeeded 100 %`));
  expect(untimed(stdout)).not.toContain(`${operationId} Succeeded`);
  expect(server.requests).toHaveLength(succeeding.length);
});

test("a timeout is told by both names of an operation", async () => {
  const server = await startServer();
  const { operationLocation } = server.addOperation({ operationId, timeline: [{ status: "Running" }] });
  const names = [`web=${operationLocation}`, `db=${operationLocation}`];
  const { stdout, exitCode } = await runCli(["wait", "-o", "json", "--timeout", "2s", ...names]);
  expect(exitCode).not.toBe(0);
  for (const name of ["web", "db"]) expect(stdout).toMatch(new RegExp(`"name":"${name}".*PollingTimeout`));
});

test("an operation that is named twice is waited for once", async () => {
  const server = await startServer();
  const { operationLocation } = server.addOperation({ timeline: succeeding });
  await runCli(["wait", operationLocation, operationLocation]);
  expect(server.requests).toHaveLength(3);
});

test("a failure is exit code 1, its whole error on stderr", async () => {
  const server = await startServer();
  const { operationLocation } = server.addOperation({ operationId, timeline: failing });
  const { exitCode, stdout, stderr } = await runCli(["wait", operationLocation]);
  expect(exitCode).toBe(1);
  expect(untimed(stdout)).toBe(`${operationId} Running\n${operationId} Failed\n`);
  expect(stderr).toMatch(
    new RegExp(
      [
        `^error: Operation ${operationId} failed. NoCapacity: No cores left. \\(westeurope, in ProvisioningFailed\\)`,
        "  ProvisioningFailed: The dev box could not be created. \\(myBox\\) → Allocation → Quota",
        "    - NoCapacity: No cores left. \\(westeurope\\)",
        "Request id: [\\w-]{36}\n$",
      ].join("\n"),
    ),
  );
});

test("a cancellation is exit code 3", async () => {
  const server = await startServer();
  const { operationLocation } = server.addOperation({ timeline: [{ status: "Canceled" }] });
  const { exitCode, stderr } = await runCli(["wait", operationLocation]);
  expect(exitCode).toBe(3);
  expect(stderr).toContain("was canceled");
});

test("the end of --timeout is exit code 4, and stderr has the resume command", async () => {
  const server = await startServer();
  const { operationLocation } = server.addOperation({ operationId, timeline: [{ status: "Running" }] });
  const { exitCode, stderr } = await runCli(["wait", "--timeout", "10m", operationLocation]);
  expect(exitCode).toBe(4);
  expect(stderr).toContain("still Running");
  const token = tokenIn(stderr);
  server.setStatus(operationId, "Succeeded");
  expect(await runCli(["wait", "--resume", token])).toMatchObject({ exitCode: 0 });
});

test("the end of --stall-timeout is exit code 4, and stderr has the resume command", async () => {
  const server = await startServer();
  const timeline = [{ status: "Deleting", percentComplete: 100 }];
  const { operationLocation } = server.addOperation({ operationId, timeline });
  const { exitCode, stderr } = await runCli(["wait", "--stall-timeout", "10m", operationLocation]);
  expect(exitCode).toBe(4);
  expect(stderr).toMatch(/ is still Deleting at 100 % after \d+ s, unchanged for \d+ s\. To continue/);
  expect(stderr).toContain("npx lro wait --stall-timeout 10m --resume ");
  const token = tokenIn(stderr);
  server.setStatus(operationId, "Succeeded");
  expect(await runCli(["wait", "--resume", token])).toMatchObject({ exitCode: 0 });
});

test.each([["wait"], ["status"]])(
  "every poll of lro %s receives the words of its options",
  async (command) => {
    const server = await startServer();
    const { operationLocation } = server.addOperation({ timeline: [{ status: "Succeeded" }] });
    const getStatus = vi.spyOn(StatusOperation.prototype, "getStatus");
    onTestFinished(() => getStatus.mockRestore());
    const words = "--succeeded-state Dequeued --failed-state Dead --canceled-state Gone --failed-state Lost";
    await runCli([command, ...words.split(" "), operationLocation]);
    expect(getStatus.mock.calls.map(([{ terminalStates }]) => terminalStates)).toEqual([
      { succeeded: ["Dequeued"], failed: ["Dead", "Lost"], canceled: ["Gone"] },
    ]);
  },
);

test("the error of a time names the options for a state that looks terminal", () => {
  const message =
    "The service sent an end time with this state: if it is terminal, add it to terminalStates.";
  expect(explainError(new PollingTimeoutError(message, "Stalled"))).toBe(
    "The service sent an end time with this state: if it is terminal, " +
      "name it by --succeeded-state, --failed-state or --canceled-state.",
  );
});

function tokenIn(stderr: string): string {
  return /^ {2}npx lro wait .*--resume '(.+)'$/m.exec(stderr)?.[1] ?? "none";
}

test("a permanent error of a poll is exit code 5", async () => {
  const server = await startServer({ requireAuthorization: () => false });
  const { operationLocation } = server.addOperation();
  const { exitCode, stdout, stderr } = await runCli(["wait", operationLocation]);
  expect(exitCode).toBe(5);
  expect(stdout).toBe("");
  expect(stderr).toMatch(/^error: Polling operation .*HTTP 401: Unauthorized/);
});

test("an unknown operation is exit code 5", async () => {
  const server = await startServer();
  const location = `${server.endpoint}/projects/myProject/operationstatuses/${operationId}`;
  const { exitCode, stderr } = await runCli(["wait", location]);
  expect(exitCode).toBe(5);
  expect(stderr).toContain(`error: Operation ${operationId} was not found`);
  expect(stderr).not.toContain("--resume");
});

test.each([
  [["Succeeded", "Succeeded"], 0],
  [["Succeeded", "Canceled"], 3],
  [["Canceled", "Failed"], 1],
  [["unknown", "Succeeded"], 5],
  [["unknown", "Canceled"], 3],
])("the exit code of %j is %d", async (states, exitCode) => {
  const server = await startServer();
  const unknown = `${server.endpoint}/projects/myProject/operationstatuses/${operationId}`;
  const locations = states.map((status) =>
    status === "unknown" ? unknown : server.addOperation({ timeline: [{ status }] }).operationLocation,
  );
  expect(await runCli(["wait", ...locations])).toMatchObject({ exitCode });
});

test("an interruption takes precedence over a failure, a cancellation, a failed poll and a timeout, in this order", () => {
  const descending = [130, 1, 3, 5, 4, 0];
  for (const [index, code] of descending.entries()) {
    expect(combinedExitCode(descending.slice(index).toReversed())).toBe(code);
  }
});

test("failed polls go to stderr and do not end the wait", async () => {
  const server = await startServer();
  const { operationLocation } = server.addOperation({
    operationId,
    timeline: succeeding,
    faults: { 2: { kind: "status", status: 503 }, 3: { kind: "reset" } },
  });
  const { exitCode, stdout, stderr } = await runCli(["wait", operationLocation]);
  expect(exitCode).toBe(0);
  expect(untimed(stdout).split("\n").slice(0, 3)).toEqual([
    `${operationId} NotStarted`,
    `${operationId} Running 42 %`,
    `${operationId} Succeeded 100 %`,
  ]);
  expect(
    untimed(stderr)
      .split("\n")
      .map((line) => line.replace(/\d s/, "N s")),
  ).toEqual([
    expect.stringContaining(`${operationId} poll failed, retrying in N s: HTTP 503: Fault503`),
    expect.stringContaining(`${operationId} poll failed, retrying in N s: `),
    "",
  ]);
});

test("--quiet prints results only, in the order of the command line", async () => {
  const server = await startServer();
  const later = server.addOperation({
    timeline: [
      { status: "Running", polls: 9 },
      { status: "Succeeded", properties: 1 },
    ],
  });
  const none = server.addOperation({ timeline: [{ status: "Succeeded" }] });
  const failed = server.addOperation({ timeline: failing, faults: { 1: { kind: "status", status: 500 } } });
  const locations = [later, none, failed].map(({ operationLocation }) => operationLocation);
  const { stdout, stderr } = await runCli(["wait", "--quiet", ...locations]);
  expect(stdout).toBe("1\nnull\n");
  expect(stderr).toMatch(/^error: .* failed\./);
});

test("an interruption stops the wait with its exit code, and the token that it prints resumes it", async () => {
  const server = await startServer();
  const location = server.addOperation({
    operationId: otherId,
    timeline: [{ status: "Running" }],
  }).operationLocation;
  const interruption = new AbortController();
  const interrupted = runCli(["wait", location], { interruption: interruption.signal });
  await expect.poll(() => server.requests.length).toBeGreaterThan(1);
  interruption.abort(new Interruption("interrupted", 130));
  const { exitCode, stderr } = await interrupted;
  expect(exitCode).toBe(130);
  expect(stderr).toContain("Stopped waiting; the operation continues.\nTo continue waiting:\n");
  server.setStatus(otherId, "Succeeded");
  expect(await runCli(["wait", "--resume", "-"], { stdin: tokenIn(stderr) })).toMatchObject({ exitCode: 0 });
  const file = join(temporaryFolder(), "token.json");
  writeFileSync(file, tokenIn(stderr));
  expect(await runCli(["wait", "--resume", file])).toMatchObject({ exitCode: 0 });
});

test("a name stands in place of the id, and beside it in errors", async () => {
  const server = await startServer();
  const { operationLocation } = server.addOperation({ operationId, timeline: failing });
  const { stdout, stderr } = await runCli(["wait", `web=${operationLocation}`]);
  expect(untimed(stdout)).toBe("web Running\nweb Failed\n");
  expect(stderr).toMatch(`error: Operation web (${operationId}) failed.`);
  expect((await runCli(["status", `web=${operationLocation}`])).stdout).toMatch(/^web Failed\n/);
});

test("without changes, a line a minute shows that the wait continues", () => {
  const stdout = new CapturedOutput();
  const context = contextOf({ stdout });
  const names = [{ id: operationId, name: "web" }];
  const reporter = createLinesReporter(names, new ResultPrinter(names, context), context);
  for (let seconds = 0; seconds <= 150; seconds += 10) {
    reporter.progress(0, progressAt(seconds * 1000, seconds === 0 || seconds === 20));
  }
  expect(stdout.text).toBe(
    ["0:00 web Running", "0:20 web Running", "1:20 web still Running", "2:20 web still Running", ""].join(
      "\n",
    ),
  );
});

function progressAt(elapsedInMs: number, changed: boolean): Progress {
  return {
    status: "Running",
    previousStatus: undefined,
    changed,
    percentComplete: undefined,
    operation: { id: operationId, name: operationId, status: "Running" },
    elapsedInMs,
    estimatedRemainingInMs: undefined,
    estimatedRemainingRangeInMs: undefined,
    isOverdue: false,
    nextPollInMs: 10_000,
    pollCount: 1,
    failedPollCount: 0,
  };
}

test("--poll-cost spaces the polls", async () => {
  const server = await startServer();
  const timeline = [{ status: "Running", polls: 1 }, { status: "Succeeded" }];
  const { operationLocation } = server.addOperation({ timeline });
  const { stdout } = await runCli(["wait", "-o", "json", "--poll-cost", "10m", operationLocation], {
    pollOptions: { clock: fastClock(systemClock, 10_000), maxDelayInMs: 1e9 },
  });
  // The second poll comes no sooner than half the price after the first.
  expect(Number(/"nextPollInMs":(\d+)/.exec(stdout)?.[1])).toBeGreaterThanOrEqual(300_000);
});

test("an https endpoint needs a credential, and its absence comes with advice", async () => {
  const credential = new CountingCredential();
  credential.failWith = Object.assign(new Error("Nothing worked.\nNot this.\nNor that"), {
    name: "CredentialUnavailableError",
  });
  const locations = [operationId, otherId].map(
    (id) => `https://127.0.0.1:9/projects/myProject/operationstatuses/${id}`,
  );
  const { exitCode, stdout, stderr } = await runCli(["wait", "--allow-host", "127.0.0.1", ...locations], {
    loadCredential: () => Promise.resolve(credential),
  });
  expect(exitCode).toBe(5);
  expect(stdout).toBe("");
  expect(stderr.match(/^error: .*no token from the credential: Nothing worked\.$/gm)).toHaveLength(2);
  expect(stderr.match(/az login/g)).toHaveLength(1);
  expect(stderr).toContain("Tried:\n  Not this.\n  Nor that");
  expect(stderr.match(/Not this/g)).toHaveLength(1);
  expect(credential.calls[0]?.scopes).toEqual(["https://devcenter.azure.com/.default"]);
});

test("the advice on a missing credential is not in the events of -o json", async () => {
  const credential = new CountingCredential();
  credential.failWith = Object.assign(new Error("Nothing worked."), { name: "CredentialUnavailableError" });
  const location = `https://127.0.0.1:9/projects/myProject/operationstatuses/${operationId}`;
  const { stdout, stderr } = await runCli(["wait", "-o", "json", "--allow-host", "127.0.0.1", location], {
    loadCredential: () => Promise.resolve(credential),
  });
  const [last = ""] = stdout.trim().split("\n").slice(-2);
  expect(JSON.parse(last)).toMatchObject({ event: "error", error: { name: "PollingError" } });
  expect(stderr).toMatch(/^[^\n].*az login/s);
});

test("the advice on a 401 says that the request had no token", async () => {
  const server = await startServer({ requireAuthorization: () => false });
  const { operationLocation } = server.addOperation({ operationId });
  for (const argv of [["wait"], ["wait", "-o", "json"], ["status"]]) {
    const { exitCode, stderr } = await runCli([...argv, operationLocation]);
    expect(exitCode).toBe(5);
    expect(stderr).toContain("The request had no token, because lro sends none over http.");
    expect(stderr).not.toContain("did not accept it");
  }
});

test("the advice on a 401 says that the token was not accepted", async () => {
  const certificate = await createCertificate();
  onTestFinished(trust(certificate));
  const server = await startServer({ tls: certificate, requireAuthorization: () => false });
  const { operationLocation } = server.addOperation({ operationId });
  for (const argv of [["wait"], ["wait", "-o", "json"], ["status"]]) {
    const { exitCode, stderr } = await runCli([...argv, "--allow-host", "127.0.0.1", operationLocation], {
      loadCredential: () => Promise.resolve(new CountingCredential()),
    });
    expect(exitCode).toBe(5);
    expect(stderr).toContain("The request had a token, and the service did not accept it.");
    expect(stderr.replaceAll(/\s+/g, " ")).toContain("another scope, name it by --scope.");
    expect(stderr).not.toContain("no token");
  }
});

test("service text cannot control the terminal", async () => {
  const server = await startServer();
  const evil = "\u001B[2J\u009B31m\u202Etxet\u0007";
  const { operationLocation } = server.addOperation({
    timeline: [
      { status: `Odd${evil}`, polls: 1 },
      { status: "Failed", error: { code: "X", message: `bad${evil}\nline` } },
    ],
  });
  const { stdout, stderr } = await runCli(["wait", operationLocation]);
  expect(stdout + stderr).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
  expect(stderr).toContain("bad");
});
