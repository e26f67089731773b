import { getEventListeners } from "node:events";
import { setImmediate as nextTurn } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { PipelinePolicy } from "@azure/core-rest-pipeline";
import {
  OperationCanceledError,
  OperationFailedError,
  OperationStatusesClient,
  PollingTimeoutError,
  createPoller,
  isTerminal,
} from "lro-poller";
import type { PollOptions, Poller, StartedPoller } from "lro-poller";
import type { OperationServer, StatusBody } from "lro-poller/testing";
import type { Mix } from "./mixes.ts";
import { countResults, inParallel, jumping, keepRestarting, setStage, within } from "./suite.ts";
import type { Stage, WaitResult, WaitResultCounts } from "./suite.ts";
import { ProcessWatch, RequestWatch } from "./monitors.ts";
import { SleepingClock } from "./sleeping-clock.ts";

/** Counts of what went wrong in all waits. Each is 0 if the library has no faults. */
export interface FailureCounts extends Omit<WaitResultCounts, "right"> {
  readonly earlyPolls: number;
  readonly concurrentPolls: number;
  readonly pollsAfterEnd: number;
  readonly unhandledRejections: number;
  readonly uncaughtExceptions: number;
  readonly timersLeft: number;
  readonly listenersLeft: number;
  readonly requestsLeft: number;
  readonly socketsLeft: number;
}

export interface WaitsReport {
  readonly right: number;
  readonly requests: number;
  readonly restarts: number;
  /** How often the clients' machine was suspended. */
  readonly sleeps: number;
  readonly counts: FailureCounts;
}

/** More than one, so that a 429 delays the other waits of the client too. */
const waitsPerClient = 4;

const concurrentWaits = 250;

/** Waits for seeded operations with seeded faults. */
export async function runWaits(seed: number, waits: number): Promise<WaitsReport> {
  const processWatch = new ProcessWatch();
  const realNow = Date.now;
  processWatch.start();
  Date.now = jumping(realNow, seed);
  try {
    return await runWatched(seed, waits, processWatch);
  } finally {
    Date.now = realNow;
    processWatch.stop();
  }
}

async function runWatched(seed: number, waits: number, processWatch: ProcessWatch): Promise<WaitsReport> {
  let run: Run | undefined;
  const stage = await setStage(seed, waits, () => run?.isIdle === true);
  run = new Run(stage, seed);
  const stopRestarting = keepRestarting(stage, seed);
  await inParallel(concurrentWaits, stage.mixes, (mix, index) => run.wait(mix, index));
  run.sleepingClock.stop();
  const restarts = await stopRestarting();
  const { requestWatch, signal } = run;
  const requestsLeft = requestWatch.inFlight;
  await stage.close();
  for (let turns = 0; turns < 10; turns++) await nextTurn();
  const { right, ...failures } = countResults(run.results);
  const counts: FailureCounts = {
    ...failures,
    earlyPolls: requestWatch.early,
    concurrentPolls: requestWatch.concurrent,
    pollsAfterEnd: run.pollsAfterEnd(),
    unhandledRejections: processWatch.unhandledRejections,
    uncaughtExceptions: processWatch.uncaughtExceptions,
    timersLeft: stage.clock.pendingTimers + processWatch.platformTimers,
    listenersLeft: getEventListeners(signal, "abort").length,
    requestsLeft,
    socketsLeft: processWatch.openSockets,
  };
  return { right, requests: requestWatch.sent, restarts, sleeps: run.sleepingClock.sleeps, counts };
}

interface StartedWait {
  readonly operationId: string;
  readonly poller: Poller;
}

type Outcome = { readonly value: unknown } | { readonly error: unknown };

class Run {
  readonly requestWatch: RequestWatch;
  readonly results: WaitResult[] = [];
  /** Shared by all waits, so that a listener that one leaves is found. */
  readonly signal: AbortSignal = new AbortController().signal;
  readonly #stage: Stage;
  /** The clock of the clients' machine, which is suspended now and then, and whose wall clock jumps. */
  readonly sleepingClock: SleepingClock;
  readonly #clients: readonly OperationStatusesClient[];
  readonly #endedAt = new Map<string, number>();

  constructor(stage: Stage, seed: number) {
    const { server, busyServer, clock, mixes } = stage;
    this.#stage = stage;
    this.requestWatch = new RequestWatch(clock);
    this.sleepingClock = new SleepingClock(
      clock,
      seed,
      jumping(() => clock.timestamp(), 0),
    );
    const additionalPolicies = [{ policy: this.requestWatch.policy, position: "perRetry" as const }];
    const busyPolicies = [
      ...additionalPolicies,
      { policy: withoutRateHeaders, position: "perRetry" as const },
    ];
    const clientOf = (isThrottled: boolean): OperationStatusesClient =>
      isThrottled
        ? new OperationStatusesClient(busyServer.endpoint, undefined, { additionalPolicies: busyPolicies })
        : new OperationStatusesClient(server.endpoint, undefined, { additionalPolicies });
    const clients = Array.from({ length: Math.ceil(mixes.length / waitsPerClient) }, () => clientOf(false));
    const busyClient = clientOf(true);
    this.#clients = mixes.map(
      ({ isThrottled }, index) =>
        (isThrottled ? undefined : clients[Math.floor(index / waitsPerClient)]) ?? busyClient,
    );
  }

  /** Whether no request is under way, or all clients sleep: then time can pass faster. */
  get isIdle(): boolean {
    return this.requestWatch.inFlight === 0 || this.sleepingClock.isAsleep;
  }

  async wait(mix: Mix, index: number): Promise<void> {
    this.results.push(await within(this.#stage.clock, this.#waitResult(mix, index)));
  }

  pollsAfterEnd(): number {
    const { requests } = this.#stage.server;
    return [...requests, ...this.#stage.busyServer.requests].filter(
      ({ operationId = "", receivedAt }) => receivedAt > (this.#endedAt.get(operationId) ?? Infinity),
    ).length;
  }

  async #waitResult(mix: Mix, index: number): Promise<WaitResult> {
    const client = this.#clients[index];
    if (client === undefined) throw new Error(`no client for wait ${index}`);
    const server = mix.isThrottled ? this.#stage.busyServer : this.#stage.server;
    const { operationId, poller } = await this.#start(client, server, mix);
    const outcome = await outcomeOf(poller);
    const status = server.state(operationId);
    this.#endedAt.set(operationId, this.#stage.clock.now());
    const result = compare(outcome, status, mix);
    if (result !== "right") console.error(result, JSON.stringify(mix), status, outcome);
    return result;
  }

  async #start(client: OperationStatusesClient, server: OperationServer, mix: Mix): Promise<StartedWait> {
    const { operationId, timeoutInMs, stallTimeoutInMs, startFaults } = mix;
    const { signal: abortSignal, sleepingClock: clock } = this;
    // Longer than all faults of a mix together.
    const options: PollOptions = {
      clock,
      abortSignal,
      outageToleranceInMs: 1_800_000,
      notFoundGraceInMs: 1_800_000,
      ...(timeoutInMs !== undefined && { timeoutInMs }),
      ...(stallTimeoutInMs !== undefined && { stallTimeoutInMs }),
    };
    if (mix.isCreation) {
      for (const fault of startFaults) server.failNextInitialRequest(fault);
      return this.#startCreation(client, operationId, options);
    }
    server.addOperation({ ...mix, startsAtFirstPoll: true });
    return { operationId, poller: createPoller(client.operation("myProject", operationId), options) };
  }

  /** Starts the creation of a dev box. Starts it again while a restart of the server prevents the initial request. */
  async #startCreation(
    client: OperationStatusesClient,
    boxName: string,
    options: PollOptions,
  ): Promise<StartedWait> {
    for (;;) {
      const poller: StartedPoller<object> = client.createDevBox(
        "myProject",
        "me",
        boxName,
        { poolName: "pool" },
        options,
      );
      try {
        const { headers } = await poller.started;
        const operationId = /operationstatuses\/([^?]+)/.exec(headers["operation-location"] ?? "")?.[1];
        if (operationId !== undefined) return { operationId, poller };
      } catch {
        this.requestWatch.forget(boxName);
      }
    }
  }
}

/** Waits again when the time of a wait is over. */
async function outcomeOf(poller: Poller): Promise<Outcome> {
  for (;;) {
    try {
      return { value: await poller.pollUntilDone() };
    } catch (error) {
      if (!(error instanceof PollingTimeoutError)) return { error };
    }
  }
}

/** The rate of a service that does not tell it has to be learned from its 429s. */
const withoutRateHeaders: PipelinePolicy = {
  name: "withoutRateHeaders",
  sendRequest: async (request, next) => {
    const response = await next(request);
    for (const name of ["limit", "remaining", "reset"]) response.headers.delete(`x-rate-limit-${name}`);
    return response;
  },
};

function compare(
  outcome: Outcome,
  { status, properties, error: expectedError }: StatusBody,
  mix: Mix,
): WaitResult {
  if ("value" in outcome) {
    const expected = mix.isCreation ? mix.operationId : properties;
    const value = mix.isCreation ? boxNameOf(outcome.value) : outcome.value;
    return status === "Succeeded" && isDeepStrictEqual(value, expected) ? "right" : "wrong";
  }
  const { error } = outcome;
  const isFailed = error instanceof OperationFailedError;
  if (!isFailed && !(error instanceof OperationCanceledError)) return "lost";
  const isRight = isTerminal(status) && status === (isFailed ? "Failed" : "Canceled");
  return isRight && expectedError !== undefined && error.message.includes(expectedError.message ?? "")
    ? "right"
    : "wrong";
}

/** Returns the name of a dev box that exists. */
function boxNameOf(value: unknown): unknown {
  const isBox =
    typeof value === "object" && value !== null && "name" in value && "provisioningState" in value;
  // Updating: the initial request was sent again because its response was lost.
  return isBox && value.provisioningState !== "Creating" ? value.name : undefined;
}
