import { fork } from "node:child_process";
import { once } from "node:events";
import type { PollOptions } from "lro-poller";
import { timeoutWhen } from "../support/clock.ts";
import { importing } from "../support/library.ts";
import { forever } from "../support/scripted-poller.ts";
import { certificate } from "./certificate.ts";
import type { SdkClient } from "./client.ts";
import type { ResumedWait, ResumedResult } from "./resuming-process.ts";
import { resultMark, startService } from "./service.ts";
import type { Answer, ScriptedServer } from "./service.ts";
import { recordTimers } from "./timers.ts";
import { hasInnerCode, textOf, waiterBy } from "./waits.ts";
import type { Waiter, Way } from "./waits.ts";

/** What comes of a wait. */
export type Outcome =
  | "ok"
  /** It rejects, although the operation runs on. */
  | "fails"
  /** It never ends. */
  | "hangs"
  /** It resolves before the operation has succeeded, or although it has failed. */
  | "false success"
  /** It resolves with something else than the result. */
  | "wrong result"
  /** It polls before the end of `Retry-After`. */
  | "early"
  /** Its error does not have the code of the service's innermost error. */
  | "no code"
  /** It sends the initial request again. */
  | "starts again";

/** One wait, by one client and one way. */
export interface Cell {
  readonly client: SdkClient;
  readonly way: Way;
}

/** A course of events. `measure` returns what comes of each wait. */
export interface Scenario {
  readonly title: string;
  /** Whether the service can do so. */
  readonly appliesTo: (client: SdkClient) => boolean;
  readonly measure: (cells: readonly Cell[]) => Promise<readonly Outcome[]>;
}

/** A wait for an operation of a server of its own. */
class Trial {
  readonly #cell: Cell;
  readonly server: ScriptedServer;
  readonly #waiter: Waiter;
  /** The delays that this library announced. */
  readonly delaysInMs: number[] = [];
  /** The delays of timers. */
  readonly timersInMs: number[] = [];
  readonly #stuck = Promise.withResolvers<"stuck">();
  readonly #controller = new AbortController();
  #vainCount = 0;
  #requestCount = 0;
  #eventCount = 0;

  constructor(cell: Cell, server: ScriptedServer, waiterWith: (options: PollOptions) => Waiter) {
    this.#cell = cell;
    this.server = server;
    this.#waiter = waiterWith({
      onFailedPoll: () => this.#checkProgress(),
      onProgress: ({ nextPollInMs }) => {
        this.#checkProgress();
        if (nextPollInMs !== undefined) this.delaysInMs.push(nextPollInMs);
      },
    });
  }

  get polls(): ScriptedServer["polls"] {
    return this.server.polls;
  }

  /** Waits for an operation that succeeds. */
  wait(abortSignal?: AbortSignal): Promise<Outcome> {
    return this.#wait(
      async (result) => {
        if (this.server.polls.at(-1)?.answer !== "succeeded") return "false success";
        return outcomeOf(this.#cell.client, this.server, await textOf(result));
      },
      () => "fails",
      abortSignal,
    );
  }

  /** Waits for an operation that fails. */
  waitForFailure(): Promise<Outcome> {
    return this.#wait(
      () => "false success",
      (error) => (hasInnerCode(error) ? "ok" : "no code"),
    );
  }

  async #wait(
    onResult: (result: unknown) => Outcome | Promise<Outcome>,
    onError: (error: unknown) => Outcome,
    abortSignal?: AbortSignal,
  ): Promise<Outcome> {
    const signals = [this.#controller.signal, ...(abortSignal ? [abortSignal] : [])];
    const waited = recordTimers(this.timersInMs, () =>
      Promise.resolve(this.#waiter.pollUntilDone({ abortSignal: AbortSignal.any(signals) })),
    );
    const settled = waited.then(onResult).catch(onError);
    const outcome = await Promise.race([settled, this.#stuck.promise, this.#untilHung()]);
    if (outcome !== "stuck") return outcome;
    this.#controller.abort();
    return "hangs";
  }

  /** After a poll without a response, a wait hangs if it tells and sends nothing while another whole wait ends. */
  async #untilHung(): Promise<"stuck"> {
    await this.server.hung;
    const { requestCount } = this.server;
    const eventCount = this.#eventCount;
    await using control = await startTrial({ ...this.#cell, way: "own" }, ["running", "succeeded"]);
    await control.trial.wait();
    const isSilent = this.#eventCount === eventCount && this.server.requestCount === requestCount;
    return isSilent ? "stuck" : forever();
  }

  /** A wait of this library never ends if it polls without a request, or although the operation is over. */
  #checkProgress(): void {
    this.#eventCount++;
    const { requestCount, polls } = this.server;
    this.#vainCount = requestCount === this.#requestCount ? this.#vainCount + 1 : 0;
    this.#requestCount = requestCount;
    const late = polls.filter(({ answer }) => answer === "failed" || answer === "succeeded");
    if (this.#vainCount === 10 || late.length >= 10) this.#stuck.resolve("stuck");
  }
}

function outcomeOf(
  { hasResult = true }: SdkClient,
  { initialRequestCount }: ScriptedServer,
  result: string,
): Outcome {
  if (initialRequestCount !== 1) return "starts again";
  return !hasResult || result.includes(resultMark) ? "ok" : "wrong result";
}

async function startTrial(
  cell: Cell,
  answers: readonly Answer[],
  failedResults = 0,
): Promise<AsyncDisposable & { readonly trial: Trial }> {
  const server = await startService(cell.client.service, answers, failedResults);
  const started = await cell.client.start(server.endpoint);
  return {
    trial: new Trial(cell, server, (options) =>
      waiterBy(cell.way, started, { ...options, ...timeoutWhen(server.hung) }),
    ),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

interface ScenarioOptions {
  /** Default: waits for success. */
  readonly judge?: (trial: Trial, cell: Cell) => Promise<Outcome>;
  /** The number of responses for the result that are a 503. Default 0. */
  readonly failedResults?: number;
  /** Default: all. */
  readonly appliesTo?: Scenario["appliesTo"];
}

function scenario(
  title: string,
  answersBy: (cell: Cell) => readonly Answer[],
  { judge = (trial) => trial.wait(), failedResults = 0, appliesTo = () => true }: ScenarioOptions = {},
): Scenario {
  const measure = async (cell: Cell): Promise<Outcome> => {
    await using started = await startTrial(cell, answersBy(cell), failedResults);
    return await judge(started.trial, cell);
  };
  const measureAll: Scenario["measure"] = (cells) => Promise.all(cells.map(measure));
  return { title, appliesTo, measure: measureAll };
}

const running = ["running", "running"] as const;
const succeeds = ["running", "succeeded"] as const;
const hangOnce = [...running, "hang", ...succeeds] as const;

async function abortAndWaitAgain(trial: Trial): Promise<Outcome> {
  const controller = new AbortController();
  void trial.server.hung.then(() => controller.abort());
  const first = await trial.wait(controller.signal);
  return first === "fails" ? trial.wait() : first;
}

async function judgeRetryAfter(trial: Trial, { way }: Cell): Promise<Outcome> {
  const { polls, timersInMs, delaysInMs } = trial;
  const before = polls.length;
  const outcome = await trial.wait();
  if (outcome !== "ok") return outcome;
  const pauseCount = polls.slice(before).findIndex(({ answer }) => answer === "succeeded");
  const pauses = (way === "own" ? timersInMs : delaysInMs).filter((delay) => delay >= 10_000);
  return pauses.length >= pauseCount ? "ok" : "early";
}

/** Serializes each poller after a poll, and lets another process continue. */
async function resumeElsewhere(cells: readonly Cell[]): Promise<readonly Outcome[]> {
  const started = await Promise.all(
    cells.map(async ({ client, way }) => {
      const server = await startService(client.service, [...running, ...running, "succeeded"]);
      const wait = { name: client.name, way, endpoint: server.endpoint };
      return { client, server, wait: { ...wait, token: await tokenOf(client, way, server).catch(() => "") } };
    }),
  );
  const results = await inAnotherProcess(started.map(({ wait }) => wait));
  await Promise.all(started.map(({ server }) => server[Symbol.asyncDispose]()));
  return started.map(({ client, server }, index) => {
    const { text } = results[index] ?? {};
    if (server.initialRequestCount > 1) return "starts again";
    return text === undefined ? "fails" : outcomeOf(client, server, text);
  });
}

async function tokenOf(client: SdkClient, way: Way, { endpoint }: ScriptedServer): Promise<string> {
  const started = await client.start(endpoint);
  const waiter = waiterBy(way, started);
  await waiter.poll();
  return way === "own" ? started.serialize() : JSON.stringify(waiter);
}

async function inAnotherProcess(waits: readonly ResumedWait[]): Promise<readonly ResumedResult[]> {
  const child = fork(new URL("resuming-process.ts", import.meta.url), {
    execArgv: ["--no-warnings", ...importing("index", "testing/index")],
    env: { ...process.env, CERTIFICATE: JSON.stringify(certificate) },
  });
  child.send(waits);
  const exited = once(child, "exit").then(() => []);
  const [results] = await Promise.race([once(child, "message"), exited]);
  child.kill();
  if (results === undefined) throw new Error("The process that continues has ended without results.");
  return results;
}

export const scenarios = {
  succeeds: scenario("Succeeds", () => [...running, ...succeeds]),
  unavailable: scenario("503 four times", () => [...running, 503, 503, 503, 503, ...succeeds]),
  result: scenario("Result 503 four times", () => [...running, ...succeeds], {
    failedResults: 4,
    appliesTo: ({ service }) => service.result !== undefined,
  }),
  throttled: scenario("429 three times", () => [...running, 429, 429, 429, ...succeeds]),
  reset: scenario("Reset four times", () => [...running, "reset", "reset", "reset", "reset", ...succeeds]),
  hang: scenario("No response once", () => hangOnce),
  abort: scenario("Abort, wait again", () => hangOnce, { judge: abortAndWaitAgain }),
  retryAfter: scenario(
    "`Retry-After`",
    () => [{ retryAfter: 10 }, { retryAfter: 10 }, { retryAfter: 10 }, "succeeded"],
    { judge: judgeRetryAfter },
  ),
  html: scenario("HTML page once", () => [...running, "html", ...succeeds]),
  fails: scenario("Fails", () => [...running, "failed"], {
    judge: (trial) => trial.waitForFailure(),
    appliesTo: ({ service }) => service.poll[1].failed !== undefined,
  }),
  resume: { title: "Other process", appliesTo: () => true, measure: resumeElsewhere },
} as const satisfies Record<string, Scenario>;

export type ScenarioName = keyof typeof scenarios;

export function isScenarioName(name: string): name is ScenarioName {
  return name in scenarios;
}
