import { availableParallelism } from "node:os";
import { measure } from "./load.ts";
import type { Figures } from "./load.ts";

/** One, two and four worker processes on one Redis, and what a hundred thousand waiting operations add. */
function row(name: string, figures: Figures): void {
  const { readsPerSecond, latenessInMs, redisCpuPerReadInMicros, redisMegabytes } = figures;
  const cells = [
    readsPerSecond.toFixed(0),
    latenessInMs.median.toFixed(1),
    latenessInMs.p99.toFixed(1),
    figures.roundTripsPerRead.toFixed(1),
    figures.commandsPerRead.toFixed(1),
    redisCpuPerReadInMicros.toFixed(0),
    redisMegabytes.toFixed(1),
  ];
  console.log(`| ${[name, ...cells].join(" | ")} |`);
}

console.log(`${availableParallelism()} cores for the workers, Redis and the service\n`);
console.log(
  "| | reads/s | late, median ms | late, p99 ms | round trips a read | commands a read | Redis CPU a read, µs | Redis, MB |",
);
console.log("|---|---|---|---|---|---|---|---|");
const saturated = { operations: 400, sleepers: 0, isSaturated: true } as const;
for (const answerAfterInMs of [0, 50]) {
  for (const workers of [1, 2, 4]) {
    const name = `${workers} × 16 reads at once, each answered after ${answerAfterInMs} ms`;
    row(name, await measure({ ...saturated, workers, answerAfterInMs }));
  }
}
const paced = { operations: 100, isSaturated: false, answerAfterInMs: 0 } as const;
for (const workers of [1, 2, 4]) {
  const name = `${workers} workers, 100 operations once a second`;
  row(name, await measure({ ...paced, workers, sleepers: 0 }));
}
for (const sleepers of [1000, 10_000, 100_000]) {
  row(
    `1 worker, the same, and ${sleepers} that wait besides`,
    await measure({ ...paced, workers: 1, sleepers }),
  );
}
