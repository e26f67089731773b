import { expect, test } from "vitest";
import { operationId, runCli, startServer } from "./run-cli.ts";

const location = `https://contoso.devcenter.azure.com/projects/myProject/operationstatuses/${operationId}`;

test.each([
  [["wait"], "operation-location"],
  [["wait", "nonsense"], "operation-location"],
  [["wait", "https://contoso.devcenter.azure.com/nonsense"], "operation-location"],
  [["wait", location.replace("https:", "http:")], "operation-location"],
  [["wait", location.replace(operationId, "nonsense")], "operation-location"],
  [["wait", "--endpoint", "https://contoso.devcenter.azure.com"], "--project"],
  [["wait", "--project", "myProject"], "--endpoint"],
  [["wait", "--endpoint", "nonsense", "--project", "myProject", "--operation", operationId], "--endpoint"],
  [["wait", "--endpoint", "https://a.b", "--project", "x", "--operation", operationId], "--project"],
  [["wait", "--endpoint", "https://a.b", "--project", "myProject", "--operation", "x"], "--operation"],
  [["wait", "--api-version", "", location], "--api-version"],
  [["wait", "--timeout", "soon", location], "--timeout"],
  [["wait", "--poll-cost", "0", location], "--poll-cost"],
  [["wait", "--output", "xml", location], "--output"],
  [["wait", "--resume", "no-such-file"], "--resume"],
  [["wait", "--resume", "-"], "--resume"],
  [["wait", "--resume", "{}"], "--resume"],
  [
    [
      "wait",
      "--resume",
      `{"version":2,"operation":{"endpoint":"https://a.b","operationId":"${operationId}"}}`,
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

test("a resume token that says nothing of its operation is told from text that is no token", async () => {
  const refusalOf = async (token: string): Promise<string> =>
    (await runCli(["wait", "--resume", token])).stderr;
  expect(await refusalOf("{}")).toContain("got JSON that is no token");
  expect(await refusalOf("{oops")).toContain("got text that is no JSON");
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

test("without arguments it explains itself, and says that this is no way to use it", async () => {
  const { exitCode, stdout, stderr } = await runCli([]);
  expect(exitCode).toBe(2);
  expect(stdout).toBe("");
  expect(stderr).toMatch(/^Usage: lro .*wait.*status.*emulate/s);
});

test("--help goes to stdout and explains exit codes and credentials", async () => {
  const { exitCode, stdout } = await runCli(["wait", "--help"]);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/130 +interrupted.*first of these counts: 1, 3, 5, 4.*az login/s);
});

test("--version is the package's", async () => {
  const { default: manifest } = await import("../../package.json", { with: { type: "json" } });
  expect(await runCli(["--version"])).toEqual({ exitCode: 0, stdout: `${manifest.version}\n`, stderr: "" });
});
