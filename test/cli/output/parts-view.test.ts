import fc from "fast-check";
import stringWidth from "string-width";
import { expect, test } from "vitest";
import type { OperationPart, OperationStatus } from "lro-poller";
import { partsOf } from "../../../src/cli/output/parts.ts";
import { renderParts, renderWithParts } from "../../../src/cli/output/parts-view.ts";
import { plain } from "../../../src/cli/output/terminal.ts";
import type { WaitView } from "../../../src/cli/output/wait-view.ts";
import { deployments, failedParts, manyParts, partOf, startedAt, statusWith } from "./some-parts.ts";

const now = 60_000;
const space = { columns: 100, rows: 24, now, paint: plain };

function viewOf(parts: readonly OperationPart[], fields: Partial<OperationStatus> = {}) {
  const view = partsOf(statusWith(parts, fields), { now, timestamp: startedAt + now });
  if (view === undefined) throw new Error("no parts");
  return view;
}

function shown(
  parts: readonly OperationPart[],
  fields: Partial<OperationStatus> = {},
  given: Partial<typeof space> = {},
): string {
  return `\n${renderParts(viewOf(parts, fields), { ...space, ...given }).join("\n")}\n`;
}

test("failed parts come first, then running ones, each within its nested deployment", () => {
  expect(shown(failedParts, { partsTotal: 20 })).toMatchInlineSnapshot(`
    "
      4 of at least 20 parts · 1 failed · 1 running · 1 skipped · oldest: network/vpn-gateway 0:44
      cluster        Failed     0:45  2 of 2 parts
        aks          Failed     0:37  QuotaExceeded
        flux         skipped          Microsoft.KubernetesConfiguration/extensions
      network        Running    0:58  1 of 2 parts
        vpn-gateway  Running    0:44  Microsoft.Network/virtualNetworkGateways
        vnet         Succeeded  0:12  Microsoft.Network/virtualNetworks
      logs           Succeeded  0:31  Microsoft.OperationalInsights/workspaces
    "
  `);
});

test("a narrow terminal has the names, the states and the times", () => {
  expect(shown(failedParts, { partsTotal: 20 }, { columns: 40 })).toMatchInlineSnapshot(`
    "
      4 of at least 20 parts · 1 failed
      cluster    Failed    0:45 2 of 2 parts
        aks      Failed    0:37 QuotaExceed…
        flux     skipped        extensions
      network    Running   0:58 1 of 2 parts
        vpn-gat… Running   0:44 virtualNetw…
        vnet     Succeeded 0:12 virtualNetw…
      logs       Succeeded 0:31 workspaces
    "
  `);
});

test("a long tree shows the most urgent parts, and counts the others", () => {
  expect(shown(manyParts(300), { partsTotal: 300, totalIsKnown: true }, { rows: 12 })).toMatchInlineSnapshot(`
    "
      214 of 300 parts · 43 failed · 43 running · 43 waiting · oldest: module-12/resource-120 1:00
      module-0       Running  1:00  7 of 10 parts
        resource-3   Failed   0:04  QuotaExceeded
        resource-1   Running  0:59  Microsoft.Network/virtualNetworks/subnets
        resource-8   Running  0:52  Microsoft.Web/sites
      module-1       Running  1:00  7 of 10 parts
        resource-17  Failed   0:01  QuotaExceeded
        resource-10  Failed   0:11  QuotaExceeded
        resource-15  Running  0:45  Microsoft.Storage/storageAccounts
      module-2       Running  1:00  7 of 10 parts
        resource-22  Running  0:38  Microsoft.Network/virtualNetworks/subnets
      … and 293 more: 40 failed, 39 running, 43 waiting, 171 succeeded
    "
  `);
});

test("few rows have the parts that failed before those that run, and never the others", () => {
  expect(shown(failedParts, {}, { rows: 4 })).toMatchInlineSnapshot(`
    "
      4 of at least 5 parts · 1 failed · 1 running · 1 skipped · oldest: network/vpn-gateway 0:44
      cluster  Failed  0:45  2 of 2 parts
        aks    Failed  0:37  QuotaExceeded
      … and 4 more: 1 running, 1 skipped, 2 succeeded
    "
  `);
  expect(shown(failedParts, {}, { rows: 1 })).toMatchInlineSnapshot(`
    "
      4 of at least 5 parts · 1 failed · 1 running · 1 skipped · oldest: network/vpn-gateway 0:44
    "
  `);
  expect(renderParts(viewOf(failedParts), { ...space, rows: 0 })).toEqual([]);
});

test("failed parts leave half of the rows to those that run", () => {
  const failed = Array.from({ length: 30 }, (_, index) => partOf(`bad-${index}`, "A.B/c", "Failed"));
  const running = Array.from({ length: 30 }, (_, index) => partOf(`on-${index}`, "A.B/c", "Running"));
  const lines = shown([...running, ...failed], {}, { rows: 12 });
  expect(lines.match(/bad-/g)).toHaveLength(5);
  expect(lines.match(/on-/g)).toHaveLength(5);
});

test("the summary says whether the total is known, and names the oldest part that runs", () => {
  const [first] = shown(failedParts, { partsDone: 3, partsTotal: 20 }).trimStart().split("\n");
  expect(first).toBe(
    "3 of at least 20 parts · 1 failed · 1 running · 1 skipped · oldest: network/vpn-gateway 0:44",
  );
  expect(shown(failedParts, { partsDone: 3, partsTotal: 20, totalIsKnown: true })).toContain("3 of 20 parts");
  const over = [
    partOf("a", "A.B/c", "Succeeded", { seconds: 7 }),
    partOf("b", "A.B/c", "Succeeded", { seconds: 65 }),
  ];
  expect(shown(over, { totalIsKnown: true })).toContain("\n  2 parts · longest: b 1:05\n");
  expect(shown(over.slice(1), { totalIsKnown: true })).toContain("\n  1 part · longest");
});

test("ages grow with the time, and those of parts that are over do not", () => {
  const lines = shown(failedParts, {}, { now: now + 60_000 });
  expect(lines).toMatch(/vpn-gateway +Running +1:44/);
  expect(lines).toMatch(/aks +Failed +0:37/);
});

test("a service whose clock is ahead makes no negative age", () => {
  expect(shown([partOf("a", "A.B/c", "Running", { start: 90 })])).toMatch(/Running +0:00/);
});

test("texts of the service cannot move the cursor", () => {
  const hostile = "a\u001B[2Jb\nc\u202E";
  const parts = [
    partOf(hostile, hostile, hostile),
    partOf("x", "A.B/c", "Failed", { error: { code: hostile, message: hostile } }),
  ];
  for (const line of renderParts(viewOf(parts), space)) expect(line).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});

const wait: WaitView = { label: "web", status: "Running", updatedAt: now, elapsedInMs: now };

test("several deployments share the rows, and one that succeeded has its summary only", () => {
  const waits = [
    { ...wait, label: "one", parts: viewOf(manyParts(40)) },
    { ...wait, label: "two", parts: viewOf(manyParts(40)) },
    { ...wait, label: "three", status: "Succeeded", end: {}, parts: viewOf(manyParts(40)) },
    { ...wait, label: "four" },
  ];
  const lines = renderWithParts(waits, { ...space, rows: 23 });
  expect(lines).toHaveLength(23);
  const starts = ["one", "two", "three", "four"].map((label) =>
    lines.findIndex((line) => line.startsWith(label)),
  );
  expect(starts).toEqual([0, 10, 20, 22]);
});

test("after the end of a wait that failed, the parts that succeeded are counted", () => {
  const ended = { ...wait, status: "Failed", end: { note: "QuotaExceeded" }, parts: viewOf(failedParts) };
  const lines = renderWithParts([ended], space);
  expect(lines.slice(2).map((line) => line.trim().split(/ {2,}/)[0])).toEqual([
    "cluster",
    "aks",
    "flux",
    "network",
    "vpn-gateway",
    "… and 2 more: 2 succeeded",
  ]);
});

test("an estimate is marked as one", () => {
  const lineOf = (isEstimate: boolean, status = "Running"): string =>
    renderWithParts([{ ...wait, status, percentComplete: 45.6, isEstimate }], space).join();
  expect(lineOf(true)).toContain(" ~45 % ");
  expect(lineOf(false)).toMatch(/ 45 % /);
  expect(lineOf(true, "Succeeded")).toContain(" 100 % ");
});

const { part: anyPart } = fc.letrec<{ part: OperationPart }>((tie) => ({
  part: fc.record({
    name: fc.string({ unit: "grapheme" }),
    type: fc.oneof(fc.constantFrom("A.B/c", deployments), fc.string()),
    status: fc.oneof(
      fc.constantFrom("Running", "Succeeded", "Failed", "NotStarted", "Canceled"),
      fc.string(),
    ),
    startTime: fc.option(fc.date({ noInvalidDate: true }), { nil: undefined }),
    durationInMs: fc.option(fc.nat(1e12), { nil: undefined }),
    error: fc.option(fc.record({ code: fc.string(), message: fc.string() }), { nil: undefined }),
    wasSkipped: fc.boolean(),
    parts: fc.oneof({ maxDepth: 3 }, fc.constant([]), fc.array(tie("part"), { maxLength: 6 })),
  }),
}));

test("a tree is never wider or higher than its space, and shows all that fits", () => {
  fc.assert(
    fc.property(
      fc.array(anyPart, { maxLength: 8 }),
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 0, max: 40 }),
      (parts, columns, rows) => {
        const view = viewOf(parts);
        const lines = renderParts(view, { ...space, columns, rows });
        expect(lines.length).toBeLessThanOrEqual(rows);
        if (view.byUrgency.length < rows) expect(lines).toHaveLength(view.byUrgency.length + 1);
        for (const line of lines) {
          expect(stringWidth(line)).toBeLessThanOrEqual(columns);
          expect(line).not.toMatch(/\p{Cc}/u);
        }
      },
    ),
  );
});
