import { availableParallelism } from "node:os";
import { measure } from "./load.ts";
import type { Figures } from "./load.ts";
import { measureMemory } from "./memory.ts";

function row(name: string, figures: Figures): void {
  const { pollsPerSecond, latenessInMs, redisCpuPerPollInMicros, redisMegabytes } = figures;
  const cells = [
    pollsPerSecond.toFixed(0),
    latenessInMs.median.toFixed(1),
    latenessInMs.p99.toFixed(1),
    figures.roundTripsPerPoll.toFixed(1),
    figures.commandsPerPoll.toFixed(1),
    redisCpuPerPollInMicros.toFixed(0),
    redisMegabytes.toFixed(1),
  ];
  console.log(`| ${[name, ...cells].join(" | ")} |`);
}

// Measures one, two and four worker processes on one Redis, and then up to a hundred thousand delayed operations.
console.log(`${availableParallelism()} cores for the workers, Redis and the service\n`);
console.log(
  "| | polls/s | late, median ms | late, p99 ms | round trips per poll | commands per poll | Redis CPU per poll, µs | Redis, MB |",
);
console.log("|---|---|---|---|---|---|---|---|");
const saturated = { operations: 400, delayed: 0, isSaturated: true } as const;
for (const responseTimeInMs of [0, 50]) {
  for (const workers of [1, 2, 4]) {
    const name = `${workers} × 16 polls at once, responses after ${responseTimeInMs} ms`;
    row(name, await measure({ ...saturated, workers, responseTimeInMs }));
  }
}
const oncePerSecond = { operations: 100, isSaturated: false, responseTimeInMs: 0 } as const;
for (const workers of [1, 2, 4]) {
  const name = `${workers} workers, 100 operations once a second`;
  row(name, await measure({ ...oncePerSecond, workers, delayed: 0 }));
}
row(
  "1 worker, 10 operations once a second",
  await measure({ ...oncePerSecond, operations: 10, workers: 1, delayed: 0 }),
);
for (const delayed of [1000, 10_000, 100_000]) {
  row(
    `1 worker, the same, and ${delayed} delayed operations`,
    await measure({ ...oncePerSecond, workers: 1, delayed }),
  );
}
const { perWaitingOperation, perByteOfResult, perByteOfOldResult } = await measureMemory();
console.log(`
Redis, bytes
- for each operation that waits for its second poll: ${perWaitingOperation.toFixed(0)}
- for each byte of a result: ${perByteOfResult.toFixed(1)}, and ${perByteOfOldResult.toFixed(1)} without BullMQ's events
`);
