import { inspect } from "node:util";
import { isRestError } from "@azure/core-rest-pipeline";
import { createPoller, fixed, fromPollerLike, systemClock } from "lro-poller";
import type { PollOptions } from "lro-poller";
import { fastClock } from "../support/clock.ts";
import type { Started } from "./client.ts";
import { innerCode } from "./service.ts";

/** Who waits: the SDK's own `pollUntilDone`, or this library by `fromPollerLike`, without the pipeline or with it. */
export type Way = "own" | "poller" | "pipeline";

export const ways: readonly Way[] = ["own", "poller", "pipeline"];

/** A poller of an SDK or of this library. */
export interface Waiter {
  pollUntilDone(options?: { readonly abortSignal?: AbortSignal }): PromiseLike<unknown>;
}

/** Returns a poller that waits this way. A second of this library's clock takes a millisecond. */
export function waiterBy(
  way: Way,
  started: Started,
  options: PollOptions = {},
): Waiter & { poll(): Promise<unknown> } {
  const { poller, pipeline } = started;
  if (way === "own") return poller;
  const operation = way === "pipeline" ? fromPollerLike(poller, { pipeline }) : fromPollerLike(poller);
  return createPoller(operation, {
    clock: fastClock(systemClock),
    schedule: fixed(1000),
    requestTimeoutInMs: Infinity,
    outageToleranceInMs: Infinity,
    ...options,
  });
}

/** Returns all of a result. Some clients return an iterable of its pages. */
export async function textOf(result: unknown): Promise<string> {
  return inspect(isPaged(result) ? await pagesOf(result) : result, { depth: 12 });
}

function isPaged(result: unknown): result is AsyncIterable<unknown> {
  return typeof result === "object" && result !== null && Symbol.asyncIterator in result;
}

async function pagesOf(result: AsyncIterable<unknown>): Promise<unknown[]> {
  const pages: unknown[] = [];
  for await (const page of result) pages.push(page);
  return pages;
}

/** Returns whether a user finds the code of the service's innermost error: in the error, or in its response. */
export function hasInnerCode(error: unknown): boolean {
  const body = isRestError(error) ? error.response?.bodyAsText : undefined;
  if (inspect(error, { depth: 12 }).includes(innerCode) || body?.includes(innerCode)) return true;
  return error instanceof Error && error.cause !== undefined && hasInnerCode(error.cause);
}
