import type { RoundKind } from "./round.ts";

const hourInMs = 3_600_000;
const clocks = [0, hourInMs, -hourInMs];
const releases = ["previous", "next", "this"] as const;

/**
 * One kill shows how long an operation is not polled. Then workers are killed until the end: once while all clocks agree,
 * and once with wrong clocks and three releases side by side.
 */
export const rounds: readonly RoundKind[] = [
  {
    name: "one kill of all workers",
    workerOf: () => ({ clockOffByInMs: 0, release: "this", delivers: "once" }),
    clocksAgree: true,
    kills: "once",
  },
  {
    name: "kills and second deliveries",
    workerOf: () => ({ clockOffByInMs: 0, release: "this", delivers: "twice" }),
    clocksAgree: true,
    kills: "always",
  },
  {
    name: "wrong clocks and three releases",
    // Each start is of another release, also in the same place.
    workerOf: (slot, start) => ({
      clockOffByInMs: clocks[start % 3] ?? 0,
      release: releases[(start + slot) % 3] ?? "this",
      delivers: "once",
    }),
    clocksAgree: false,
    kills: "always",
  },
];
