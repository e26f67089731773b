import { OperationStatusesClient, parseOperationStatus } from "lro-poller";
import { expect, test } from "vitest";
import { Interruption } from "../../../src/cli/input/context.ts";
import { run } from "../../../src/cli/commands/program.ts";
import { scenarios } from "../../../src/cli/commands/scenarios.ts";
import { CapturedOutput, runCli, untimed } from "../run-cli.ts";

interface Emulation {
  readonly stdout: CapturedOutput;
  readonly stderr: CapturedOutput;
  readonly locations: readonly string[];
  end(): Promise<number>;
}

async function startEmulation(...argv: string[]): Promise<Emulation> {
  const interruption = new AbortController();
  const [stdout, stderr] = [new CapturedOutput(), new CapturedOutput()];
  const exit = run(["emulate", ...argv], {
    stdin: (async function* () {})(),
    stdout,
    stderr,
    env: {},
    interruption: interruption.signal,
    loadCredential: () => Promise.reject(new Error("A credential was loaded.")),
  });
  await expect.poll(() => stdout.text).toContain("Ctrl-C stops the server.");
  return {
    stdout,
    stderr,
    locations: Array.from(
      stdout.text.matchAll(/^ +(http\S+\/operationstatuses\/\S+)$/gm),
      ([, url = ""]) => url,
    ),
    end() {
      interruption.abort(new Interruption("interrupted", 130));
      return exit;
    },
  };
}

test("it serves an operation of each kind, and ends cleanly", async () => {
  const emulation = await startEmulation();
  expect(emulation.locations).toHaveLength(scenarios.length);
  expect(await emulation.end()).toBe(0);
  expect(emulation.stderr.text).toBe("");
  const [location = ""] = emulation.locations;
  await expect(fetch(location)).rejects.toThrow("fetch failed");
});

test("it prints what a program needs to find its first operation", async () => {
  const emulation = await startEmulation("--scenario", "percent");
  const line = /^ {2}ENDPOINT=(\S+) PROJECT=(\S+) OPERATION_ID=(\S+)$/m.exec(emulation.stdout.text);
  const [, endpoint = "", projectName = "", operationId = ""] = line ?? [];
  const { status } = await new OperationStatusesClient(endpoint).getOperationStatus(projectName, operationId);
  expect(status).toBe("NotStarted");
  await emulation.end();
});

test.each([
  ["percent", 0, "Succeeded 100 %"],
  ["no-percent", 0, "Succeeded"],
  ["failing", 1, "Failed( \\d+ %)?"],
  ["canceled", 3, "Canceled"],
  ["flaky", 0, "Succeeded 100 %"],
])("%s ends with exit code %d", async (name, exitCode, lastState) => {
  // As fast as the clock of the command, so that each poll gets a new status.
  const emulation = await startEmulation("--speed", "1000", "--scenario", name);
  const outcome = await runCli(["wait", ...emulation.locations]);
  expect(outcome.exitCode).toBe(exitCode);
  expect(untimed(outcome.stdout)).toMatch(new RegExp(`^\\S+ NotStarted\n.*^\\S+ ${lastState}$`, "ms"));
  await emulation.end();
});

const locations: [string, RegExp][] = [
  ["arm", /\/operationStatuses\/[0-9a-f-]{36}\?api-version=/],
  ["operation-location", /\/operations\/[0-9a-f-]{36}\?api-version=/],
  ["location", /\/operationResults\/[0-9a-f-]{36}\?api-version=/],
  ["resource", /\/virtualMachines\/[0-9a-f-]{36}\?api-version=/],
  ["fabric", /\/v1\/operations\/[0-9a-f-]{36}$/],
];
test.each(locations)("--style %s serves operations of that kind", async (style, location) => {
  const emulation = await startEmulation("--style", style);
  const urls = Array.from(emulation.stdout.text.matchAll(/^ {4}(http\S+)$/gm), ([, url = ""]) => url);
  expect(urls).toHaveLength(scenarios.length);
  for (const url of urls) expect(url).toMatch(location);
  expect(emulation.stdout.text).toContain(`npx lro wait '${urls[0]}'`);
  expect((await fetch(urls[0] ?? "")).ok).toBe(true);
  const [, method = "", url = ""] = /curl -i -X (\w+) '(\S+)'/.exec(emulation.stdout.text) ?? [];
  expect([201, 202]).toContain((await fetch(url, { method, body: "{}" })).status);
  await emulation.end();
});

test("--style arm prints what to type to watch, list, cancel and start a deployment", async () => {
  const emulation = await startEmulation("--style", "arm", "--speed", "1000");
  const { text } = emulation.stdout;
  const section = text.slice(text.indexOf("Watch a deployment"));
  const urls = Array.from(section.matchAll(/npx lro wait '(\S+)'/g), ([, url = ""]) => url);
  expect(urls).toHaveLength(2);
  const outcomes = await Promise.all(urls.map((url) => runCli(["wait", url])));
  expect(outcomes.map(({ exitCode }) => exitCode)).toEqual([0, 1]);
  expect(outcomes[1]?.stderr).toContain("RequestDisallowedByPolicy");
  const [, list = ""] = /curl '(\S+)'/.exec(section) ?? [];
  expect(await (await fetch(list)).text()).toContain("EvaluateDeploymentOutput");
  const [, cancel = ""] = /npx lro cancel '(\S+)'/.exec(section) ?? [];
  const tooLate = "myDeployment: too late: the operation has ended as Succeeded\n";
  expect(await runCli(["cancel", cancel])).toMatchObject({ exitCode: 1, stdout: tooLate });
  const [, url = "", body = ""] = /curl -X PUT '(\S+)' -d '(.+)'/.exec(section) ?? [];
  expect((await fetch(url, { method: "PUT", body })).status).toBe(201);
  await emulation.end();
});

test("an operation starts at its first poll", async () => {
  const emulation = await startEmulation("--scenario", "percent");
  const before = Date.now();
  const { stdout } = await runCli(["status", "-o", "json", ...emulation.locations]);
  const { startTime } = parseOperationStatus(JSON.parse(stdout));
  expect(Number(startTime)).toBeGreaterThanOrEqual(before);
  await emulation.end();
});

test("percentages are whole numbers", () => {
  const ramps = scenarios.flatMap(({ plan }) =>
    (plan.timeline ?? []).flatMap(({ percentComplete }) =>
      typeof percentComplete === "object" ? [percentComplete] : [],
    ),
  );
  expect(ramps.length).toBeGreaterThan(0);
  for (const { step } of ramps) expect(step).toSatisfy(Number.isInteger);
});

test("--verbose logs each request", async () => {
  const emulation = await startEmulation("--verbose", "--scenario", "no-percent", "canceled");
  expect(emulation.locations).toHaveLength(2);
  await runCli(["status", ...emulation.locations]);
  await emulation.end();
  expect(emulation.stderr.text).toMatch(
    /^(200 GET \/projects\/myProject\/operationstatuses\/\S+ \(poll 1\)\n){2}$/,
  );
});

test("the request that it shows for starting another operation starts one", async () => {
  const emulation = await startEmulation("--scenario", "percent");
  const url = /-X PUT '(\S+)'/.exec(emulation.stdout.text)?.[1] ?? "";
  const response = await fetch(url, { method: "PUT", body: "{}" });
  expect(response.status).toBe(201);
  const location = response.headers.get("operation-location") ?? "";
  expect(await runCli(["status", location])).toMatchObject({ exitCode: 0 });
  await emulation.end();
});
