import { execFileSync } from "node:child_process";
import type { LargeFleetResult } from "./rate-limited-main.ts";
import type { FleetResult } from "./rate-limited.ts";

/** Compares lro-poller with core-lro and its parts, each measurement in a process of its own. `npm run bench:many` */
function run(file: string, ...args: string[]): unknown {
  const path = new URL(file, import.meta.url).pathname;
  const output = execFileSync(process.execPath, ["--expose-gc", path, ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return JSON.parse(output);
}

type Figures = Readonly<Record<string, number>>;

const columns = [
  "lro-poller",
  "core-lro",
  "core-rest-pipeline",
  "without retries and redirects",
  "node:http",
  "a promise with a timer",
];

function row(name: string, figures: Figures, digits = 0, base?: string): void {
  const cells = columns.map((column) => {
    const figure = figures[column];
    if (figure === undefined) return "";
    const ratio = base === undefined ? "" : ` (${(figure / (figures[base] ?? NaN)).toFixed(2)} ×)`;
    return figure.toFixed(digits) + ratio;
  });
  console.log(`| ${[name, ...cells].join(" | ")} |`);
}

function mapped(figures: Figures, change: (figure: number) => number): Figures {
  return Object.fromEntries(Object.entries(figures).map(([name, figure]) => [name, change(figure)]));
}

console.log(`| | ${columns.join(" | ")} |`);
console.log("|---".repeat(columns.length + 1) + "|");
const cpu = run("cpu.ts") as Figures;
row("CPU of a poll, µs", cpu, 0, "core-rest-pipeline");
row(
  "polls for a second of CPU",
  mapped(cpu, (micros) => 1e6 / micros),
);
const waiting = ["lro-poller", "core-lro", "a promise with a timer"];
const heaps = waiting.map(
  (way) => [way, run("heap.ts", way) as { bytes: number; peakMegabytes: number }] as const,
);
row("heap of a wait, bytes", Object.fromEntries(heaps.map(([way, { bytes }]) => [way, bytes])));
row(
  "peak memory at 20,000 waits, MB",
  Object.fromEntries(heaps.map(([way, { peakMegabytes }]) => [way, peakMegabytes])),
);
row("20,000 waits aborted by one signal, ms", run("abort.ts") as Figures);
row("500 started at once: most of a round within 50 ms, %", run("spread.ts") as Figures, 1);

const { right, pollsPerSecond, peakMegabytes, maxBlockedMs, blockedP99Ms } = run(
  "hundred-thousand.ts",
) as Figures;
console.log(
  `\n100,000 at once over loopback: ${right} right, ${pollsPerSecond} polls/s, at most ${peakMegabytes} MB, ` +
    `event loop blocked for ${maxBlockedMs} ms at most, p99 ${blockedP99Ms} ms`,
);

console.log(
  "\n| 500 operations of 5 to 20 minutes at 300 requests a minute | 429s, % | used, % | lateness, s |",
);
console.log("|---|---|---|---|");
const { fleets, large } = run("rate-limited-main.ts") as {
  readonly fleets: Readonly<Record<string, FleetResult>>;
  readonly large: Readonly<Record<string, LargeFleetResult>>;
};
for (const [name, { throttled, used, lateness, wrong }] of Object.entries(fleets)) {
  const late = wrong === 0 ? lateness.toFixed(1) : `${lateness.toFixed(1)}, ${wrong} wrong`;
  console.log(`| ${name} | ${throttled.toFixed(1)} | ${used.toFixed(0)} | ${late} |`);
}

console.log(
  "\n| pollAll of 10,000 operations of 1 to 3 hours at 300 requests a minute; the service sends | 429s in the first 2 minutes | 429s later, % | rejected | longest gap, min |",
);
console.log("|---|---|---|---|---|");
for (const [name, { early, later, rejected, longestGap }] of Object.entries(large)) {
  console.log(`| ${name} | ${early} | ${later.toFixed(1)} | ${rejected} | ${longestGap.toFixed(0)} |`);
}
