import { writeFileSync } from "node:fs";
import { geometricMean } from "./compare.ts";
import type { Corpus } from "./compare.ts";
import { laws, longLaws, prices, unseenLaws } from "./corpora.ts";
import { picture } from "./picture.ts";
import { regretOver, spacedDurations } from "./regret.ts";
import type { Regret } from "./regret.ts";
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

function writeRatios(
  title: string,
  kinds: readonly Shape[],
  count: number,
  more: Partial<Corpus> = {},
): void {
  write(`\n## ${title}: ratios at most and on the geometric mean\n`);
  for (const shape of kinds) {
    const lines = tables.withPercentage(shape, count, longLaws, more);
    const [peer, none] = [tables.extremesOf(lines, "toBestPeer"), tables.extremesOf(lines, "toNoPercentage")];
    write(
      `${shape.name.padEnd(30)} to peer ${cell(peer.max, 5)}${cell(peer.mean, 6)}   without percentage ${cell(none.max, 5)}${cell(none.mean, 6)}`,
    );
  }
}

/** The standard deviation of rounding, in percent, is 0.29. */
const scatters = [
  [shapes.truthful, 0.3],
  [shapes.noisy, 2],
  [unseenShapes.veryNoisy, 5],
] as const;

/** Gaps of at most 1.45 times those without a percentage, in place of 1.62: so misleading ones cost at most 1.08. */
const tighterBound = 0.45 / 0.62;

function writeOracle(): void {
  write(
    "\n## A schedule that knows how the percentage moves and scatters: to peer, at most and on the mean\n",
  );
  write(
    `${"".padEnd(30)}${["same regret bound", "bound of 1.45", "own"].map((head) => cell(head, 18)).join("")}`,
  );
  for (const [shape, deviation] of scatters) {
    const lines = [
      tables.withOracle(shape, deviation, 2 * runs),
      tables.withOracle(shape, deviation, 2 * runs, tighterBound),
      tables.withPercentage(shape, 2 * runs),
    ];
    const cells = lines
      .map((each) => tables.extremesOf(each, "toBestPeer"))
      .map(({ max, mean }) => cell(`${max.toFixed(2)} ${mean.toFixed(2)}`, 18));
    write(`${shape.name.padEnd(30)}${cells.join("")}`);
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

function writePastCoverage(): void {
  for (const censoring of ["none", "30 %"] as const) {
    write(
      `\n## 20 past durations, of waits that ended early: ${censoring}. The 80 % interval held the truth\n`,
    );
    write(`${"operations".padEnd(18)}${["all", "first", "given"].map((head) => cell(head)).join("")}`);
    for (const line of tables.coverageWithPast([...laws, ...unseenLaws], runs, censoring)) {
      const shares = [line.covered, line.coveredAtFirst, line.given].map((share) => cell(100 * share, 8, 1));
      write(`${line.law.padEnd(18)}${shares.join("")}`);
    }
  }
}

function writeCensored(): void {
  write("\n## 20 past durations, of waits that ended early: cost to the best peer, a minute and more\n");
  for (const censoring of ["none", "30 %", "30 %, taken as ends"] as const) {
    const { max, mean } = tables.extremesOf(
      tables.withPastDurations(longLaws, runs, censoring),
      "toBestPeer",
    );
    write(`${censoring.padEnd(30)} at most ${cell(max, 5)}, geometric mean ${cell(mean, 5)}`);
  }
}

function writeRegret({ ours, oursByDefault, peers }: Regret): void {
  write("\n## Cost at 1 s a poll, as a multiple of the best fixed interval's: from 5 s to 3 h\n");
  write(`${"".padEnd(48)}${["least", "most", "mean"].map((head) => cell(head)).join("")}`);
  const kinds = { "no longest delay": ours, "the defaults": oursByDefault, peers };
  for (const [kind, lines] of Object.entries(kinds)) {
    for (const { name, ratios } of lines) {
      const figures = [Math.min(...ratios), Math.max(...ratios), geometricMean(ratios)].map((value) =>
        cell(value),
      );
      write(`${kind.padEnd(18)}${name.padEnd(30)}${figures.join("")}`);
    }
  }
}

write(`Prices ${prices.join(", ")} s a poll; ${runs} operations of each kind; bounds open (500 ms, none).`);
writeLines("Uninformed", tables.uninformed(runs));
writeLines("Uninformed, the first poll at once", tables.uninformed(runs, true));
writeLines("Joined at the start, nothing known", tables.joining("atTheStart", "none", runs));
writeLines("Joined at any moment, nothing known", tables.joining("atAnyMoment", "none", runs));
writeLines("Joined at any moment, with startTime", tables.joining("atAnyMoment", "startTime", runs));
writeLines(
  "Joined at any moment, startTime 20 days ago",
  tables.joining("atAnyMoment", "oldStartTime", runs),
);
writeLines("20 past durations", tables.withPastDurations(laws, runs));
writePastCoverage();
writeCensored();
writeBound();
for (const shape of Object.values(shapes))
  writeLines(`Percentage: ${shape.name}`, tables.withPercentage(shape, runs), true);
const unseen = Object.values(unseenShapes);
writeRatios("Percentages that the schedule was not built for", unseen, Math.ceil(runs / 3));
writeRatios("Percentages with Retry-After: 10", [...Object.values(shapes), ...unseen], runs, {
  retryAfter: 10,
});
writeOracle();
writeLines("Retry-After: 10 s with every response", tables.withRetryAfter(runs));
writeLines("The defaults: 1 s a poll, from 1 s to 30 s or 5 %", tables.withDefaults(runs));
writeCoverage();
const regret = regretOver(spacedDurations);
writeRegret(regret);
writeFileSync(new URL("picture.svg", import.meta.url), picture(regret));
