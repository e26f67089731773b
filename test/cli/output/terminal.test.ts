import { stripVTControlCharacters } from "node:util";
import stringWidth from "string-width";
import { expect, test } from "vitest";
import { createVirtualClock } from "lro-poller/testing";
import { ResultPrinter } from "../../../src/cli/output/result-printer.ts";
import { createTerminalReporter } from "../../../src/cli/output/terminal-reporter.ts";
import { WaitBoard } from "../../../src/cli/output/wait-board.ts";
import { ReflowingTerminal } from "./reflowing-terminal.ts";
import {
  CapturedOutput,
  contextOf,
  failing,
  operationId,
  runCli,
  startServer,
  succeeding,
  untimed,
} from "../run-cli.ts";
import type { CliWorld } from "../run-cli.ts";

const csi = "\u001B[";

/** The final text of the terminal: the last frame and everything after it. */
function finalScreen(stdout: string): string {
  return stripVTControlCharacters(stdout.slice(stdout.lastIndexOf(`${csi}G`)));
}

async function waitInTerminal(columns: number, env: Record<string, string> = {}): Promise<string> {
  const server = await startServer();
  const { operationLocation } = server.addOperation({ operationId, timeline: succeeding });
  const { exitCode, stdout } = await runCli(["wait", operationLocation], { columns, env });
  expect(exitCode).toBe(0);
  return stdout;
}

test("the last frame stays, and the result follows it", async () => {
  const screen = finalScreen(await waitInTerminal(80));
  // On a slow machine, the time is wider.
  expect(screen.replace(/ +\d+:\d\d(?::\d\d)?/, " m:ss")).toMatchInlineSnapshot(`
    "fa067167  Succeeded   █████████████  100 % m:ss

    {
      "uri": "https://box"
    }
    "
  `);
});

test.each([40, 80, 200])("no frame is wider than %d columns", async (columns) => {
  const frames = stripVTControlCharacters(await waitInTerminal(columns)).split("\n");
  for (const line of frames) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
});

test("states are coloured, unless NO_COLOR is set", async () => {
  expect(await waitInTerminal(80)).toContain(`${csi}32mSucceeded`);
  expect(await waitInTerminal(80, { NO_COLOR: "1" })).not.toContain(`${csi}32m`);
});

test("a terminal that cannot move its cursor gets lines", async () => {
  expect(untimed(await waitInTerminal(80, { TERM: "dumb" }))).toMatch(
    new RegExp(`^${operationId} NotStarted\n${operationId} Running 42 %\n`),
  );
});

test("several operations have a line each, and outcomes come in the order of the command line", async () => {
  const server = await startServer();
  const slow = [
    { status: "Running", polls: 9 },
    { status: "Succeeded", properties: "first" },
  ];
  const first = server.addOperation({ timeline: slow });
  const second = server.addOperation({ timeline: [{ status: "Succeeded", properties: "second" }] });
  const third = server.addOperation({ timeline: failing });
  const locations = [first, second, third].map(({ operationLocation }) => operationLocation);
  const { exitCode, stdout, stderr } = await runCli(["wait", ...locations], { columns: 80 });
  expect(exitCode).toBe(1);
  const lines = finalScreen(stdout).split("\n");
  expect(lines.slice(0, 3).map((line) => line.split(/ +/).slice(0, 2))).toEqual([
    [first.operationId.slice(0, 8), "Succeeded"],
    [second.operationId.slice(0, 8), "Succeeded"],
    [third.operationId.slice(0, 8), "Failed"],
  ]);
  expect(lines[2]).toContain("NoCapacity");
  expect(lines.slice(4)).toEqual([
    `${first.operationId} result:`,
    '"first"',
    `${second.operationId} result:`,
    '"second"',
    "",
  ]);
  expect(stderr).toContain("→ Allocation → Quota");
});

test("a name stands in place of the id", async () => {
  const server = await startServer();
  const { operationLocation } = server.addOperation({ timeline: succeeding });
  const { stdout } = await runCli(["wait", `my box=${operationLocation}`], { columns: 80 });
  expect(finalScreen(stdout)).toMatch(/^my box {2}Succeeded {3}█+ {2}100 %/);
});

test("a name that is cut has an ellipsis, an id has none", async () => {
  const server = await startServer();
  const { operationLocation } = server.addOperation({ operationId, timeline: succeeding });
  const labelOf = async (argument: string): Promise<string | undefined> =>
    finalScreen((await runCli(["wait", argument], { columns: 60 })).stdout).split("  ")[0];
  expect(await labelOf(`my very fine dev box=${operationLocation}`)).toBe("my very…");
  expect(await labelOf(operationLocation)).toBe("fa067167");
});

test("a terminal that becomes narrower, or wider, has one copy of each line", async () => {
  const names = ["one", "two"].map((name) => ({ id: operationId, name }));
  const stdout = new ReflowingTerminal(100);
  const context = contextOf({ stdout, pollOptions: { clock: createVirtualClock() } });
  stdout.write("$ lro wait …\n");
  const reporter = createTerminalReporter(
    new WaitBoard(names, context),
    new ResultPrinter(names, context),
    context,
  );
  for (const columns of [70, 33, 120, 60]) {
    stdout.resize(columns);
    expect(stdout.screen).toMatch(/^\$ lro wait …\none {1,2}….*\ntwo {1,2}….*$/);
  }
  for (const index of names.keys()) reporter.ended(index, { type: "succeeded", result: undefined });
  reporter.close();
  stdout.resize(50);
  expect(stdout.screen.match(/one/g)).toHaveLength(1);
});

test("errors break between words, and stay whole where they go to a log", async () => {
  const server = await startServer();
  const { operationLocation } = server.addOperation({ operationId, timeline: failing });
  const stderr = new CapturedOutput({ columns: 40 });
  await runCli(["wait", operationLocation], { stderr, env: { NO_COLOR: "1" } });
  expect(stderr.text.replace(/id:\n.*/, "id: …")).toBe(`error: Operation
${operationId}
failed. NoCapacity: No cores left.
(westeurope, in ProvisioningFailed)
  ProvisioningFailed: The dev box could
  not be created. (myBox) → Allocation →
  Quota
    - NoCapacity: No cores left.
      (westeurope)
Request id: …
`);
});

test("failed polls are a note, and a wait that stops shows why", async () => {
  const server = await startServer();
  const { operationLocation } = server.addOperation({
    timeline: [{ status: "Running" }],
    faults: { 2: { kind: "status", status: 503 } },
  });
  const { exitCode, stdout } = await runCli(["wait", "--timeout", "10m", operationLocation], {
    columns: 100,
  });
  expect(exitCode).toBe(4);
  // A second is one millisecond of the fast clock: on a slow machine the retry is due before the line is drawn.
  expect(stripVTControlCharacters(stdout)).toMatch(/retrying(?: in \d+ s)?: HTTP 503/);
  expect(finalScreen(stdout)).toMatch(/Running .* timed out\n/);
});

/** The text for a terminal in this environment, of an operation that fails and whose id is cut. */
async function shownIn(world: CliWorld): Promise<string> {
  const server = await startServer();
  const { operationLocation } = server.addOperation({ operationId, timeline: failing });
  const stderr = new CapturedOutput({ columns: 80 });
  const { stdout } = await runCli(["wait", operationLocation], { columns: 80, ...world, stderr });
  return stripVTControlCharacters(stdout + stderr.text);
}

test.each<[string, CliWorld, boolean]>([
  ["LANG=C", { env: { LANG: "C" } }, false],
  ["LC_ALL=POSIX before LANG=en_US.UTF-8", { env: { LC_ALL: "POSIX", LANG: "en_US.UTF-8" } }, false],
  ["LC_CTYPE=de_DE.ISO-8859-1", { env: { LC_CTYPE: "de_DE.ISO-8859-1" } }, false],
  ["TERM=linux", { env: { TERM: "linux", LANG: "en_US.UTF-8" } }, false],
  ["an old console of Windows", { platform: "win32" }, false],
  ["Windows Terminal", { platform: "win32", env: { WT_SESSION: "1", LANG: "C" } }, true],
  ["LANG=en_US.utf8, LC_ALL empty", { env: { LC_ALL: "", LANG: "en_US.utf8" } }, true],
  ["no locale at all", {}, true],
])("with %s the terminal gets only characters that it has", async (_name, world, hasUnicode) => {
  const shown = await shownIn({ platform: "linux", ...world });
  if (hasUnicode) expect(shown).toMatch(/░.*→ Allocation/s);
  // eslint-disable-next-line no-control-regex
  else expect(shown).toMatch(/^[\x00-\x7f]*$/);
  expect(shown).toMatch(/^fa067167 {2}\S+ {4,} *\S*[#█]\S* /m);
});

test("service text is not replaced, and logs are in Unicode for any locale", async () => {
  const server = await startServer();
  const failed = { status: "Failed", error: { code: "X", message: "作成中 → ende" } };
  const { operationLocation } = server.addOperation({ timeline: [failed] });
  const env = { LANG: "C" };
  const stderr = new CapturedOutput({ columns: 80 });
  await runCli(["wait", operationLocation], { columns: 80, env, stderr });
  expect(stderr.text).toContain("作成中 > ende");
  expect((await runCli(["wait", operationLocation], { env })).stderr).toContain("作成中 → ende");
});

test("a terminal that does not know its size gets lines", async () => {
  expect(untimed(await waitInTerminal(0))).toMatch(new RegExp(`^${operationId} NotStarted\n`));
});

test("a terminal may lose its size for a while", () => {
  const names = [{ id: operationId, name: "web" }];
  const stdout = new ReflowingTerminal(60);
  const context = contextOf({ stdout, pollOptions: { clock: createVirtualClock() } });
  const reporter = createTerminalReporter(
    new WaitBoard(names, context),
    new ResultPrinter(names, context),
    context,
  );
  Object.assign(stdout, { columns: 0, rows: 0 });
  stdout.emit("resize");
  Object.assign(stdout, { rows: 24 });
  stdout.resize(60);
  expect(stdout.screen).toMatch(/^web {1,2}….*$/);
  reporter.close();
});

test.each([1, 2, 3, 24])("many operations never take more than %d rows", (rows) => {
  const names = Array.from({ length: 50 }, (_, index) => ({ id: operationId, name: `op ${index}` }));
  const stdout = new ReflowingTerminal(80);
  Object.assign(stdout, { rows });
  const context = contextOf({ stdout, pollOptions: { clock: createVirtualClock() } });
  const reporter = createTerminalReporter(
    new WaitBoard(names, context),
    new ResultPrinter(names, context),
    context,
  );
  expect(stdout.screen.split("\n").length).toBeLessThanOrEqual(Math.max(1, rows - 1));
  reporter.close();
});
