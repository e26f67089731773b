import { expect, test } from "vitest";
import { startRouteServer } from "../../support/route-server.ts";
import { isAzLog, operationUrlsIn, plainLog } from "../../../src/cli/input/az-log.ts";
import { runCli, untimed } from "../run-cli.ts";

const secret = "TOPSECRET";
const arm = "https://management.azure.com/subscriptions/s";

interface Response {
  readonly method?: string;
  readonly url: string;
  readonly status?: number;
  readonly headers: Readonly<Record<string, string>>;
}

const policies = "DEBUG: cli.azure.cli.core.sdk.policies: ";

function logOf(...responses: Response[]): string {
  return logBy(policies, responses);
}

/** @param prefix - the level, and the module that logs */
function logBy(prefix: string, responses: readonly Response[]): string {
  const lines = responses.flatMap(({ method = "PUT", url, status = 202, headers }) => [
    `Request URL: '${url}'`,
    `Request method: '${method}'`,
    "Request headers:",
    "    'Content-Type': 'application/json'",
    `    'Authorization': '${secret}'`,
    "Request body:",
    `{"password": "${secret}"}`,
    `Response status: ${status}`,
    "Response headers:",
    "    'Cache-Control': 'no-cache'",
    ...Object.entries(headers).map(([name, value]) => `    '${name}': '${value}'`),
    "Response content:",
    `{"key": "${secret}"}`,
  ]);
  const logged = lines.map((line) => prefix + line);
  return [`DEBUG: cli.knack.cli: Command arguments: ['vm', 'start']`, ...logged, "{", "}", ""].join("\n");
}

const vm = `${arm}/virtualMachines/v`;
const asyncUrl = `${arm}/operations/1?api-version=1&t=2`;
const location = `${arm}/operationresults/1?api-version=1`;

test.each<[string, Response[], string[]]>([
  [
    "the status monitor rather than the Location",
    [{ url: vm, headers: { Location: location, "Azure-AsyncOperation": asyncUrl } }],
    [asyncUrl],
  ],
  ["a Location with 202", [{ url: vm, method: "DELETE", headers: { Location: location } }], [location]],
  ["no Location with 201", [{ url: vm, status: 201, headers: { Location: location } }], []],
  ["Operation-Location", [{ url: vm, headers: { "operation-location": asyncUrl } }], [asyncUrl]],
  [
    "a relative URL, made absolute",
    [{ url: vm, headers: { Location: "/ops/1" } }],
    [`${new URL(vm).origin}/ops/1`],
  ],
  [
    "the URL that the last poll named",
    [
      { url: vm, headers: { "Azure-AsyncOperation": asyncUrl } },
      {
        method: "GET",
        url: asyncUrl,
        status: 200,
        headers: { "Azure-AsyncOperation": `${arm}/operations/2` },
      },
      { method: "GET", url: asyncUrl, status: 200, headers: {} },
    ],
    [`${arm}/operations/2`],
  ],
  [
    "each operation, and none of a GET that polls none",
    [
      { url: vm, headers: { "Azure-AsyncOperation": asyncUrl } },
      { url: `${vm}2`, headers: { Location: location } },
      { method: "GET", url: arm, headers: { Location: `${arm}/elsewhere` } },
    ],
    [asyncUrl, location],
  ],
  ["a URL that is none", [{ url: "", headers: { Location: "/ops/1" } }], []],
])("the log of az names %s", (_what, responses, urls) => {
  expect(operationUrlsIn(logOf(...responses))).toEqual(urls);
});

test.each([
  "INFO: cli.azure.cli.core.util: ",
  "cli.azure.cli.core.sdk.policies: ",
  "DEBUG: msrest.http_logger : ",
  "DEBUG: azure.core.pipeline.policies._universal : ",
])("a line may start with %s", (prefix) => {
  const log = logBy(prefix, [{ url: vm, headers: { "Azure-AsyncOperation": asyncUrl } }]);
  expect(isAzLog(log)).toBe(true);
  expect(operationUrlsIn(log)).toEqual([asyncUrl]);
});

test.each<[string, (line: string) => string]>([
  ["colours", (line) => `\u001B[36m${line}\u001B[0m`],
  ["the times of a CI system", (line) => `2026-01-31T10:20:30.1234567Z ${line}`],
  ["the NULs of UTF-16", (line) => `\uFEFF${line.split("").join("\0")}\0`],
])("a log with %s is one", (_, decorated) => {
  const log = logOf({
    url: `${arm}/vm`,
    method: "PUT",
    status: 202,
    headers: { "Azure-AsyncOperation": `${arm}/o/1` },
  });
  const lines = plainLog(log.split("\n").map(decorated).join("\n"));
  expect(isAzLog(lines)).toBe(true);
  expect(operationUrlsIn(lines)).toEqual([`${arm}/o/1`]);
});

test("a line that is no URL is not shown: it may hold a secret", async () => {
  const { exitCode, stderr } = await runCli(["wait", "--from", "-"], {
    stdin: `--admin-password ${secret}\n`,
  });
  expect(exitCode).toBe(2);
  expect(stderr).not.toContain(secret);
});

test("a module that redacts URLs is passed over", () => {
  const prefix = "DEBUG: azure.core.pipeline.policies.http_logging_policy: ";
  expect(operationUrlsIn(logBy(prefix, [{ url: vm, headers: { Location: "REDACTED" } }]))).toEqual([]);
});

test("a list of operations is no log of az", () => {
  expect(isAzLog(`cli=${asyncUrl}\n# cli.x: y\n`)).toBe(false);
});

test("lro wait --from - takes the log of az, and prints nothing else of it", async () => {
  const body = { status: "Succeeded", properties: { size: 1 } };
  const server = await startRouteServer([{ method: "GET", path: "/operations/1?t=2", status: 200, body }]);
  const headers = { "Azure-AsyncOperation": `${server.origin}/operations/1?t=2` };
  const run = await runCli(["wait", "--from", "-"], { stdin: logOf({ url: `${server.origin}/v`, headers }) });
  await server.close();
  expect({ ...run, stdout: untimed(run.stdout) }).toEqual({
    exitCode: 0,
    stdout: '1 Succeeded\n{\n  "size": 1\n}\n',
    stderr: "",
  });
});

test("a log without an operation is a usage error that shows nothing of it", async () => {
  const stdin = `${logOf({ url: vm, status: 403, headers: {} })}ERROR: ${secret}\n`;
  const { exitCode, stdout, stderr } = await runCli(["wait", "--from", "-"], { stdin });
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(/^error: --from -: az's log: expected the URL of an operation, got none/);
  expect(stdout + stderr).not.toContain(secret);
});
