import { writeFileSync } from "node:fs";
import { peerSummaries, priced, pricedWithPast } from "./compare.ts";
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

function writeLines(title: string, lines: readonly Line[], hasBar = false): void {
  write(`\n## ${title}\n`);
  write(
    `${"operations".padEnd(18)}${["price/s", "reads", "late/s", "p95/s", "cost/s", "to peer"].map((head) => cell(head)).join("")}${hasBar ? cell("to none") : ""}  best peer`,
  );
  for (const { law, pollCost, ours: summary, cost, bestPeer, toBestPeer, toNoBar } of lines) {
    const cells = [summary.polls, summary.lateness, summary.latenessP95, cost].map((value) =>
      cell(value, 8, 1),
    );
    const ratios = cell(toBestPeer) + (hasBar ? cell(toNoBar) : "");
    write(`${law.padEnd(18)}${cell(pollCost, 8, 0)}${cells.join("")}${ratios}  ${bestPeer}`);
  }
  writeExtremes(lines, hasBar);
}

function writeExtremes(lines: readonly Line[], hasBar: boolean): void {
  const peer = tables.extremesOf(lines, "toBestPeer");
  const none = tables.extremesOf(lines, "toNoBar");
  write(
    `to the best peer: at most ${peer.most.toFixed(2)}, geometric mean ${peer.mean.toFixed(2)}` +
      (hasBar ? `; to no bar: at most ${none.most.toFixed(2)}, geometric mean ${none.mean.toFixed(2)}` : ""),
  );
}

function writeUnseen(): void {
  write("\n## Bars that the schedule was not built for: ratios at most and on the geometric mean\n");
  for (const shape of Object.values(unseenShapes)) {
    const lines = tables.withBar(shape, Math.ceil(runs / 3));
    const [peer, none] = [tables.extremesOf(lines, "toBestPeer"), tables.extremesOf(lines, "toNoBar")];
    write(
      `${shape.name.padEnd(30)} to peer ${cell(peer.most, 5)}${cell(peer.mean, 6)}   to no bar ${cell(none.most, 5)}${cell(none.mean, 6)}`,
    );
  }
}

function writeBound(): void {
  write("\n## The law known: cost to the least possible, ∫√(2c·h)·S dt\n");
  for (const { law, pollCost, polls, cost, toBound } of tables.withLawKnown(laws, 2 * runs)) {
    write(`${law.padEnd(18)}${cell(pollCost, 8, 0)}${cell(polls, 8, 1)}${cell(cost, 8, 1)}${cell(toBound)}`);
  }
}

function writeCoverage(): void {
  write(
    "\n## The estimate: how often its range from 10 to 90 % held the truth, and after how many reads it was given\n",
  );
  const all: readonly Shape[] = [...Object.values(shapes), ...Object.values(unseenShapes)];
  for (const shape of all) {
    const { covered, given } = tables.coverageOf(shape, Math.ceil(runs / 8));
    write(`${shape.name.padEnd(30)}${cell(covered * 100, 6, 0)} %${cell(given * 100, 6, 0)} %`);
  }
}

function curveOf(name: string, isDashed: boolean, wait: (pollCost: number) => Summary): PictureCurve {
  const points = [0.1, 0.3, 1, 3, 10, 30, 60].map((pollCost) => ({
    name: `${name}, a read for ${pollCost} s`,
    ...wait(pollCost),
  }));
  return { name, isDashed, points };
}

function drawPicture(file: string): void {
  const corpus = { law: logNormal("45 min", 2700, 0.4), runs: 2 * runs, seed: 45 };
  const peers = [...peerSummaries(corpus)].map(([{ name }, summary]) => ({ name, ...summary }));
  const curves = [
    curveOf("lro-poller, nothing known", false, (pollCost) => priced(corpus, pollCost)),
    curveOf("20 past durations", true, (pollCost) => pricedWithPast(corpus, pollCost, 20)),
    curveOf("percentComplete", true, (pollCost) => priced({ ...corpus, shape: shapes.truthful }, pollCost)),
  ];
  writeFileSync(file, picture("Operations of 45 minutes: requests against lateness", peers, curves));
}

write(`Prices ${prices.join(", ")} s a read; ${runs} operations of each kind; bounds open (500 ms, none).`);
writeLines("Nothing known", tables.withoutKnowledge(runs));
writeLines("Nothing known, the first read at once", tables.withoutKnowledge(runs, true));
writeLines("20 past durations", tables.withPast(laws, runs));
writeBound();
for (const shape of Object.values(shapes))
  writeLines(`Bar: ${shape.name}`, tables.withBar(shape, runs), true);
writeUnseen();
writeLines("Retry-After: 10 s with every answer", tables.withRetryAfter(runs));
writeLines("The defaults: 1 s a read, from 1 to 30 s", tables.withDefaults(runs));
writeCoverage();
drawPicture(new URL("picture.svg", import.meta.url).pathname);
