import { execFileSync } from "node:child_process";

/** Ours beside core-lro and the bare parts, each measurement in a process of its own. `npm run bench:many` */
function run(file: string, ...args: string[]): string {
  const path = new URL(file, import.meta.url).pathname;
  return execFileSync(process.execPath, ["--expose-gc", path, ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
}

function row(name: string, values: Readonly<Record<string, number>>, base: string): void {
  const cells = Object.entries(values).map(([way, value]) => {
    const ratio = value / (values[base] ?? NaN);
    return `${way} ${value.toFixed(value < 100 ? 1 : 0)} (${ratio.toFixed(2)})`;
  });
  console.log(`${name}: ${cells.join(", ")}`);
}

const ways = ["a promise with a timer", "lro-poller", "core-lro"];
row(
  "heap of a waiting operation, bytes",
  Object.fromEntries(ways.map((way) => [way, Number(run("heap.ts", way))])),
  "core-lro",
);
row("abort of 20,000 waits, ms", JSON.parse(run("abort.ts")) as Record<string, number>, "core-lro");
row(
  "CPU of a poll over loopback, µs",
  JSON.parse(run("cpu.ts")) as Record<string, number>,
  "core-rest-pipeline",
);
console.log(`100,000 at once: ${run("hundred-thousand.ts").trim()}`);
console.log("500 operations at 300 requests a minute, on a virtual clock:");
console.log(run("short-budget-main.ts").trim());
