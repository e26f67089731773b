import { writeFileSync } from "node:fs";
import { peerSummaries, priced, pricedWithPastDurations } from "./compare.ts";
import type { Summary } from "./compare.ts";
import { laws, prices } from "./corpora.ts";
import { logNormal } from "./laws.ts";
import { picture } from "./picture.ts";
import type { PictureCurve } from "./picture.ts";
import { shapes, unseenShapes } from "./shapes.ts";
import type { Shape } from "./shapes.ts";
import * as tables from "./tables.ts";
import type { Line } from "./tables.ts";

const runs = Number(process.argv[2] ?? 200);

function write(line = ""): void {
  process.stdout.write(`${line}\n`);
}

function cell(value: number | string, width = 8, digits = 2): string {
  return (typeof value === "number" ? value.toFixed(digits) : value).padStart(width);
}

function writeLines(title: string, lines: readonly Line[], hasPercentage = false): void {
  write(`\n## ${title}\n`);
  write(
    `${"operations".padEnd(18)}${["price/s", "polls", "late/s", "p95/s", "cost/s", "to peer"].map((head) => cell(head)).join("")}${hasPercentage ? cell("to none") : ""}  best peer`,
  );
  for (const { law, pollCost, ours: summary, cost, bestPeer, toBestPeer, toNoPercentage } of lines) {
    const cells = [summary.polls, summary.lateness, summary.latenessP95, cost].map((value) =>
      cell(value, 8, 1),
    );
    const ratios = cell(toBestPeer) + (hasPercentage ? cell(toNoPercentage) : "");
    write(`${law.padEnd(18)}${cell(pollCost, 8, 0)}${cells.join("")}${ratios}  ${bestPeer}`);
  }
  writeExtremes(lines, hasPercentage);
}

function writeExtremes(lines: readonly Line[], hasPercentage: boolean): void {
  const peer = tables.extremesOf(lines, "toBestPeer");
  const none = tables.extremesOf(lines, "toNoPercentage");
  write(
    `to the best peer: at most ${peer.max.toFixed(2)}, geometric mean ${peer.mean.toFixed(2)}` +
      (hasPercentage
        ? `; without percentage: at most ${none.max.toFixed(2)}, geometric mean ${none.mean.toFixed(2)}`
        : ""),
  );
}

function writeUnseen(): void {
  write("\n## Percentages that the schedule was not built for: ratios at most and on the geometric mean\n");
  for (const shape of Object.values(unseenShapes)) {
    const lines = tables.withPercentage(shape, Math.ceil(runs / 3));
    const [peer, none] = [tables.extremesOf(lines, "toBestPeer"), tables.extremesOf(lines, "toNoPercentage")];
    write(
      `${shape.name.padEnd(30)} to peer ${cell(peer.max, 5)}${cell(peer.mean, 6)}   without percentage ${cell(none.max, 5)}${cell(none.mean, 6)}`,
    );
  }
}

function writeBound(): void {
  write("\n## Known law: cost to the least possible, ∫√(2c·h)·S dt\n");
  for (const { law, pollCost, polls, cost, toBound } of tables.withLawKnown(laws, 2 * runs)) {
    write(`${law.padEnd(18)}${cell(pollCost, 8, 0)}${cell(polls, 8, 1)}${cell(cost, 8, 1)}${cell(toBound)}`);
  }
}

function writeCoverage(): void {
  write(
    "\n## The estimate: how often its 80 % interval held the truth, and after how many polls it was given\n",
  );
  const all: readonly Shape[] = [...Object.values(shapes), ...Object.values(unseenShapes)];
  for (const shape of all) {
    const { covered, given } = tables.coverageOf(shape, Math.ceil(runs / 8));
    write(`${shape.name.padEnd(30)}${cell(covered * 100, 6, 0)} %${cell(given * 100, 6, 0)} %`);
  }
}

function curveOf(name: string, isDashed: boolean, wait: (pollCost: number) => Summary): PictureCurve {
  const points = [0.1, 0.3, 1, 3, 10, 30, 60].map((pollCost) => ({
    name: `${name}, ${pollCost} s a poll`,
    ...wait(pollCost),
  }));
  return { name, isDashed, points };
}

function drawPicture(file: string): void {
  const corpus = { law: logNormal("45 min", 2700, 0.4), runs: 2 * runs, seed: 45 };
  const peers = [...peerSummaries(corpus)].map(([{ name }, summary]) => ({ name, ...summary }));
  const curves = [
    curveOf("lro-poller, uninformed", false, (pollCost) => priced(corpus, pollCost)),
    curveOf("20 past durations", true, (pollCost) => pricedWithPastDurations(corpus, pollCost, 20)),
    curveOf("percentComplete", true, (pollCost) => priced({ ...corpus, shape: shapes.truthful }, pollCost)),
  ];
  writeFileSync(file, picture("Operations of 45 minutes: requests against lateness", peers, curves));
}

write(`Prices ${prices.join(", ")} s a poll; ${runs} operations of each kind; bounds open (500 ms, none).`);
writeLines("Uninformed", tables.uninformed(runs));
writeLines("Uninformed, the first poll at once", tables.uninformed(runs, true));
writeLines("20 past durations", tables.withPastDurations(laws, runs));
writeBound();
for (const shape of Object.values(shapes))
  writeLines(`Percentage: ${shape.name}`, tables.withPercentage(shape, runs), true);
writeUnseen();
writeLines("Retry-After: 10 s with every response", tables.withRetryAfter(runs));
writeLines("The defaults: 1 s a poll, from 1 to 30 s", tables.withDefaults(runs));
writeCoverage();
drawPicture(new URL("picture.svg", import.meta.url).pathname);
