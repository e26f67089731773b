import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { durationHistory } from "lro-poller";
import { expect, onTestFinished, test, vi } from "vitest";
import { Interruption } from "../../../src/cli/input/context.ts";
import { CountingCredential } from "../../support/credential.ts";
import { startRouteServer } from "../../support/route-server.ts";
import type { Route, RouteServer } from "../../support/route-server.ts";
import { runCli, temporaryFolder, untimed } from "../run-cli.ts";

const subscription = "/subscriptions/s/providers/Microsoft.Compute";
const signature = "t=1&c=MIIC&s=TOPSECRET&h=x";
const monitor = `${subscription}/locations/westeurope/operations/op-1?api-version=1&${signature}`;
const vm = `${subscription}/virtualMachines/v`;
const versioned = `${vm}?api-version=2`;

function get(path: string, body: unknown, more: Partial<Route> = {}): Route {
  return { method: "GET", path, status: 200, body, ...more };
}

async function serve(...routes: Route[]): Promise<RouteServer> {
  const server = await startRouteServer(routes);
  onTestFinished(() => server.close());
  return server;
}

function interruptedAtOnce(): { readonly interruption: AbortSignal } {
  return { interruption: AbortSignal.abort(new Interruption("interrupted", 130)) };
}

test("a status monitor is polled without a token over http, and its query is never printed", async () => {
  const server = await serve(
    get(monitor, { status: "InProgress", percentComplete: 40 }),
    get(monitor, { status: "Succeeded", properties: { size: 1 } }),
  );
  const { exitCode, stdout, stderr } = await runCli(["wait", `${server.origin}${monitor}`]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(untimed(stdout)).toBe('op-1 InProgress 40 %\nop-1 Succeeded 40 %\n{\n  "size": 1\n}\n');
  expect(server.authorizations).toEqual([undefined, undefined]);
});

test("the failure of any operation is exit code 1", async () => {
  const error = { code: "OSProvisioningTimedOut", message: "The VM did not start." };
  const server = await serve(get(monitor, { status: "Failed", error }));
  const { exitCode, stderr } = await runCli(["wait", `vm=${server.origin}${monitor}`]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain("vm (op-1)");
  expect(stderr).toContain("OSProvisioningTimedOut: The VM did not start.");
});

test("lro status prints the status of a monitor, a polling location and a resource", async () => {
  const server = await serve(
    get(monitor, { status: "InProgress", name: "its own name" }),
    get("/results/1", undefined, { status: 202 }),
    get(versioned, { properties: { provisioningState: "Updating" } }),
  );
  const locations = [monitor, "/results/1", versioned].map((path) => `${server.origin}${path}`);
  const { exitCode, stdout, stderr } = await runCli(["status", ...locations]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout).toBe("op-1 InProgress\n1 Running\nv Updating\n");
});

test("a resource id is one of --endpoint, and needs --api-version", async () => {
  const server = await serve(get(versioned, { properties: { provisioningState: "Succeeded" } }));
  const endpoint = ["--endpoint", server.origin];
  const waited = await runCli(["wait", ...endpoint, "--api-version", "2", "-q", `web=${vm}`]);
  expect(waited).toMatchObject({ exitCode: 0, stderr: "" });
  const { exitCode, stderr } = await runCli(["wait", ...endpoint, vm]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain(
    "--api-version: expected a value, because operation-location is an Azure resource id",
  );
  expect(server.requestLines).toEqual([`GET ${versioned}`]);
});

/** Returns the scopes of the tokens that a command asks for; it gets none, and so sends nothing. */
async function scopesOf(...argv: string[]): Promise<unknown[]> {
  const credential = new CountingCredential();
  credential.failWith = Object.assign(new Error("Not signed in."), { name: "CredentialUnavailableError" });
  const run = await runCli(["wait", ...argv], { loadCredential: () => Promise.resolve(credential) });
  expect(run.exitCode).toBe(5);
  return credential.calls.map(({ scopes }) => scopes);
}

const devCenterPath = "/projects/p01/operationstatuses/fa067167-e49d-41bd-8dd8-de719b9de3b3";

test.each<[string, string[]]>([
  [
    "https://management.azure.com/.default",
    ["https://westus.management.azure.com/subscriptions/s/operations/1"],
  ],
  ["https://management.azure.com/.default", [vm, "--api-version", "2"]],
  [
    "https://management.usgovcloudapi.net/.default",
    [vm, "--api-version", "2", "--endpoint", "https://management.usgovcloudapi.net"],
  ],
  ["https://cognitiveservices.azure.com/.default", ["https://x.cognitiveservices.azure.com/op/1"]],
  [
    "https://devcenter.azure.com/.default",
    ["https://x.devcenter.azure.com/projects/p01/users/me/devboxes/b"],
  ],
  [
    "https://devcenter.azure.com/.default",
    [`https://gw.example${devCenterPath}`, "--allow-host", "gw.example"],
  ],
  ["mine", ["https://x.services.ai.azure.com/op/1", "--scope", "mine"]],
  ["mine", ["https://gw.example/op/1", "--scope", "mine"]],
  ["mine", ["https://gw.example/op/1", "--scope", "mine", "--allow-host", "GW.example"]],
  [
    "https://management.azure.com/.default",
    ["https://management.azure.com/op/1", "--scope", "mine", "--allow-host", "gw.example"],
  ],
  [
    "https://management.azure.com/.default",
    ["https://management.azure.com/op/1", "--allow-host", "management.azure.com"],
  ],
])("a token for %s is for %j", async (scope, argv) => {
  expect((await scopesOf(...argv)).flat()).toEqual([scope]);
});

test.each([
  [["https://gw.example/op/1"], "gw.example is no host of an Azure service"],
  [["https://gw.example/op/1", "--allow-host", "gw.example"], "gw.example is no host of an Azure service"],
  [
    ["https://gw.example/op/1", "--scope", "mine", "--allow-host", "other.example"],
    "--allow-host gw.example sends",
  ],
  [["https://management.azure.com.evil.example/op/1"], "is no host of an Azure service"],
  [["https://x.services.ai.azure.com/op/1"], "https://ai.azure.com/.default"],
  [[`https://127.0.0.1:9${devCenterPath}`], "--allow-host 127.0.0.1 sends those of DevCenter there"],
])("%j gets no token and no request: the error names --scope", async (argv, why) => {
  for (const command of ["wait", "status"]) {
    const { exitCode, stderr } = await runCli([command, ...argv]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^error: operation-location: --scope: expected the scopes of the token, because /);
    expect(stderr).toContain(why);
  }
});

test("an interrupted wait keeps its signed URL out of the output, and can be resumed", async () => {
  vi.stubEnv("TMPDIR", temporaryFolder());
  const server = await serve(get(monitor, { status: "Succeeded", properties: 1 }));
  const argv = ["wait", "--scope", "mine", "--any", "--fail-fast", `vm=${server.origin}${monitor}`];
  const { stdout, stderr } = await runCli(argv, interruptedAtOnce());
  expect(stdout + stderr).not.toContain("TOPSECRET");
  const [, file = ""] =
    /^ {2}npx lro wait --any --fail-fast --scope mine --resume (\S+)$/m.exec(stderr) ?? [];
  expect(readFileSync(file, "utf8")).toContain("TOPSECRET");
  const resumed = await runCli(["wait", "--resume", file]);
  expect({ ...resumed, stdout: untimed(resumed.stdout) }).toEqual({
    exitCode: 0,
    stdout: "vm Succeeded\n1\n",
    stderr: "",
  });
});

test("the state that core-lro serialized is a resume token", async () => {
  const server = await serve(get(monitor, { status: "Succeeded" }));
  const config = { operationLocation: `${server.origin}${monitor}`, metadata: { mode: "OperationLocation" } };
  expect(await runCli(["wait", "--resume", JSON.stringify({ state: { config } })])).toMatchObject({
    exitCode: 0,
  });
});

test("--for waits for a value of a resource, in as many polls as --confirmations says", async () => {
  const at = (state: string): Route => get(versioned, { properties: { status: state } });
  const server = await serve(at("Stopped"), at("Running"), at("Stopped"), at("Running"), at("Running"));
  const options = ["--for", "properties.status=running", "--confirmations", "2"];
  const { exitCode, stdout } = await runCli(["wait", ...options, "-q", `${server.origin}${versioned}`]);
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toEqual({ properties: { status: "Running" } });
  server.assertFinished();
});

test("--fail-if is exit code 1", async () => {
  const server = await serve(get(versioned, { properties: { status: "Crashed" } }));
  const options = ["--for", "properties.status=Running", "--fail-if", "properties.status=Crashed"];
  expect(await runCli(["wait", ...options, `${server.origin}${versioned}`])).toMatchObject({ exitCode: 1 });
});

test("--for exists and --for deleted wait for a resource to come and go", async () => {
  const missing = get(versioned, { error: { code: "ResourceNotFound", message: "None." } }, { status: 404 });
  const server = await serve(missing, get(versioned, {}), get(versioned, {}), missing);
  const url = `${server.origin}${versioned}`;
  expect(await runCli(["wait", "--for", "exists", url])).toMatchObject({ exitCode: 0 });
  expect(await runCli(["wait", "--for", "deleted", url])).toMatchObject({ exitCode: 0 });
  server.assertFinished();
});

test("a resumed wait for a condition needs it again: the resume command repeats it, and the api-version", async () => {
  const server = await serve(get(versioned, { properties: { a: 1 } }));
  const options = "--for 'properties.a=1,properties.b!=2' --fail-if properties.a=3 --confirmations 1";
  const argv = options.split(" ").map((word) => word.replaceAll("'", ""));
  const id = ["--endpoint", server.origin, "--api-version", "2", vm];
  const { stderr } = await runCli(["wait", ...argv, ...id], interruptedAtOnce());
  const [, repeated = "", token = ""] = /^ {2}npx lro wait (.*) --resume '(.*)'$/m.exec(stderr) ?? [];
  expect(repeated.replace(" 'properties.a=3'", " properties.a=3")).toBe(options);
  const without = await runCli(["wait", "--resume", token]);
  expect(without).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("--resume: --for: expected"),
  });
  expect(await runCli(["wait", ...argv, "--resume", token])).toMatchObject({ exitCode: 0 });
  expect(server.requestLines).toEqual([`GET ${versioned}`]);
});

test("--for is rejected beside the token of another wait, and beside --operation", async () => {
  const { stderr } = await runCli(["wait", "http://127.0.0.1:1/results/1"], interruptedAtOnce());
  const [, token = ""] = /--resume '(.*)'$/m.exec(stderr) ?? [];
  const names = [
    "--endpoint",
    "http://127.0.0.1:1",
    "--project",
    "p01",
    "--operation",
    devCenterPath.slice(-36),
  ];
  for (const argv of [["--resume", token], names]) {
    const run = await runCli(["wait", "--for", "exists", ...argv]);
    expect(run).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("--for: expected") });
  }
});

/** A failed one that ends first, then a success, and one that goes on. */
async function serveThree(): Promise<{ readonly server: RouteServer; readonly urls: readonly string[] }> {
  const error = { code: "Broken", message: "It broke." };
  const server = await serve(
    get("/operations/bad", { status: "Failed", error }),
    get("/operations/good", { status: "Running" }),
    get("/operations/good", { status: "Succeeded" }),
    ...Array.from({ length: 50 }, () => get("/operations/slow", { status: "Running" })),
  );
  return {
    server,
    urls: ["bad", "good", "slow"].map((name) => `${name}=${server.origin}/operations/${name}`),
  };
}

function summaryIn(stdout: string): unknown {
  return JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
}

test("--any ends with the first operation that is over, whose exit code counts", async () => {
  const { urls } = await serveThree();
  const [, good = "", slow = ""] = urls;
  const succeeded = await runCli(["wait", "--any", "-o", "json", good, slow]);
  expect(succeeded.exitCode).toBe(0);
  expect(succeeded.stderr).toContain("Stopped waiting; the operation continues.");
  expect(succeeded.stderr).toMatch(/^ {2}npx lro wait --any -o json --resume 'slow=/m);
  expect(summaryIn(succeeded.stdout)).toMatchObject({ total: 2, succeeded: 1, unknown: 1, exitCode: 0 });
  const failed = await runCli(["wait", "--any", ...urls]);
  expect(failed.exitCode).toBe(1);
});

test("--any goes on after polls that fail, and an operation that is over counts", async () => {
  const { server, urls } = await serveThree();
  server.add(get("/operations/forbidden", {}, { status: 403 }));
  const argv = ["wait", "--any", "-o", "json", `${server.origin}/operations/forbidden`, ...urls.slice(1)];
  const { exitCode, stdout } = await runCli(argv);
  expect(exitCode).toBe(0);
  expect(summaryIn(stdout)).toMatchObject({ total: 3, succeeded: 1, unknown: 2, exitCode: 0 });
});

test("--fail-fast ends with the first that did not succeed, and not with a success", async () => {
  const { server, urls } = await serveThree();
  const [bad = "", good = "", slow = ""] = urls;
  const failed = await runCli(["wait", "--fail-fast", slow, bad]);
  expect(failed.exitCode).toBe(1);
  expect(failed.stderr).toContain("Stopped waiting; the operation continues.");
  server.add(get("/operations/bad", { status: "Running" }), get("/operations/bad", { status: "Canceled" }));
  expect(await runCli(["wait", "--fail-fast", good, bad])).toMatchObject({
    exitCode: 3,
    stdout: expect.stringMatching(/good Succeeded/),
  });
});

test("--any works with --history, where each wait is alone", async () => {
  const { urls } = await serveThree();
  const history = join(temporaryFolder(), "durations.json");
  const run = await runCli(["wait", "--any", "--history", history, ...urls.slice(1)]);
  expect(run).toMatchObject({ exitCode: 0, stderr: expect.stringContaining("Stopped waiting") });
});

test("an unknown state that looks terminal is a warning, once, also in CI and with -o json", async () => {
  const dead = { status: "Dead", error: { code: "Broken", message: "It broke." } };
  const path = "/operations/1";
  for (const [argv, env] of [
    [[], {}],
    [["-o", "json"], {}],
    [[], { GITHUB_ACTIONS: "true" }],
  ] as const) {
    const server = await serve(get(path, dead), get(path, dead), get(path, { status: "Succeeded" }));
    const { exitCode, stderr } = await runCli(["wait", ...argv, `${server.origin}${path}`], { env });
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr:
        "warning: Operation 1: Dead came with an error: if it is terminal, " +
        "name it by --succeeded-state, --failed-state or --canceled-state.\n",
    });
  }
});

test.each([
  [monitor, "microsoft.compute/operations"],
  [versioned, "microsoft.compute/virtualmachines"],
  ["/formrecognizer/analyzeResults/1", "analyzeresults"],
])("without --kind %s is of the kind %s", async (path, kind) => {
  const file = join(temporaryFolder(), "durations.json");
  const [startTime, endTime] = ["2025-01-01T10:00:00Z", "2025-01-01T10:01:00Z"];
  const status = { status: "Running", startTime };
  const server = await serve(get(path, status), get(path, { ...status, status: "Succeeded", endTime }));
  const run = await runCli(["wait", "--history", file, `${server.origin}${path}`]);
  expect(run).toMatchObject({ exitCode: 0, stderr: "" });
  expect(await durationHistory(file).pastDurations(kind)).toEqual([60_000]);
});

test("a file may list resource ids", async () => {
  const server = await serve(get(versioned, {}));
  const file = join(temporaryFolder(), "ids.txt");
  writeFileSync(file, `${vm}\n`);
  const options = ["--endpoint", server.origin, "--api-version", "2", "--for", "exists"];
  expect(await runCli(["wait", ...options, "--from", file])).toMatchObject({ exitCode: 0, stderr: "" });
});
