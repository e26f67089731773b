import type { OperationPlan } from "../../src/testing/index.ts";

/** The number of operations whose waits start over time, and the number of waits that start at once. */
export const operationCount = 4800;
export const burstSize = 80;

/** Returns the UUID of an operation. The operations from `operationCount` on have slow responses. */
export function idOf(index: number): string {
  return `${index.toString(16).padStart(8, "0")}-0000-4000-8000-000000000000`;
}

/** Some operations fail, and some polls. Phases last for polls, not for a time: server and client share no clock. */
export function planOf(index: number): OperationPlan {
  const end = index % 10 === 3 ? "Failed" : "Succeeded";
  return {
    timeline: [{ status: "Running", polls: 1 + (index % 5) }, { status: end }],
    startsAtFirstPoll: true,
    faults: {
      ...(index % 25 === 7 && { 1: { kind: "status", status: 500 }, 3: { kind: "reset" } }),
      ...(index % 100 === 10 && { 2: { kind: "status", status: 429, retryAfter: 5 } }),
      ...(hangs(index) && { 2: { kind: "hang" } }),
      ...(index >= operationCount && { 1: { kind: "slow", chunkBytes: 8, delayInMs: 10 } }),
    },
  };
}

/** Whether the second poll gets no response. */
export function hangs(index: number): boolean {
  return index < operationCount && index % 60 === 11;
}

/** The resources in use at one moment. */
export interface Snapshot {
  /** Waits that have started so far. */
  readonly started: number;
  /** Waits that have not ended. */
  readonly waits: number;
  /** Timers of the clock. */
  readonly timers: number;
  /** Listeners of the signal that all waits share. */
  readonly listeners: number;
  readonly sockets: number;
  /** Requests so far without a whole response. Their connections cannot be used again. */
  readonly brokenRequests: number;
  readonly pollers: number;
  /** Objects of the whole heap. */
  readonly objects: number;
  readonly heapBytes: number;
}
