// Measures how long the package takes to import, compared with the pipeline that it depends on. Processes take turns, so
// that other load on the machine affects both alike.
import { execFileSync } from "node:child_process";
import { median } from "../median.ts";

const rounds = 25;
const modules = ["@azure/core-rest-pipeline", "lro-poller"] as const;

const times = new Map(modules.map((name) => [name, [] as number[]]));
for (let round = 0; round < rounds; round++) {
  for (const name of modules) times.get(name)?.push(importTimeInMs(name));
}
const [pipeline = NaN, ours = NaN] = modules.map((name) => median(times.get(name) ?? []));
console.table([
  { module: modules[0], "median ms": pipeline.toFixed(1), ratio: "1.00" },
  { module: modules[1], "median ms": ours.toFixed(1), ratio: (ours / pipeline).toFixed(2) },
]);

function importTimeInMs(name: string): number {
  const code = `const t = performance.now(); await import("${name}"); console.log(performance.now() - t);`;
  return Number(
    execFileSync(process.execPath, ["--input-type=module", "--eval", code], { encoding: "utf8" }),
  );
}
