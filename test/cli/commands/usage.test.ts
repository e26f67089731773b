import { expect, test } from "vitest";
import { CountingCredential } from "../../support/credential.ts";
import { run } from "../../../src/cli/commands/program.ts";
import { CapturedOutput, contextOf, operationId, runCli, startServer } from "../run-cli.ts";

const endpoint = "https://contoso.devcenter.azure.com";
const location = `${endpoint}/projects/myProject/operationstatuses/${operationId}`;

const named = ["--project", "myProject", "--operation", operationId];

function tokenOf(itsEndpoint: string): string {
  const operation = {
    endpoint: itsEndpoint,
    projectName: "myProject",
    operationId,
    apiVersion: "2025-02-01",
  };
  return JSON.stringify({
    version: 1,
    operation,
    startedAt: 0,
    savedAt: 0,
    pollCount: 0,
    failedPollCount: 0,
  });
}

test.each([
  [["wait"], "operation-location"],
  [["wait", "nonsense"], "operation-location"],
  [["wait", location.replace("https:", "http:")], "operation-location"],
  [["wait", location.replace(operationId, "nonsense")], "operation id in https://contoso"],
  [
    ["wait", location.replace("myProject", "my%20project")],
    `project name in ${endpoint}/projects/my project/`,
  ],
  [["wait", `a:b=${location}`], "operation-location"],
  [["wait", "--endpoint", endpoint], "--project"],
  [["wait", "--project", "myProject"], "--endpoint"],
  [["wait", "--endpoint", "nonsense", "--project", "myProject", "--operation", operationId], "--endpoint"],
  [["wait", "--endpoint", endpoint, "--project", "x", "--operation", operationId], "--project"],
  [["wait", "--endpoint", endpoint, "--project", "myProject", "--operation", "x"], "--operation"],
  [["wait", "--api-version", "", location], "--api-version"],
  [["wait", "--timeout", "soon", location], "--timeout"],
  [["wait", "--poll-cost", "0", location], "--poll-cost"],
  [["wait", "--stall-timeout", "0", location], "--stall-timeout"],
  [["wait", "--succeeded-state", " ", location], "--succeeded-state"],
  [
    ["wait", "--succeeded-state", "Ended", "--failed-state", " ended", location],
    '--failed-state: expected a word that no other option names, got " ended"',
  ],
  [["status", "--failed-state", "x", "--canceled-state", "X", location], "--canceled-state"],
  [["queue", "add", "--succeeded-state", "x", "--canceled-state", "X", location], "--canceled-state"],
  [["wait", "--output", "xml", location], "--output"],
  [["wait", "--resume", "no-such-file"], "--resume"],
  [["wait", "--resume", "-"], "--resume"],
  [["wait", "--resume", ""], "--resume: expected a resume token, a file with some, or -, got an empty text"],
  [["wait", "--resume", `{"event":"progress"}`], "events without a token"],
  [["wait", "--resume", "{}"], "--resume"],
  [
    [
      "wait",
      "--resume",
      `{"version":2,"operation":{"endpoint":"${endpoint}","operationId":"${operationId}"}}`,
    ],
    "--resume",
  ],
  [["wait", "--nonsense"], "--nonsense"],
  [["status"], "operation-location"],
  [["emulate", "--port", "65536"], "--port"],
  [["emulate", "--speed", "0"], "--speed"],
  [["emulate", "--scenario", "nonsense"], "--scenario"],
  [["nonsense"], "nonsense"],
])("%j is a usage error that names %s", async (argv, name) => {
  const { exitCode, stdout, stderr } = await runCli(argv);
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(/^error: /);
  expect(stderr.split("\n")[0]).toContain(name);
  expect(stdout).toBe("");
});

test.each([
  ["wait", `htps://contoso.devcenter.azure.com/x?sig=TOPSECRET`],
  ["wait", `${location.replace(operationId, "nonsense")}?sig=TOPSECRET`],
  ["wait", `${location.replace(".azure.", ".example.")}?sig=TOPSECRET`],
  ["status", "https://[bad]/x?sig=TOPSECRET"],
  ["wait", "--from", `${location}?sig=TOPSECRET`],
  ["wait", "--timeout", `${location}?sig=TOPSECRET`],
  ["wait", "--timeout", "https://me:TOPSECRET@contoso.devcenter.azure.com"],
  ["wait", "--endpoint", `${endpoint}?sig=TOPSECRET`, ...named],
  ["wait", "--endpoint", "https://me:TOPSECRET@contoso.devcenter.azure.com", ...named],
  ["wait", "--resume", `{"operation":"${location}?sig=TOPSECRET"`],
  ["wait", "--resume", `x{"operation":"${location}?sig=TOPSECRET"}`],
])("%s %s is rejected without its signature", async (...argv) => {
  const { exitCode, stdout, stderr } = await runCli(argv);
  expect(exitCode).toBe(2);
  expect(stdout + stderr).not.toContain("TOPSECRET");
});

test("an argument that is quoted cannot move the cursor of a terminal", async () => {
  for (const argv of [["\u001b[2J\u0000wait"], ["wait", "--\u202enonsense"], ["wait", "\u001b[2Jnonsense"]]) {
    expect((await runCli(argv)).stderr).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
  }
});

test("a bug shows its stack, and does not have the exit code of a failed operation", async () => {
  const [stdout, stderr] = [new CapturedOutput(), new CapturedOutput()];
  const stdin = {
    [Symbol.asyncIterator]() {
      throw new Error("a bug");
    },
  };
  const context = contextOf({ stdin, stdout, stderr });
  expect(await run(["wait", "--from", "-"], context)).toBe(5);
  expect(stderr.text).toMatch(/^error: Error: a bug\n +at /);
});

test("a resume token without an operation and text that is no token have different errors", async () => {
  const stderrOf = async (token: string): Promise<string> =>
    (await runCli(["wait", "--resume", token])).stderr;
  expect(await stderrOf("{}")).toContain("got JSON that is no token");
  expect(await stderrOf("{oops")).toContain("got text that is no JSON");
});

test("http is for this machine only, and the error says so", async () => {
  for (const rejected of [location.replace("https:", "http:"), "nonsense"]) {
    expect((await runCli(["wait", rejected])).stderr).toMatch(/http (is for|on) this machine/);
  }
});

test.each([
  [["wait", location.replace(".azure.", ".example.")], "operation-location"],
  [["status", location.replace(".azure.", ".example.")], "operation-location"],
  [["wait", "--endpoint", "https://devcenter.azure.com.example", ...named], "--endpoint"],
  [["wait", "--resume", tokenOf("https://notdevcenter.azure.com/")], "--resume: "],
])("%j gets no token, and no request", async (argv, name) => {
  const { exitCode, stderr } = await runCli(argv);
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(
    new RegExp(
      `^error: ${name}.*--scope: expected the scopes of the token, because .*is no host.*--allow-host`,
    ),
  );
});

test("--allow-host lets a token go to a host", async () => {
  const argv = ["wait", location.replace(".azure.", ".example."), "--allow-host"];
  const credential = new CountingCredential();
  credential.failWith = Object.assign(new Error("Not signed in."), { name: "CredentialUnavailableError" });
  const loadCredential = (): Promise<CountingCredential> => Promise.resolve(credential);
  const allowed = await runCli([...argv, "Contoso.devcenter.example.com"], { loadCredential });
  expect(allowed.exitCode).toBe(5);
  expect(credential.calls).toHaveLength(1);
  expect(await runCli([...argv, "devcenter.example.com"])).toMatchObject({ exitCode: 2 });
});

test("one bad argument among good ones is found before anything is sent", async () => {
  const server = await startServer();
  const { operationLocation } = server.addOperation();
  expect(await runCli(["wait", operationLocation, "nonsense"])).toMatchObject({ exitCode: 2 });
  expect(server.requests).toEqual([]);
});

test("a port in use is named", async () => {
  const port = new URL((await startServer()).endpoint).port;
  const { exitCode, stderr } = await runCli(["emulate", "--port", port]);
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(/^error: --port: .*EADDRINUSE/);
});

test("without arguments it prints its help to stderr, and exit code 2", async () => {
  const { exitCode, stdout, stderr } = await runCli([]);
  expect(exitCode).toBe(2);
  expect(stdout).toBe("");
  expect(stderr).toMatch(/^Usage: lro .*wait.*status.*emulate/s);
});

test("--help goes to stdout and explains exit codes and credentials", async () => {
  const { exitCode, stdout } = await runCli(["wait", "--help"]);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/name=URL\s+shows/);
  expect(stdout).toMatch(/--timeout.*a\s+plain\s+number is seconds/s);
  expect(stdout).toMatch(/130 +interrupted.*first of these counts: 1, 3, 5, 4.*az login/s);
});

test("--version is the package's", async () => {
  const { default: manifest } = await import("../../../package.json", { with: { type: "json" } });
  expect(await runCli(["--version"])).toEqual({ exitCode: 0, stdout: `${manifest.version}\n`, stderr: "" });
});
