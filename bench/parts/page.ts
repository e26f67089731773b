import { readFileSync, readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "lro-poller";
import { launchChromium } from "../../test/support/chromium.ts";
import { KeptOutput, contextWith } from "./captured-context.ts";
import { manyParts, progressWith } from "../../test/cli/output/some-parts.ts";
import { combined } from "../../src/cli/output/reporter.ts";
import { WaitBoard } from "../../src/cli/output/wait-board.ts";
import { createWebReporter } from "../../src/cli/output/web-reporter.ts";

/**
 * Measures the CPU time of Chromium, all its processes together, while it shows the live page, as a share of one core:
 * 500 operations that are polled every 5 s, and one deployment of 300 parts that is. Argument: the seconds of a
 * measurement.
 */
const seconds = Number(process.argv[2] ?? 10);
const pollEveryInMs = 5000;
const ticksPerSecond = 100;

/** The processes that this one has started, by the kernel's list. */
function processesBelow(pid: number): number[] {
  const all = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const parents = all.flatMap((name) => {
    const fields = statOf(name);
    return fields === undefined ? [] : [[Number(name), Number(fields[1])] as const];
  });
  const below = parents.filter(([, parent]) => parent === pid).map(([child]) => child);
  return below.flatMap((child) => [child, ...processesBelow(child)]);
}

/** The fields of `/proc/<pid>/stat` after the name, which may have spaces. */
function statOf(pid: string): string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
  } catch {
    // The process has ended.
    return undefined;
  }
}

function cpuInMs(): number {
  const ticks = processesBelow(process.pid).map((pid) => {
    const fields = statOf(String(pid)) ?? [];
    return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  });
  return (ticks.reduce((sum, one) => sum + one, 0) * 1000) / ticksPerSecond;
}

/** Returns the share of a core, in percent, that Chromium takes for a page with these operations. */
async function shareWith(count: number, hasParts: boolean): Promise<number> {
  const names = Array.from({ length: count }, (_, index) => ({ id: `operation-${index}` }));
  const stderr = new KeptOutput();
  const context = contextWith(new KeptOutput(), stderr);
  const board = new WaitBoard(names, context);
  const reporter = combined([board, await createWebReporter(names, board, context)]);
  const url = stderr.text.replace("Live page: ", "").trim();
  const startedAt = systemClock.now();
  const poll = (index: number): void => {
    const elapsedInMs = systemClock.now() - startedAt;
    const parts = hasParts ? { parts: manyParts(300) } : { parts: undefined };
    // Every second one has a percentage.
    const percentComplete = index % 2 === 0 ? undefined : (elapsedInMs / 1000) % 100;
    reporter.progress(index, progressWith([], { ...parts, percentComplete }, elapsedInMs));
  };
  for (const index of names.keys()) poll(index);
  const timers = names.map((_, index) =>
    setTimeout(() => setInterval(poll, pollEveryInMs, index).unref(), (pollEveryInMs * index) / count),
  );
  const browser = await launchChromium();
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  await page.goto(url);
  await page.getByRole("progressbar").first().waitFor();
  await sleep(6000);
  const before = cpuInMs();
  await sleep(seconds * 1000);
  const usedInMs = cpuInMs() - before;
  timers.forEach(clearTimeout);
  await browser.close();
  reporter.close();
  return usedInMs / (seconds * 10);
}

const shares = {
  "500 operations": await shareWith(500, false),
  "300 parts": await shareWith(1, true),
};
console.log(JSON.stringify(shares));
process.exit();
