import { readFileSync } from "node:fs";
import { join } from "node:path";
import { OperationFailedError } from "lro-poller";
import type { Clock, OperationPart } from "lro-poller";
import { expect, test } from "vitest";
import { withCiLog } from "../../../src/cli/output/ci-log.ts";
import { createCiReporter } from "../../../src/cli/output/ci-reporter.ts";
import { createJsonReporter } from "../../../src/cli/output/json-reporter.ts";
import { createLinesReporter } from "../../../src/cli/output/lines-reporter.ts";
import { combined } from "../../../src/cli/output/reporter.ts";
import { ResultPrinter } from "../../../src/cli/output/result-printer.ts";
import { createSummaryReporter } from "../../../src/cli/output/step-summary.ts";
import { WaitBoard } from "../../../src/cli/output/wait-board.ts";
import { CapturedOutput, contextOf, temporaryFolder } from "../run-cli.ts";
import { failedParts, manyParts, partOf, progressWith, startedAt, statusWith } from "./some-parts.ts";

const names = [{ id: "web", name: "web" }];
/** A minute after the start of the deployments. */
const clock: Clock = {
  now: () => 60_000,
  timestamp: () => startedAt + 60_000,
  setTimer: () => () => {},
};

function worldOf(env: Record<string, string> = {}) {
  const [stdout, stderr] = [new CapturedOutput(), new CapturedOutput()];
  const context = withCiLog(contextOf({ stdout, stderr, env, pollOptions: { clock } }));
  return { stdout, stderr, context, printer: new ResultPrinter(names, context) };
}

function linesOf(...events: readonly ReturnType<typeof progressWith>[]): string[] {
  const { stdout, context, printer } = worldOf();
  const reporter = createLinesReporter(names, printer, context);
  for (const event of events) reporter.progress(0, event);
  return stdout.text.trimEnd().split("\n");
}

test("a log has a line for each part that changes, and the figures once a minute", () => {
  const fields = {
    partsDone: 4,
    partsTotal: 20,
    percentComplete: 45.2,
    percentageKind: "timeWeighted",
  } as const;
  expect(linesOf(progressWith(failedParts, fields))).toEqual([
    "1:00 web cluster/aks Failed 0:37 (Microsoft.ContainerService/managedClusters): QuotaExceeded",
    "1:00 web logs Succeeded 0:31 (Microsoft.OperationalInsights/workspaces)",
    "1:00 web network/vnet Succeeded 0:12 (Microsoft.Network/virtualNetworks)",
    "1:00 web cluster/flux skipped (Microsoft.KubernetesConfiguration/extensions)",
    "1:00 web network/vpn-gateway Running (Microsoft.Network/virtualNetworkGateways)",
    "1:00 web still Running ~45 %, 4 of at least 20 parts, oldest: network/vpn-gateway 0:44",
  ]);
});

test("a part whose state has not changed has no other line, whatever the case of its id", () => {
  const running = partOf("a", "A.B/c", "Running", { start: 1 });
  const again = { ...running, id: running.id?.toUpperCase() };
  const over = { ...running, status: "Succeeded", durationInMs: 5000 };
  const lines = linesOf(
    progressWith([running], {}, 1000),
    progressWith([again], { percentComplete: 7 }, 2000),
    progressWith([over], { percentComplete: 9 }, 3000),
  );
  expect(lines.filter((line) => !line.includes("still"))).toEqual([
    "0:01 web a Running (A.B/c)",
    "0:03 web a Succeeded 0:05 (A.B/c)",
  ]);
});

test("a log of hundreds of parts has a line for each that failed, and counts most of the others", () => {
  const lines = linesOf(progressWith(manyParts(300)));
  expect(lines.filter((line) => line.includes(" Failed "))).toHaveLength(43);
  expect(lines.filter((line) => line.includes(" Succeeded "))).toHaveLength(10);
  expect(lines.at(-2)).toBe("1:00 web 204 other parts: 161 Succeeded, 43 Running");
});

test("after a burst there are ten lines a minute", () => {
  const partsAt = (second: number): OperationPart[] =>
    Array.from({ length: second }, (_, index) => partOf(`part-${index}`, "A.B/c", "Succeeded"));
  const events = Array.from({ length: 300 }, (_, second) => progressWith(partsAt(second), {}, second * 1000));
  const lines = linesOf(...events).filter((line) => / part-\d+ Succeeded/.test(line));
  expect(lines.length).toBeGreaterThan(50);
  expect(lines.length).toBeLessThanOrEqual(60);
});

const secret = "https://k.blob.core.windows.net/c?sv=1&sig=TOPSECRET";
const hostile = `::error::x\n##vso[task.complete]y \u001B[2J`;
const hostilePart = partOf(hostile, hostile, "Failed", {
  error: { code: hostile, message: `${hostile} ${secret}` },
});

function failedWith(parts: readonly OperationPart[]): OperationFailedError {
  const error = { code: "DeploymentFailed", message: "At least one part failed." };
  return new OperationFailedError({ operation: statusWith(parts, { status: "Failed", error }) });
}

test("a CI log has an annotation for each failed part, at most nine", () => {
  const annotationsFor = (parts: readonly OperationPart[]): string[] => {
    const { stderr, context, printer } = worldOf({ GITHUB_ACTIONS: "true" });
    const board = new WaitBoard(names, context);
    const { ciLog } = context;
    if (ciLog === undefined) throw new Error("no CI log");
    const reporter = combined([board, createCiReporter(names, board, printer, context, ciLog)]);
    reporter.progress(0, progressWith(parts));
    reporter.ended(0, { type: "error", error: failedWith(parts) });
    reporter.close();
    return stderr.text.trimEnd().split("\n");
  };
  expect(annotationsFor(failedParts).slice(1)).toEqual([
    "::error title=web%3A cluster/aks%3A QuotaExceeded::cluster/aks (Microsoft.ContainerService/managedClusters) failed. QuotaExceeded: 8 cores needed, 2 left.%0A/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/aks",
  ]);
  expect(annotationsFor(manyParts(300))).toHaveLength(10);
  const [, annotation = "", ...others] = annotationsFor([hostilePart]);
  expect(others).toEqual([]);
  expect(annotation).toMatch(/^::error title=/);
  expect(annotation.slice(2)).not.toMatch(/##vso|\p{Cc}|TOPSECRET/u);
});

test("no part can inject a command or move the cursor in a log", () => {
  const { stdout, context, printer } = worldOf({ GITHUB_ACTIONS: "true" });
  createLinesReporter(names, printer, context).progress(0, progressWith([hostilePart]));
  expect(stdout.text).not.toMatch(/^\s*::|##vso|(?!\n)\p{Cc}/mu);
  expect(stdout.text.split("\n")).toHaveLength(3);
});

async function summaryOf(parts: readonly OperationPart[], error?: OperationFailedError): Promise<string> {
  const file = join(temporaryFolder(), "summary.md");
  const { context, printer } = worldOf({ GITHUB_ACTIONS: "true", GITHUB_STEP_SUMMARY: file });
  const board = new WaitBoard(names, context);
  const reporter = combined([board, createSummaryReporter(board, printer, context, "stdout")]);
  reporter.progress(0, progressWith(parts, { partsTotal: 20 }));
  if (error) reporter.ended(0, { type: "error", error });
  reporter.close();
  return readFileSync(file, "utf8").replaceAll(/&#(\d+);/g, (_entity, code) =>
    String.fromCharCode(Number(code)),
  );
}

test("the summary has a table of the parts: those that failed, then those that took the longest", async () => {
  expect((await summaryOf(failedParts)).split("\n").slice(6)).toEqual([
    "",
    "#### Parts of web: 4 of at least 20 parts",
    "",
    "| Part | Type | State | Time | Error |",
    "|---|---|---|---:|---|",
    "| cluster/aks | Microsoft.ContainerService/managedClusters | Failed | 0:37 | QuotaExceeded |",
    "| network/vpn-gateway | Microsoft.Network/virtualNetworkGateways | Running | 0:44 |  |",
    "| logs | Microsoft.OperationalInsights/workspaces | Succeeded | 0:31 |  |",
    "| network/vnet | Microsoft.Network/virtualNetworks | Succeeded | 0:12 |  |",
    "| cluster/flux | Microsoft.KubernetesConfiguration/extensions | skipped |  |  |",
    "",
  ]);
});

test("the summary takes the parts of the error, which may have more, and no text of them is Markdown", async () => {
  const summary = await summaryOf([], failedWith([partOf("<b>|`x`", "A.B/c", "Failed")]));
  expect(summary).toContain("| <b>|`x` | A.B/c | Failed |  |  |");
});

test("a summary of thousands of parts is no longer than GitHub Actions accepts", async () => {
  const name = "!".repeat(290);
  const parts = Array.from({ length: 3000 }, (_, index) => partOf(`${index}${name}`, name, "Succeeded"));
  const summary = await summaryOf(parts);
  const [, rest = ""] = /\n(\d+) more parts are not shown\.\n$/.exec(summary) ?? [];
  expect(summary.match(/^\| \d+!/gm)?.length).toBe(3000 - Number(rest));
  expect(Number(rest)).toBeGreaterThan(1000);
});

function eventsOf(
  quiet: boolean,
  parts: readonly OperationPart[],
  ...more: readonly (readonly OperationPart[])[]
): readonly Record<string, unknown>[] {
  const { stdout, context, printer } = worldOf();
  const reporter = createJsonReporter(names, { quiet }, printer, context);
  for (const some of [parts, ...more])
    reporter.progress(0, progressWith(some, { partsDone: 4, partsTotal: 20, totalIsKnown: false }));
  reporter.ended(0, { type: "error", error: failedWith(parts) });
  reporter.close();
  const events: Record<string, unknown>[] = stdout.text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  return events;
}

test("JSON has the figures in each progress, an event for each part that changes, and the tree at the end", () => {
  const events = eventsOf(false, failedParts, failedParts);
  expect(events.map(({ event }) => event)).toEqual([
    "progress",
    ...Array.from({ length: 7 }, () => "part"),
    "progress",
    "error",
    "summary",
  ]);
  expect(events[0]).toMatchObject({ partsDone: 4, partsTotal: 20, totalIsKnown: false });
  expect(events.find(({ part }) => JSON.stringify(part)?.includes('"aks"'))).toEqual({
    event: "part",
    operation: "web",
    name: "web",
    elapsedInMs: 60_000,
    path: ["cluster"],
    part: {
      name: "aks",
      type: "Microsoft.ContainerService/managedClusters",
      id: "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/aks",
      status: "Failed",
      startTime: new Date(startedAt + 4000).toISOString(),
      durationInMs: 37_000,
      error: { name: "OperationFailedError", code: "QuotaExceeded", message: "8 cores needed, 2 left." },
    },
  });
  const tree = [
    { name: "logs", parts: [] },
    { name: "network", parts: [{ name: "vnet" }, { name: "vpn-gateway", status: "Running" }] },
    { name: "cluster", parts: [{ name: "aks" }, { name: "flux", wasSkipped: true }] },
  ];
  expect(events.find(({ event }) => event === "error")).toMatchObject({ parts: tree });
});

test("with --quiet JSON has the tree, but no event of a part", () => {
  const events = eventsOf(true, failedParts);
  expect(events.map(({ event }) => event)).toEqual(["error", "summary"]);
  expect(events[0]?.["parts"]).toHaveLength(3);
});

test("JSON has no secret of a URL and no raw escape", () => {
  const { stdout, context, printer } = worldOf();
  createJsonReporter(names, {}, printer, context).progress(0, progressWith([hostilePart]));
  expect(stdout.text).toContain('"event":"part"');
  expect(stdout.text).not.toMatch(/TOPSECRET|##vso|(?!\n)\p{Cc}/u);
});
