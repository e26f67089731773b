import type { OperationPlan } from "../../src/testing/index.ts";

/** How many operations come one after the other or in crowds, and how many are a crowd. */
export const most = 4800;
export const crowd = 80;

/** A uuid for each. Those from `most` on are for the crowd whose answers are slow. */
export function idOf(index: number): string {
  return `${index.toString(16).padStart(8, "0")}-0000-4000-8000-000000000000`;
}

/** Some fail, some reads go wrong. By reads, not by time: server and client share no clock. */
export function planOf(index: number): OperationPlan {
  const end = index % 10 === 3 ? "Failed" : "Succeeded";
  return {
    timeline: [{ status: "Running", polls: 1 + (index % 5) }, { status: end }],
    startsAtFirstPoll: true,
    faults: {
      ...(index % 25 === 7 && { 1: { kind: "status", status: 500 }, 3: { kind: "reset" } }),
      ...(index % 100 === 10 && { 2: { kind: "status", status: 429, retryAfter: 5 } }),
      ...(hangs(index) && { 2: { kind: "hang" } }),
      ...(index >= most && { 1: { kind: "slow", chunkBytes: 8, delayInMs: 10 } }),
    },
  };
}

/** Whether the second read is never answered. */
export function hangs(index: number): boolean {
  return index < most && index % 60 === 11;
}

/** What is there at a moment. */
export interface Snapshot {
  readonly begun: number;
  /** Operations waited for. */
  readonly waits: number;
  /** Of the clock. */
  readonly timers: number;
  /** On the signal that all waits share. */
  readonly listeners: number;
  readonly sockets: number;
  /** Requests that came to no answer, and whose connection is of no use any more. */
  readonly brokenRequests: number;
  readonly pollers: number;
  /** Of the whole heap. */
  readonly objects: number;
  readonly heapBytes: number;
}
