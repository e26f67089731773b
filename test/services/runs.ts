import { isDeepStrictEqual } from "node:util";
import { fromPollerLike, pollUntilDone, startOperation } from "lro-poller";
import type { StartedPoller } from "lro-poller";
import { fast, pipelineWithoutRetries, requestOf, serve } from "../azure/lro/support.ts";
import { startWithCoreLro } from "../support/core-lro-child.ts";
import type { Route, RouteServer } from "../support/route-server.ts";
import type { Row } from "./row.ts";

/** The end of a wait. */
export type Outcome = { readonly result: unknown } | { readonly error: unknown };

/** A wait that is over, and the server that it polled. */
export interface Run {
  readonly outcome: Outcome;
  readonly server: RouteServer;
}

const pipeline = pipelineWithoutRetries();

/** Starts the row's operation by this library, and waits for it. */
export async function runStarted(row: Row): Promise<Run & { readonly poller: StartedPoller }> {
  const server = await serve(row.exchanges);
  const { apiVersion, ...options } = row.options ?? {};
  const sender = { pipeline, ...(apiVersion !== undefined && { apiVersion }) };
  const request = requestOf(server, requestLineOf(row.exchanges[0]));
  const poller = startOperation(request, { ...fast(options), ...sender });
  return { outcome: await outcomeOf(poller.pollUntilDone()), server, poller };
}

/** Starts the row's operation by core-lro, and waits for it by core-lro alone. */
export async function runCoreLro(row: Row): Promise<Run> {
  const server = await serve(row.exchanges);
  return { outcome: await outcomeOf(coreLroOf(row, server).pollUntilDone()), server };
}

/** Starts the row's operation by core-lro, and waits for it by this library, which sees the responses. */
export async function runFromPollerLike(row: Row): Promise<Run> {
  const server = await serve(row.exchanges);
  const { apiVersion: _, ...options } = row.options ?? {};
  const operation = fromPollerLike(coreLroOf(row, server), { pipeline });
  return { outcome: await outcomeOf(pollUntilDone(operation, fast(options))), server };
}

/** Whether an outcome is the expected one, after the expected requests alone. */
export function isRight({ exchanges, expected }: Row, { outcome, server }: Run): boolean {
  if (!isDeepStrictEqual(server.requestLines, exchanges.map(requestLineOf))) return false;
  if ("error" in expected) return "error" in outcome;
  return "result" in outcome && isDeepStrictEqual(outcome.result, expected.result);
}

/** The status bodies of a row, where each of them could be DevCenter's. */
export function statusBodiesOf({
  exchanges,
  expected,
  options,
  command,
}: Row): readonly object[] | undefined {
  const [, firstPoll] = exchanges;
  const responses = exchanges.slice(1).filter(({ path }) => path === firstPoll?.path);
  const bodies = responses.flatMap(statusBodyIn);
  const endsForCommand = "result" in expected || expected.error.status !== undefined;
  const isDevCenterLike = bodies.length > 0 && bodies.length === responses.length;
  const isPollingError = "error" in expected && expected.error.name === "PollingError";
  if (!isDevCenterLike || !endsForCommand || isPollingError) return undefined;
  return command === undefined && options === undefined ? bodies : undefined;
}

function statusBodyIn({ status, body }: Route): object[] {
  const hasStatus =
    typeof body === "object" && body !== null && "status" in body && typeof body.status === "string";
  return status === 200 && hasStatus ? [body] : [];
}

function coreLroOf({ exchanges }: Row, server: RouteServer): ReturnType<typeof startWithCoreLro> {
  return startWithCoreLro(requestOf(server, requestLineOf(exchanges[0])), pipeline);
}

export function requestLineOf({ method, path }: Route): string {
  return `${method} ${path}`;
}

async function outcomeOf(wait: PromiseLike<unknown>): Promise<Outcome> {
  try {
    return { result: await wait };
  } catch (error) {
    return { error };
  }
}
