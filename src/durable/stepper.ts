import { unlessAborted } from "../abort.ts";
import type { LroClient, ParsedResumeToken } from "../azure/lro-client.ts";
import { systemClock } from "../clock.ts";
import type { Clock } from "../clock.ts";
import { ContractError, PollingError, RequestError, messageOf } from "../operation/errors.ts";
import { isObject } from "../operation/json-object.ts";
import type { Operation, PollLogger } from "../operation/operation.ts";
import type { OperationStatus } from "../operation/status.ts";
import { isolate } from "../poller/isolate.ts";
import { newNoticesOf } from "../poller/notices.ts";
import { fallbackLogger } from "../poller/subscribers.ts";
import { initialState } from "../state/state-machine.ts";
import type { StopReason } from "../state/state-machine.ts";
import { parseToken } from "../state/resume-token.ts";
import type { ResumeToken } from "../state/resume-token.ts";
import { describeValue } from "../redaction.ts";
import { checkDuration, checkFunction, checkSignal } from "../validate.ts";
import { dueIn } from "./first-state.ts";
import { isOperation, originOf } from "./operation-key.ts";
import { nameOf } from "./operation-name.ts";
import { ProcessPace } from "./pace.ts";
import type { Pace, PaceResult } from "./pace.ts";
import { Step } from "./step.ts";
import type { StepResult } from "./step.ts";
import { stepOutcomeOf } from "./step-outcome.ts";
import { isNewerState, parseStepState } from "./step-state.ts";
import type { ParsedStepState, StepState, UnclaimedRecord } from "./step-state.ts";

/** Options of a stepper. Durations are in milliseconds. */
export interface StepperOptions {
  /** The clients whose operations it polls. */
  readonly clients?: readonly Pick<LroClient, "parseResumeToken">[];
  /**
   * In place of `clients`: returns the operation of a token, whose format is checked. `undefined`, or an error, if this
   * process cannot poll it.
   */
  readonly resolveOperation?: (token: ResumeToken) => Operation | undefined | Promise<Operation | undefined>;
  /** Shares the rate of requests with other processes. Default: within this stepper. */
  readonly pace?: Pace;
  /** How long to retry while no process has a client for the operation; then the wait ends. Default 3 600 000. */
  readonly unclaimedTimeoutInMs?: number;
  /**
   * The log of errors, of unknown states that look terminal, and of polls and ends. Default: errors go to the console,
   * polls and ends to the log of the operation's client, as those of a poller do.
   */
  readonly logger?: PollLogger;
  /** For tests, and for engines with a clock of their own. Default: the system's. */
  readonly clock?: Clock;
}

/** Options of one step. */
export interface StepCallOptions {
  /** Aborts the request: the step rejects with the signal's reason, and can be made again. */
  readonly abortSignal?: AbortSignal | undefined;
  /**
   * Called right before each request. If it throws or rejects, the request is not sent, and the step rejects with the same
   * error: an earlier response of the step is lost.
   *
   * For an engine that gives a wait to another process after some time: a process that was suspended learns of it here,
   * before it polls what another has polled since. Default: none.
   */
  readonly beforePoll?: (() => void | Promise<void>) | undefined;
  /** The engine's id of the wait, for logs and traces. Default: none. */
  readonly jobId?: string | undefined;
}

/** Makes the steps of waits. It holds no state of a wait. */
export interface Stepper {
  /**
   * Polls an operation once, if its next poll is due. The same state may be passed again, to any process: an early step
   * sends nothing.
   *
   * @param state - that of `firstState` or of the last step, possibly after JSON
   * @throws the reason of `abortSignal`; the error of `beforePoll`; `PollingError`, code `NewerState`, if a newer version
   * wrote the state: leave it for another process; `ContractError` or RangeError if the state was tampered with. All
   * other errors are outcomes, or lead to another step
   */
  step(state: unknown, options?: StepCallOptions): Promise<StepResult>;
}

/**
 * Creates a stepper, which makes the steps of waits that a durable engine keeps.
 *
 * @example
 * ```ts
 * const stepper = createStepper({ clients: [client] });
 * const result = await stepper.step(firstState(operation));
 * if (result.type === "again") console.log("save", result.state, "and make the next step in", result.delayInMs);
 * ```
 * @throws TypeError or RangeError that names the option that is wrong
 */
export function createStepper(options: StepperOptions): Stepper {
  return new EngineStepper(options);
}

type StepCall = StepCallOptions & { readonly abortSignal: AbortSignal };

type Resolver = (token: object) => Promise<ParsedResumeToken | undefined>;

class EngineStepper implements Stepper {
  readonly #isOfClient: boolean;
  readonly #resolve: Resolver;
  readonly #pace: Pace;
  readonly #unclaimedTimeoutInMs: number;
  readonly #logger: PollLogger;
  /** That of the options: without one, the lines of waits go to the log of their operation. */
  readonly #waitLogger: PollLogger | undefined;
  readonly #clock: Clock;
  /** The notices that were logged. */
  readonly #logged = new Set<string>();

  constructor(options: StepperOptions) {
    const { clock = systemClock, unclaimedTimeoutInMs = 3_600_000, logger = fallbackLogger } = options;
    this.#isOfClient = options.resolveOperation === undefined;
    this.#resolve = resolverOf(options);
    checkDuration("unclaimedTimeoutInMs", unclaimedTimeoutInMs, { allowInfinity: true });
    this.#pace = checkedPace(options.pace ?? new ProcessPace(clock));
    this.#unclaimedTimeoutInMs = unclaimedTimeoutInMs;
    this.#logger = logger;
    this.#waitLogger = options.logger;
    this.#clock = clock;
  }

  async step(value: unknown, options: StepCallOptions = {}): Promise<StepResult> {
    const { abortSignal = never(), beforePoll } = options;
    checkSignal(abortSignal);
    if (beforePoll !== undefined) checkFunction("beforePoll", beforePoll);
    abortSignal.throwIfAborted();
    if (isNewerState(value)) throw newerState();
    const parsed = parseStepState(value, this.#isOfClient);
    const result = await this.#stepIfDue(parsed, { ...options, abortSignal });
    return result.type === "again" ? { ...result, state: parsed.withNewerFields(result.state) } : result;
  }

  async #stepIfDue({ state: parsed }: ParsedStepState, call: StepCall): Promise<StepResult> {
    const state: StepState = { ...parsed, token: parseToken({ ...parsed.token }) };
    const earlyInMs = this.#earlyInMs(state);
    if (earlyInMs <= 0) return this.#stepNow(state, call);
    if (!(await this.#isLifted(state))) return this.#notYet(state, earlyInMs);
    const token = { ...state.token, notBefore: undefined };
    const waitedInMs = Math.max(0, (state.waitedInMs ?? 0) - earlyInMs);
    return this.#stepNow({ ...state, token, ...this.#dueNow(), isReserved: undefined, waitedInMs }, call);
  }

  async #stepNow(state: StepState, call: StepCall): Promise<StepResult> {
    const resolved = await unlessAborted(this.#resolved(state.token), call.abortSignal);
    if ("error" in resolved) return this.#unclaimed(state, resolved.error);
    const { token, operation } = resolved;
    return this.#stepWith({ ...state, token, unclaimed: undefined }, operation, call);
  }

  async #stepWith(
    state: StepState,
    operation: Operation,
    { abortSignal, beforePoll, jobId }: StepCall,
  ): Promise<StepResult> {
    const origin = originOf(state.token);
    const turnInMs = await unlessAborted(this.#turnInMs(origin, this.#isReserved(state)), abortSignal);
    const step = new Step(state, operation, {
      clock: this.#clock,
      jobId,
      beforePoll,
      logger: this.#waitLogger,
      learn: (result) => this.#learn(origin, result),
      stretch: (pollCostInMs) => this.#stretch(origin, pollCostInMs),
    });
    if (turnInMs > 0 && step.leftInMs === 0) return step.stop("timedOut");
    if (turnInMs > 0) return this.#waitForTurn(state, Math.min(turnInMs, step.leftInMs), step.idleInMs);
    const result = await step.perform(abortSignal);
    if (result.progress) this.#logNotices(operation.id, result.progress.operation);
    return result;
  }

  /** A clock that is behind that of the last step could not tell when the delay is over: it starts again, once. */
  #earlyInMs({ dueAt, delayInMs }: StepState): number {
    const leftInMs = dueAt - this.#clock.timestamp();
    return Math.min(leftInMs, delayInMs);
  }

  #notYet(state: StepState, delayInMs: number): StepResult {
    const dueAt = Math.min(state.dueAt, Math.ceil(this.#clock.timestamp() + delayInMs));
    return { type: "again", state: { ...state, dueAt }, delayInMs: Math.ceil(delayInMs), dueAt };
  }

  #waitForTurn(state: StepState, turnInMs: number, idleInMs: number): StepResult {
    return this.#again({ ...state, isReserved: true, waitedInMs: idleInMs + turnInMs }, turnInMs);
  }

  #dueNow(): Pick<StepState, "dueAt" | "delayInMs"> {
    return dueIn(0, this.#clock.timestamp());
  }

  /** Returns whether the pause that the step waits for was lifted: that of its origin, or the Retry-After of its own failure. */
  async #isLifted({ token, isReserved, outage, dueAt, delayInMs }: StepState): Promise<boolean> {
    const isPaused = isReserved === true || outage !== undefined;
    if (!isPaused || this.#pace.liftedAt === undefined) return false;
    const origin = originOf(token);
    try {
      return dueAt - delayInMs <= (await this.#pace.liftedAt(origin));
    } catch (error) {
      this.#report(`The pace of ${origin}`, error);
      return false;
    }
  }

  #again(state: StepState, delayInMs: number): StepResult {
    const due = dueIn(delayInMs, this.#clock.timestamp());
    return { type: "again", state: { ...state, ...due }, ...due };
  }

  async #resolved(token: object): Promise<ParsedResumeToken | { readonly error: unknown }> {
    try {
      return (await this.#resolve(token)) ?? { error: new TypeError("no client of this process polls it") };
    } catch (error) {
      if (error instanceof ContractError) throw error;
      return { error };
    }
  }

  /** Another process may have a client for it: in a rolling deployment some have those of the new version only. */
  #unclaimed(state: StepState, error: unknown): StepResult {
    const now = this.#clock.timestamp();
    const { since, count }: UnclaimedRecord = state.unclaimed ?? { since: now, count: 0 };
    const { deadline = Infinity } = state.token;
    if (now >= deadline) return endedUnclaimed(state, error, "timedOut", now);
    if (now - since >= this.#unclaimedTimeoutInMs) return endedUnclaimed(state, error, "pollingFailed", now);
    this.#warnOnce(
      `No client of this process polls operations at ${originOf(state.token)}: ${messageOf(error)}`,
    );
    const delayInMs = Math.min(minUnclaimedDelayInMs * 2 ** count, maxUnclaimedDelayInMs, deadline - now);
    // No poll could be made since the step was due, so none failed.
    const waitedInMs = (state.waitedInMs ?? 0) + Math.max(0, now - state.dueAt) + delayInMs;
    return this.#again(
      { ...state, isReserved: undefined, waitedInMs, unclaimed: { since, count: count + 1 } },
      delayInMs,
    );
  }

  /** After an outage of all processes, turns of long ago would all be taken at once. */
  #isReserved({ isReserved, dueAt }: StepState): boolean {
    return isReserved === true && this.#clock.timestamp() - dueAt <= maxReservationAgeInMs;
  }

  async #turnInMs(origin: string, isReserved: boolean): Promise<number> {
    try {
      return checkedTurn(await this.#pace.turn({ origin, isReserved }));
    } catch (error) {
      // A poll too many is better than a wait that stops because its pace cannot be reached.
      this.#report(`The pace of ${origin}`, error);
      return 0;
    }
  }

  async #learn(origin: string, result: PaceResult): Promise<void> {
    try {
      await this.#pace.learn(origin, result);
    } catch (error) {
      this.#report(`The pace of ${origin}`, error);
    }
  }

  #stretch(origin: string, pollCostInMs: number): number {
    const stretch = isolate(() => this.#pace.stretch?.(origin, pollCostInMs)) ?? 1;
    // A wait whose state holds no number could not go on.
    return stretch >= 1 && stretch < Infinity ? stretch : 1;
  }

  #logNotices(operationId: string, status: OperationStatus): void {
    for (const { level, message } of newNoticesOf(status, () => this.#logged))
      isolate(() => this.#logger[level](`Operation ${operationId}: ${message}`));
  }

  #warnOnce(message: string): void {
    if (this.#logged.has(message) || this.#logged.size >= maxWarnings) return;
    this.#logged.add(message);
    isolate(() => this.#logger.warning(message));
  }

  #report(source: string, error: unknown): void {
    isolate(() => this.#logger.error(`${source}: ${messageOf(error)}`));
  }
}

/** A tampered store must not fill the log. */
const maxWarnings = 50;
const maxReservationAgeInMs = 60_000;
/** Short: which process gets it next is chance, and to hand it on costs no request of the service. */
const minUnclaimedDelayInMs = 500;
const maxUnclaimedDelayInMs = 5000;

function endedUnclaimed(
  { token, responseCounts }: StepState,
  error: unknown,
  reason: StopReason,
  now: number,
): StepResult {
  const { startedAt, pollCount, failedPollCount, status, percentComplete } = token;
  const id = nameOf(token);
  const latest = status === undefined ? undefined : { id, name: id, status, percentComplete };
  const message = `no process had a client for it: ${messageOf(error)}`;
  const failure = new RequestError(message, { kind: "permanent", code: "NoClient", cause: error });
  const outcome = stepOutcomeOf({
    reason,
    operationId: id,
    elapsedInMs: Math.max(0, now - startedAt),
    state: {
      ...initialState,
      latest,
      status,
      percentComplete,
      pollCount,
      failedPollCount,
      responseCounts,
      failure,
    },
    resumeToken: () => JSON.stringify(token),
  });
  return { type: "ended", outcome };
}

function never(): AbortSignal {
  return new AbortController().signal;
}

function newerState(): PollingError {
  const message =
    "The state was written by a newer version of lro-poller. Leave it for a process of that version, or update this one.";
  return new PollingError(message, "NewerState");
}

function resolverOf({ clients, resolveOperation }: StepperOptions): Resolver {
  if ((clients === undefined) === (resolveOperation === undefined)) {
    throw new TypeError("clients: expected either clients or resolveOperation, got both or neither");
  }
  if (resolveOperation === undefined) {
    checkClients(clients);
    return async (token) => resolveBy(clients, token);
  }
  checkFunction("resolveOperation", resolveOperation);
  return async (value) => {
    const token = parseToken({ ...value });
    const operation: unknown = await resolveOperation(token);
    if (operation === undefined) return undefined;
    if (isOperation(operation)) return { token, operation };
    throw new TypeError("resolveOperation: expected an operation with getStatus and toJSON, got none");
  };
}

type TokenParser = Pick<LroClient, "parseResumeToken">;

function checkClients(clients: unknown): asserts clients is readonly TokenParser[] {
  const isClient = (client: unknown): boolean =>
    isObject(client) && typeof client["parseResumeToken"] === "function";
  if (Array.isArray(clients) && clients.length > 0 && clients.every(isClient)) return;
  throw new TypeError("clients: expected an array of at least one LroClient, got something else");
}

/** Finds the client of an operation: the others throw RangeError. */
function resolveBy(clients: readonly TokenParser[], token: object): ParsedResumeToken {
  const errors: unknown[] = [];
  for (const client of clients) {
    try {
      return client.parseResumeToken(token);
    } catch (error) {
      if (error instanceof ContractError) throw error;
      errors.push(error);
    }
  }
  throw errors[0];
}

/** A Retry-After lasts a day at most, and so does a turn. */
const maxTurnInMs = 86_400_000;

/** Some drivers return numbers as text, and a state that holds no number is rejected by the next step. */
function checkedTurn(turnInMs: unknown): number {
  if (typeof turnInMs === "number" && turnInMs >= 0) return Math.min(turnInMs, maxTurnInMs);
  throw new TypeError(`turn: expected a non-negative number of milliseconds, got ${describeValue(turnInMs)}`);
}

function checkedPace(pace: Pace): Pace {
  for (const name of ["turn", "learn"] as const) checkFunction(`pace.${name}`, pace[name]);
  return pace;
}
