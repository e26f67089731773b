import { setTimeout as sleep } from "node:timers/promises";
import { ResultPrinter } from "../../src/cli/output/result-printer.ts";
import { combined } from "../../src/cli/output/reporter.ts";
import { createTerminalReporter } from "../../src/cli/output/terminal-reporter.ts";
import { WaitBoard } from "../../src/cli/output/wait-board.ts";
import { manyParts, progressWith } from "../../test/cli/output/some-parts.ts";
import { median } from "../median.ts";
import { KeptOutput, contextWith } from "./captured-context.ts";

/**
 * Measures the tree of 300 parts in a terminal of 120 columns: how long a redraw takes after each part has changed, with
 * 50 rows and with a row for every part, and the CPU time of ten redraws a second with an update a second.
 */
const frames = 500;
const count = 300;
const names = [{ id: "web", name: "web" }];

/** The parts after so many of them have changed. */
function partsAfter(changes: number): ReturnType<typeof manyParts> {
  const all = manyParts(count);
  return all.map((group, index) =>
    index === changes % all.length
      ? {
          ...group,
          parts: group.parts.map((part) => ({ ...part, status: changes % 2 ? "Running" : "Succeeded" })),
        }
      : group,
  );
}

function terminalWith(rows: number) {
  const stdout = new KeptOutput(rows);
  const context = contextWith(stdout, new KeptOutput());
  const board = new WaitBoard(names, context);
  return combined([board, createTerminalReporter(board, new ResultPrinter(names, context), context)]);
}

/** The time of a progress event and the redraw that follows it, in milliseconds. */
interface RedrawTime {
  readonly wall: number;
  /** Without the turns of other programs, but with all threads of this one. */
  readonly cpu: number;
}

function redrawTimes(rows: number): RedrawTime[] {
  const reporter = terminalWith(rows);
  const events = Array.from({ length: frames + 50 }, (_, index) =>
    progressWith(partsAfter(index), { partsTotal: count }, index * 1000),
  );
  const times = events.map((event) => {
    const [startedAt, startedWith] = [performance.now(), process.cpuUsage()];
    reporter.progress(0, event);
    const { user, system } = process.cpuUsage(startedWith);
    return { wall: performance.now() - startedAt, cpu: (user + system) / 1000 };
  });
  reporter.close();
  // The first ones wait for the compiler.
  return times.slice(50);
}

/** Returns the share of a core, in percent. */
async function shareOfCore(rows: number): Promise<number> {
  const reporter = terminalWith(rows);
  const seconds = 10;
  const startedWith = process.cpuUsage();
  for (let second = 0; second < seconds; second++) {
    reporter.progress(0, progressWith(partsAfter(second), { partsTotal: count }, second * 1000));
    await sleep(1000);
  }
  const { user, system } = process.cpuUsage(startedWith);
  reporter.close();
  return (user + system) / (seconds * 10_000);
}

const rows = [50, count + 50].map((height) => {
  const times = redrawTimes(height);
  const [wall, cpu] = [times.map((time) => time.wall), times.map((time) => time.cpu)];
  return {
    rows: height,
    "median ms": median(wall).toFixed(2),
    "worst ms": Math.max(...wall).toFixed(2),
    "median CPU ms": median(cpu).toFixed(2),
    "worst CPU ms": Math.max(...cpu).toFixed(2),
  };
});
console.table(rows);
console.log(`${(await shareOfCore(50)).toFixed(1)} % of a core with 50 rows, ten redraws a second`);
