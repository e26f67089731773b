import { OperationStatusesClient, createPoller, fixed } from "lro-poller";
import type { Clock, PollOptions, Poller, ResumeToken } from "lro-poller";
import { simulate } from "./support.ts";
import type { Simulated, Simulation } from "./support.ts";

export const operationId = "fa067167-e49d-41bd-8dd8-de719b9de3b3";
export const endpoint = "https://dev.devcenter.azure.com/";

/** A status as DevCenter sends it. */
export function status(state: string, fields: object = {}, headers: Record<string, string> = {}): Simulated {
  const id = `/projects/myProject/operationstatuses/${operationId}`;
  return { status: 200, headers, body: { id, name: operationId, status: state, ...fields } };
}

export function clientOf({ httpClient }: Simulation): OperationStatusesClient {
  return new OperationStatusesClient(endpoint, undefined, { httpClient });
}

/** Polls every second, without jitter. */
export function evenly(clock: Clock, options: PollOptions = {}): PollOptions {
  return { clock, schedule: fixed(1000), random: () => 0, ...options };
}

export interface Setting extends Simulation {
  readonly client: OperationStatusesClient;
  readonly poller: Poller;
}

/** Creates a poller of a service with these responses. */
export function setUp(responses: readonly Simulated[], options: PollOptions = {}): Setting {
  const simulation = simulate(...responses);
  const client = clientOf(simulation);
  const operation = client.operation("myProject", operationId);
  return { ...simulation, client, poller: createPoller(operation, evenly(simulation.clock, options)) };
}

/** The same time in another process, whose date may have been set. */
export function elsewhere(clock: Clock, isAheadByInMs = 0): Clock {
  return {
    now: () => clock.now() + 1_000_000,
    timestamp: () => clock.timestamp() + isAheadByInMs,
    setTimer: (callback, delayInMs) => clock.setTimer(callback, delayInMs),
  };
}

/** A token of a wait that has not started. */
export const freshToken: ResumeToken = {
  version: 1,
  operation: { endpoint, projectName: "myProject", operationId, apiVersion: "2025-02-01" },
  startedAt: 1_735_689_600_000,
  savedAt: 1_735_689_600_000,
  pollCount: 0,
  failedPollCount: 0,
};
