import { getEventListeners } from "node:events";
import { setImmediate as nextTurn } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import {
  OperationCanceledError,
  OperationFailedError,
  OperationStatusesClient,
  createPoller,
  isTerminal,
} from "lro-poller";
import type { Clock, PollOptions, Poller, StartedPoller } from "lro-poller";
import type { StatusBody } from "lro-poller/testing";
import type { Mix } from "./mixes.ts";
import { countVerdicts, inParallel, jumping, keepRestarting, setStage, within } from "./suite.ts";
import type { Stage, Verdict, Verdicts } from "./suite.ts";
import { ProcessWatch, RequestWatch } from "./monitors.ts";

/** What all of the waits came to. All but the first are to be 0. */
export interface Faultlessness extends Omit<Verdicts, "right"> {
  readonly readsTooEarly: number;
  readonly readsAtOnce: number;
  readonly readsAfterTheEnd: number;
  readonly unhandledRejections: number;
  readonly uncaughtExceptions: number;
  readonly timersLeft: number;
  readonly listenersLeft: number;
  readonly requestsLeft: number;
  readonly socketsLeft: number;
}

export interface WaitsReport {
  readonly right: number;
  readonly reads: number;
  readonly restarts: number;
  readonly counts: Faultlessness;
}

/** So that a 429 to one holds others back. */
const waitsPerClient = 4;

const waitsAtOnce = 250;

/** Waits for seeded operations through seeded faults. */
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
  const stage = await setStage(seed, waits);
  const run = new Run(stage);
  const stopRestarting = keepRestarting(stage, seed);
  await inParallel(waitsAtOnce, stage.mixes, (mix, index) => run.wait(mix, index));
  const restarts = await stopRestarting();
  const { requestWatch, signal } = run;
  const requestsLeft = requestWatch.underWay;
  await stage.close();
  for (let turns = 0; turns < 10; turns++) await nextTurn();
  const { right, ...failures } = countVerdicts(run.verdicts);
  const counts: Faultlessness = {
    ...failures,
    readsTooEarly: requestWatch.tooEarly,
    readsAtOnce: requestWatch.overlapping,
    readsAfterTheEnd: run.readsAfterTheEnd(),
    unhandledRejections: processWatch.unhandledRejections,
    uncaughtExceptions: processWatch.uncaughtExceptions,
    timersLeft: stage.clock.pendingTimers + processWatch.platformTimers,
    listenersLeft: getEventListeners(signal, "abort").length,
    requestsLeft,
    socketsLeft: processWatch.openSockets,
  };
  return { right, reads: requestWatch.sent, restarts, counts };
}

interface Begun {
  readonly operationId: string;
  readonly poller: Poller;
}

type Outcome = { readonly value: unknown } | { readonly error: unknown };

class Run {
  readonly requestWatch: RequestWatch;
  readonly verdicts: Verdict[] = [];
  /** One for all: what a wait leaves on it shows. */
  readonly signal: AbortSignal = new AbortController().signal;
  readonly #stage: Stage;
  /** The stage's, but for what is on the wall. */
  readonly #clock: Clock;
  readonly #clients: readonly OperationStatusesClient[];
  readonly #endedAt = new Map<string, number>();

  constructor(stage: Stage) {
    const { server, clock, mixes } = stage;
    this.#stage = stage;
    this.requestWatch = new RequestWatch(clock);
    this.#clock = {
      now: () => clock.now(),
      timestamp: jumping(() => clock.timestamp(), 0),
      setTimer: (callback, delayInMs) => clock.setTimer(callback, delayInMs),
    };
    const additionalPolicies = [{ policy: this.requestWatch.policy, position: "perRetry" as const }];
    const clients = Math.ceil(mixes.length / waitsPerClient);
    this.#clients = Array.from(
      { length: clients },
      () => new OperationStatusesClient(server.endpoint, undefined, { additionalPolicies }),
    );
  }

  async wait(mix: Mix, index: number): Promise<void> {
    this.verdicts.push(await within(this.#stage.clock, this.#verdict(mix, index)));
  }

  readsAfterTheEnd(): number {
    const { requests } = this.#stage.server;
    return requests.filter(
      ({ operationId = "", receivedAt }) => receivedAt > (this.#endedAt.get(operationId) ?? Infinity),
    ).length;
  }

  async #verdict(mix: Mix, index: number): Promise<Verdict> {
    const client = this.#clients[Math.floor(index / waitsPerClient)];
    if (client === undefined) throw new Error(`no client for wait ${index}`);
    const { operationId, poller } = await this.#begin(client, mix);
    const outcome = await poller.pollUntilDone().then(
      (value): Outcome => ({ value }),
      (error: unknown): Outcome => ({ error }),
    );
    const truth = this.#stage.server.state(operationId);
    this.#endedAt.set(operationId, this.#stage.clock.now());
    const verdict = verdictOn(outcome, truth, mix);
    if (verdict !== "right") console.error(verdict, JSON.stringify(mix), truth, outcome);
    return verdict;
  }

  async #begin(client: OperationStatusesClient, mix: Mix): Promise<Begun> {
    const { operationId } = mix;
    const { signal: abortSignal } = this;
    // Longer than all faults of a mix, one after the other, can last.
    const options: PollOptions = {
      clock: this.#clock,
      abortSignal,
      outageToleranceInMs: 1_800_000,
      notFoundGraceInMs: 1_800_000,
    };
    if (mix.isCreation) return beginCreation(client, operationId, options);
    this.#stage.server.addOperation({ ...mix, startsAtFirstPoll: true });
    return { operationId, poller: createPoller(client.operation("myProject", operationId), options) };
  }
}

/** Begins again as often as a restart of the server is in the way of the beginning. */
async function beginCreation(
  client: OperationStatusesClient,
  boxName: string,
  options: PollOptions,
): Promise<Begun> {
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
      continue;
    }
  }
}

function verdictOn(outcome: Outcome, truth: StatusBody, mix: Mix): Verdict {
  if ("value" in outcome) {
    const expected = mix.isCreation ? mix.operationId : truth.properties;
    const value = mix.isCreation ? boxNameOf(outcome.value) : outcome.value;
    return truth.status === "Succeeded" && isDeepStrictEqual(value, expected) ? "right" : "wrong";
  }
  const { error } = outcome;
  const isFailed = error instanceof OperationFailedError;
  if (!isFailed && !(error instanceof OperationCanceledError)) return "lost";
  const isTrue = isTerminal(truth.status) && truth.status === (isFailed ? "Failed" : "Canceled");
  return isTrue && error.message.includes(truth.error?.message ?? "") && truth.error !== undefined
    ? "right"
    : "wrong";
}

/** The name of a dev box that is there. */
function boxNameOf(value: unknown): unknown {
  const isBox =
    typeof value === "object" && value !== null && "name" in value && "provisioningState" in value;
  // Updating: a creation was repeated because its answer was lost.
  return isBox && value.provisioningState !== "Creating" ? value.name : undefined;
}
