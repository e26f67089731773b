import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import stringWidth from "string-width";
import { createVirtualClock } from "lro-poller/testing";
import { expect, test, vi } from "vitest";
import { Interruption } from "../../../src/cli/input/context.ts";
import { renderOverview } from "../../../src/cli/output/overview.ts";
import { ResultPrinter } from "../../../src/cli/output/result-printer.ts";
import { createTerminalReporter } from "../../../src/cli/output/terminal-reporter.ts";
import { WaitBoard } from "../../../src/cli/output/wait-board.ts";
import { plain } from "../../../src/cli/output/terminal.ts";
import type { WaitView } from "../../../src/cli/output/wait-view.ts";
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

function listOf(...lines: string[]): string {
  const file = join(temporaryFolder(), "ops.txt");
  writeFileSync(file, lines.join("\n"));
  return file;
}

test("a file lists operations, with names, blank lines and comments, however its lines end", async () => {
  const server = await startServer();
  const [web = "", db = ""] = [succeeding, failing].map(
    (timeline) => server.addOperation({ timeline }).operationLocation,
  );
  const file = listOf("\uFEFF# mine", "", web, `web=${web}\r`, "  # not this", `  db=${db}  `);
  const { exitCode, stdout } = await runCli(["wait", "--from", file]);
  expect(exitCode).toBe(1);
  expect(
    untimed(stdout)
      .match(/^(?:web|db) \w+/gm)
      ?.toSorted(),
  ).toEqual(["db Failed", "db Running", "web NotStarted", "web Running", "web Succeeded", "web result"]);
});

test("- reads the list from stdin, and JSON works as usual", async () => {
  const server = await startServer();
  const { operationLocation } = server.addOperation({ operationId, timeline: succeeding });
  const stdin = `my box=${operationLocation}\n`;
  const { exitCode, stdout } = await runCli(["wait", "--from", "-", "-o", "json", "-q"], { stdin });
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout.split("\n", 1).join(""))).toEqual({
    event: "result",
    operation: operationId,
    name: "my box",
    result: { uri: "https://box" },
  });
});

test("hundreds are waited for, and each has its result", async () => {
  const server = await startServer({ requestsPerMinute: 1e6 });
  const locations = Array.from({ length: 300 }, (_, index) => {
    const timeline = [
      { status: "Running", polls: 1 },
      { status: "Succeeded", properties: index },
    ];
    return `${index}=${server.addOperation({ timeline }).operationLocation}`;
  });
  const { exitCode, stdout, stderr } = await runCli(["wait", "--from", "-"], { stdin: locations.join("\n") });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  const results = Array.from(stdout.matchAll(/^(\d+) result:\n(\d+)$/gm), ([, name, result]) => [
    name,
    result,
  ]);
  expect(results).toHaveLength(300);
  for (const [name, result] of results) expect(result).toBe(name);
});

test("one listener on the interruption aborts all waits, and each can be resumed", async () => {
  vi.stubEnv("TMPDIR", temporaryFolder());
  const server = await startServer();
  const timeline = [{ status: "Running" }];
  const locations = Array.from({ length: 50 }, () => server.addOperation({ timeline }).operationLocation);
  const interruption = new AbortController();
  const listen = vi.spyOn(interruption.signal, "addEventListener");
  const argv = ["wait", "--from", listOf(...locations)];
  const interrupted = runCli(argv, { interruption: interruption.signal });
  await expect.poll(() => server.requests.length).toBeGreaterThan(50);
  interruption.abort(new Interruption("interrupted", 130));
  const { exitCode, stderr } = await interrupted;
  expect(exitCode).toBe(130);
  expect(listen).toHaveBeenCalledTimes(1);
  expect(stderr).toContain("Stopped waiting; 50 operations continue.");
  const [, file = ""] = /--resume (\S+)$/m.exec(stderr) ?? [];
  expect(readFileSync(file, "utf8").trimEnd().split("\n")).toHaveLength(50);
});

const host = "https://contoso.devcenter.azure.com";
const good = `${host}/projects/myProject/operationstatuses/${operationId}`;

test.each([
  ["nonsense", 'expected an https URL, or http on this machine, or an Azure resource id, got "nonsense"'],
  [good.replace("https:", "http:"), "expected an https URL, got http:"],
  [
    good.replace(operationId, "x"),
    `operation id in ${host}/projects/myProject/operationstatuses/x: expected`,
  ],
  [good.replace(".azure.", ".example."), "--scope: expected the scopes of the token"],
])("the line %s is rejected with its file and number, before anything is sent", async (bad, why) => {
  const server = await startServer();
  const file = listOf(server.addOperation().operationLocation, "# a comment", bad);
  const { exitCode, stderr } = await runCli(["wait", "--from", file]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain(`error: --from ${file}:3: ${why}`);
  expect(server.requests).toEqual([]);
});

test("a list that cannot be read, or lists nothing, is a usage error", async () => {
  const empty = listOf("# nothing", "");
  const stderrOf = async (...argv: string[]): Promise<string> => (await runCli(["wait", ...argv])).stderr;
  expect(await stderrOf("--from", empty)).toContain(`--from ${empty}: expected an operation location`);
  expect(await stderrOf("--from", "none.txt")).toMatch(/^error: --from none\.txt: expected a file.*ENOENT/);
  expect(await stderrOf("--from", "-", "--resume", "-")).toContain(
    "--from: expected a file, because --resume",
  );
});

const running = { status: "Running", updatedAt: 0, nextPollInMs: 4000 };

/** 312 operations, of which the interesting ones are in the middle. */
const many: readonly WaitView[] = [
  ...Array.from({ length: 40 }, (_, i) => ({
    ...running,
    status: "NotStarted",
    label: `new-${i}`,
    elapsedInMs: 0,
  })),
  ...Array.from({ length: 198 }, (_, i) => ({
    ...running,
    label: `run-${i}`,
    elapsedInMs: 1000 * i,
    percentComplete: 50,
    estimatedRemainingInMs: 750_000 - 1000 * i,
  })),
  { ...running, label: "retrying", elapsedInMs: 9000, failure: "HTTP 503" },
  { ...running, label: "long", elapsedInMs: 3_600_000 },
  ...Array.from({ length: 70 }, (_, i) => ({
    ...running,
    status: "Succeeded",
    label: `done-${i}`,
    elapsedInMs: 0,
    end: {},
  })),
  { ...running, status: "Failed", label: "failed", elapsedInMs: 5000, end: { note: "NoCapacity" } },
  {
    ...running,
    status: "Failed",
    label: "failed later",
    updatedAt: 9,
    elapsedInMs: 5000,
    end: { note: "Quota" },
  },
];

function overview(waits: readonly WaitView[], rows: number, columns = 100): string[] {
  return renderOverview(waits, { rows, columns, now: 10, paint: plain });
}

function labelsOf(lines: readonly string[]): string[] {
  return lines.slice(1).map((line) => line.split(/ {2,}/, 1).join(""));
}

test("many are a summary, and the bars of those that failed, are retrying, or end soon", () => {
  const lines = overview(many, 8);
  expect(lines[0]).toBe("312 operations: 40 NotStarted, 200 Running, 70 Succeeded, 2 Failed · 54 %");
  expect(labelsOf(lines)).toEqual([
    "failed later",
    "failed",
    "retrying",
    "run-197",
    "run-196",
    "run-195",
    "run-194",
  ]);
});

test("waits without an estimate follow, the longest first, and succeeded ones come last", () => {
  const some = many.filter(({ label }) => /^(?:new-0|run-0|long|done-0|failed)$/.test(label));
  expect(labelsOf(overview(some, 9))).toEqual(["failed", "run-0", "long", "new-0", "done-0"]);
});

test("troubled waits leave half of the rows to running ones, and take more if none runs", () => {
  const trouble = Array.from({ length: 30 }, (_, i) => ({
    ...running,
    label: `bad-${i}`,
    elapsedInMs: 0,
    failure: "HTTP 503",
  }));
  const labels = labelsOf(overview([...many, ...trouble], 23));
  expect(labels).toHaveLength(22);
  expect(labels.filter((label) => label.startsWith("run-"))).toHaveLength(11);
  expect(labelsOf(overview(trouble, 23))).toHaveLength(22);
});

test("the summary has the remaining time if all have an estimate, and counts each reason of an early end", () => {
  const estimated = many.filter(({ label }) => /^(?:run|done)/.test(label));
  expect(overview(estimated, 1)).toEqual(["268 operations: 198 Running, 70 Succeeded · 63 % · ~12:29 left"]);
  const ends = ["timed out", "polling failed", "polling failed"].map((note) => ({
    ...running,
    label: note,
    elapsedInMs: 0,
    end: { note },
  }));
  const notPolled = { label: "new", updatedAt: 0, elapsedInMs: 0 };
  expect(overview([...ends, notPolled], 1)).toEqual([
    "4 operations: 1 not polled, 1 timed out, 2 polling failed · 75 %",
  ]);
});

test.each([
  [80, "312 operations: 40 NotStarted, 200 Running, 70 Succeeded, 2 Failed · 54 %"],
  [70, "312: 40 NotStarted, 200 Running, 70 Succeeded, 2 Failed · 54 %"],
  [40, "312: 40 NotStarted, 200 Running,… · 54 %"],
  [4, " · …"],
])("in %d columns the summary keeps its percentage as long as it can", (columns, summary) => {
  const lines = overview(many, 23, columns);
  expect(lines[0]).toBe(summary);
  for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
});

test("a terminal of 24 rows has the overview, ten times a second at most; the last frame has all", () => {
  const clock = createVirtualClock();
  const names = Array.from({ length: 40 }, (_, index) => ({ id: operationId, name: `box-${index}` }));
  const stdout = new CapturedOutput({ columns: 80 });
  const context = contextOf({ stdout, pollOptions: { clock } });
  const reporter = createTerminalReporter(
    new WaitBoard(names, context),
    new ResultPrinter(names, context),
    context,
  );
  const first = stripVTControlCharacters(stdout.text).trimEnd().split("\n");
  expect(first).toHaveLength(23);
  expect(first[0]).toBe("40 operations: 40 not polled · 0 %");
  const drawn = stdout.text.length;
  for (const index of names.keys()) reporter.ended(index, { type: "succeeded", result: undefined });
  expect(stdout.text).toHaveLength(drawn);
  reporter.close();
  expect(new Set(stripVTControlCharacters(stdout.text.slice(drawn)).match(/box-\d+/g)).size).toBe(40);
});
