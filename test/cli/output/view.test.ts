import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import stringWidth from "string-width";
import { expect, test } from "vitest";
import { plain } from "../../../src/cli/output/terminal.ts";
import { singleLine } from "../../../src/cli/output/text.ts";
import { renderWaits } from "../../../src/cli/output/view.ts";
import type { WaitView } from "../../../src/cli/output/wait-view.ts";

const ids = [
  "fa067167-e49d-41bd-8dd8-de719b9de3b3",
  "0b1c2d3e-e49d-41bd-8dd8-de719b9de3b3",
  "11111111-e49d-41bd-8dd8-de719b9de3b3",
  "22222222-e49d-41bd-8dd8-de719b9de3b3",
  "33333333-e49d-41bd-8dd8-de719b9de3b3",
  "44444444-e49d-41bd-8dd8-de719b9de3b3",
] as const;

const waits: readonly WaitView[] = [
  { label: ids[0], updatedAt: 0, elapsedInMs: 0 },
  {
    label: ids[1],
    status: "Running",
    percentComplete: 42.9,
    updatedAt: 1000,
    elapsedInMs: 61_000,
    estimatedRemainingInMs: 77_000,
    nextPollInMs: 4000,
  },
  { label: ids[2], status: "Running", updatedAt: 1000, elapsedInMs: 3_600_000, nextPollInMs: 2500 },
  {
    label: ids[3],
    status: "Running",
    percentComplete: 75,
    updatedAt: 1000,
    elapsedInMs: 9000,
    nextPollInMs: 4500,
    failure: "HTTP 503",
  },
  { label: ids[4], status: "Succeeded", updatedAt: 1000, elapsedInMs: 12_000, end: {} },
  {
    label: ids[5],
    status: "Failed",
    percentComplete: 20,
    updatedAt: 1000,
    elapsedInMs: 12_000,
    end: { note: "ProvisioningFailed" },
  },
];

function view(columns: number, now = 2000): string {
  return `\n${renderWaits(waits, { columns, now, paint: plain }).join("\n")}\n`;
}

test("in 80 columns each line has the bar, the percentage, the time and the estimates", () => {
  expect(view(80)).toMatchInlineSnapshot(`
    "
    fa067167  …           ░░██░░░░░░░            0:02  polling
    0b1c2d3e  Running     ████░░░░░░░   42 %     1:02  ~1:16 left, next 3 s
    11111111  Running     ░░░░░░░░██░         1:00:01  next 2 s
    22222222  Running     ████████░░░   75 %     0:10  retrying in 4 s: HTTP 503
    33333333  Succeeded   ███████████            0:12
    44444444  Failed      ██░░░░░░░░░   20 %     0:12  ProvisioningFailed
    "
  `);
});

test("40 columns leave no room for estimates, and notes take the bar's place", () => {
  expect(view(40)).toMatchInlineSnapshot(`
    "
    fa067167 …          ░░░░██          0:02
    0b1c2d3e Running    ██░░░░  42 %    1:02
    11111111 Running    ░░██░░       1:00:01
    22222222 Running    retrying in 4 s: HT…
    33333333 Succeeded  ██████          0:12
    44444444 Failed     ProvisioningFailed
    "
  `);
});

test("60 columns have room for the next poll, and keep the figures of failing waits", () => {
  expect(view(60)).toMatchInlineSnapshot(`
    "
    fa067167  …           ░░░░██░░            0:02  polling
    0b1c2d3e  Running     ███░░░░░   42 %     1:02  next 3 s
    11111111  Running     ░░██░░░░         1:00:01  next 2 s
    22222222  Running     75 %  0:10  retrying in 4 s: HTTP 503
    33333333  Succeeded   ████████            0:12
    44444444  Failed      20 %  0:12  ProvisioningFailed
    "
  `);
});

test("an estimate is not shown below 10 %, but is without a percentage: it then comes from past durations", () => {
  const wait = { label: "web", status: "Running", updatedAt: 0, elapsedInMs: 9000, nextPollInMs: 4000 };
  const lineAt = (percentComplete: number | undefined): string | undefined =>
    renderWaits([{ ...wait, percentComplete, estimatedRemainingInMs: 60_000 }], {
      columns: 80,
      now: 0,
      paint: plain,
    })[0];
  for (const line of [undefined, 10].map(lineAt)) expect(line).toContain("~1:00 left, next 4 s");
  expect(lineAt(9.9)).toMatch(/0:09 {2}next 4 s$/);
});

test("a wait that ended without a percentage has no bar, unless it succeeded", () => {
  const wait = { label: "web", updatedAt: 0, elapsedInMs: 9000, end: {} };
  const lines = ["Canceled", "Succeeded"].map((status) =>
    renderWaits([{ ...wait, status }], { columns: 60, now: 0, paint: plain }).join(""),
  );
  expect(lines[0]).toMatch(/^web {2}Canceled [ ]+0:09$/);
  expect(lines[1]).toMatch(/^web {2}Succeeded {3}█+ +0:09$/);
});

test("whole labels are shown wherever there is room for them", () => {
  const wait = { updatedAt: 0, elapsedInMs: 0 };
  const labelAt = (columns: number, label: string): string | undefined =>
    renderWaits([{ ...wait, label }], { columns, now: 0, paint: plain })[0]?.split(/ +/)[0];
  expect([80, 98, 99].map((columns) => labelAt(columns, ids[0]))).toEqual(["fa067167", "fa067167", ids[0]]);
  expect(labelAt(80, "my-fine-dev-box")).toBe("my-fine-dev-box");
});

test("200 columns have room for whole ids", () => {
  expect(view(200)).toMatchInlineSnapshot(`
    "
    fa067167-e49d-41bd-8dd8-de719b9de3b3  …           ░░░░░░░░░░░░░░░░░░░░████████░░░░░░░░░░░░            0:02  polling
    0b1c2d3e-e49d-41bd-8dd8-de719b9de3b3  Running     █████████████████░░░░░░░░░░░░░░░░░░░░░░░   42 %     1:02  ~1:16 left, next 3 s
    11111111-e49d-41bd-8dd8-de719b9de3b3  Running     ░░░░░░░░░░░░░░░░░░░░░░████████░░░░░░░░░░         1:00:01  next 2 s
    22222222-e49d-41bd-8dd8-de719b9de3b3  Running     ██████████████████████████████░░░░░░░░░░   75 %     0:10  retrying in 4 s: HTTP 503
    33333333-e49d-41bd-8dd8-de719b9de3b3  Succeeded   ████████████████████████████████████████            0:12
    44444444-e49d-41bd-8dd8-de719b9de3b3  Failed      ████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░   20 %     0:12  ProvisioningFailed
    "
  `);
});

test("time moves clocks, countdowns and bars without a percentage, but nothing of ended waits", () => {
  expect(view(80, 5500)).toMatchInlineSnapshot(`
    "
    fa067167  …           ░██░░░░░░░░            0:05  polling
    0b1c2d3e  Running     ████░░░░░░░   42 %     1:05  ~1:12 left, polling
    11111111  Running     ░░░░░░░░░██         1:00:04  polling
    22222222  Running     ████████░░░   75 %     0:13  retrying: HTTP 503
    33333333  Succeeded   ███████████            0:12
    44444444  Failed      ██░░░░░░░░░   20 %     0:12  ProvisioningFailed
    "
  `);
});

test("a bar without a percentage moves to and fro", () => {
  const wait: WaitView = { label: ids[0], status: "Running", updatedAt: 0, elapsedInMs: 0 };
  const bars = Array.from({ length: 12 }, (_, step) => {
    const [line = ""] = renderWaits([wait], { columns: 40, now: step * 100, paint: plain });
    return line.slice(20, 28);
  });
  expect(bars.join("\n")).toMatchInlineSnapshot(`
    "██░░░░░░
    ░██░░░░░
    ░░██░░░░
    ░░░██░░░
    ░░░░██░░
    ░░░░░██░
    ░░░░░░██
    ░░░░░██░
    ░░░░██░░
    ░░░██░░░
    ░░██░░░░
    ░██░░░░░"
  `);
});

test("a name that is cut has an ellipsis, and is long enough to tell it from the others", () => {
  const names = ["my-fine-dev-box", "my-fine-other-box", "web"];
  const labelsAt = (columns: number): string[] =>
    renderWaits(
      names.map((label) => ({ label, isNamed: true, updatedAt: 0, elapsedInMs: 0 })),
      { columns, now: 0, paint: plain },
    ).map((line) => line.slice(0, line.indexOf("  ")));
  expect(labelsAt(60)).toEqual(["my-fine-d…", "my-fine-o…", "web"]);
  expect(labelsAt(200)).toEqual(names);
});

test("ids are as long as it takes to tell them apart", () => {
  const alike = ["fa067167-e49d-1", "fa067167-e49d-2"].map((label) => ({
    label,
    updatedAt: 0,
    elapsedInMs: 0,
  }));
  const lines = renderWaits(alike, { columns: 80, now: 0, paint: plain });
  expect(lines.map((line) => line.split(" ")[0])).toEqual(["fa067167-e49d-1", "fa067167-e49d-2"]);
});

test("states have their colours, and colours do not change the text", () => {
  const tagged = renderWaits(waits, {
    columns: 80,
    now: 2000,
    paint: (style, text) => `<${style}>${text}</>`,
  });
  expect(tagged.map((line) => /<(green|red|yellow)>(?=\w)[^<]*/.exec(line)?.[0])).toEqual([
    undefined,
    undefined,
    undefined,
    "<yellow>retrying in 4 s: HTTP 503",
    "<green>Succeeded ",
    "<red>Failed    ",
  ]);
  expect(tagged.map((line) => line.replaceAll(/<[^>]*>/g, "").trimEnd())).toEqual(
    renderWaits(waits, { columns: 80, now: 2000, paint: plain }),
  );
});

const anyWait: fc.Arbitrary<WaitView> = fc.record(
  {
    label: fc.uuid(),
    updatedAt: fc.nat(),
    elapsedInMs: fc.nat(1e12),
    status: fc.oneof(
      fc.constantFrom("Running", "Succeeded", "作成中作成中作成中"),
      fc.string().map(singleLine),
    ),
    percentComplete: fc.double({ min: 0, max: 100, noNaN: true }),
    estimatedRemainingInMs: fc.nat(1e12),
    nextPollInMs: fc.nat(),
    failure: fc.oneof(
      fc.constant("接続が切れました".repeat(9)),
      fc.string({ unit: "grapheme" }).map(singleLine),
    ),
    end: fc.record({ note: fc.string().map(singleLine) }),
  },
  { requiredKeys: ["label", "updatedAt", "elapsedInMs"] },
);

test("no line is ever wider than the terminal, nor longer than one line", () => {
  fc.assert(
    fc.property(
      fc.array(anyWait, { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 250 }),
      fc.nat(),
      (some, columns, now) => {
        for (const line of renderWaits(some, { columns, now, paint: plain })) {
          expect(stringWidth(line)).toBeLessThanOrEqual(columns);
          expect(line).not.toMatch(/\p{Cc}/u);
          expect(stripVTControlCharacters(line)).toBe(line);
        }
      },
    ),
  );
});
