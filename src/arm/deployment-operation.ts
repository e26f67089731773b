import { logger } from "../azure/telemetry/logger.ts";
import { systemClock } from "../clock.ts";
import type { Clock } from "../clock.ts";
import type { Limiter } from "../operation/limiter.ts";
import type {
  GetStatusOptions,
  Operation,
  PollLogger,
  PollerObserver,
  PollerSnapshot,
  StatusResponse,
  TracingOptions,
} from "../operation/operation.ts";
import { isTerminal, keyOfWord } from "../operation/status.ts";
import type { OperationStatus, StatusFields, TerminalState, TerminalStates } from "../operation/status.ts";
import { withFailedParts } from "./failed-parts.ts";
import { leavesOf, treeOf } from "./parts.ts";
import type { PartsState } from "./parts.ts";
import { PartsReader } from "./parts-reader.ts";
import type { ReadList } from "./parts-reader.ts";
import { progressOfParts } from "./percentage.ts";
import type { PartsProgress } from "./percentage.ts";
import type { DurationsOfTypes } from "./reading-plan.ts";
import { inTurn } from "./turn.ts";

/** The status of a deployment, with its parts. */
export interface DeploymentStatus<P = unknown> extends OperationStatus<P> {
  /** The reason why the parts could not be read; absent while they can. The wait continues without them. */
  readonly partsError?: { readonly code: string; readonly message: string } | undefined;
}

/** The facts in a response of the deployment itself. */
export interface DeploymentFacts {
  /** The start of the run, by the service's clock, in milliseconds since 1970. */
  readonly startedAt?: number | undefined;
  /** The last change of its state, by the service's clock, in milliseconds since 1970. */
  readonly changedAt?: number | undefined;
  /** Ids of parts that wait for others, and of those. */
  readonly waitingIds?: readonly string[] | undefined;
  /** When the response was sent, by the service's clock. */
  readonly sentAt?: number | undefined;
}

/** The parts of a {@link DeploymentOperation}. */
interface DeploymentOperationParts<P> {
  /** The deployment alone: how it is polled, and how its result is made. */
  readonly inner: Operation<P>;
  readonly id: string;
  readonly name: string;
  readonly readList: ReadList;
  /** Ids of all resources, where the caller knows them. */
  readonly expectedIds?: readonly string[] | undefined;
  /** Past durations by resource type. */
  readonly past: PastOfTypes;
  /** The client whose other operations may be this one; `undefined` where the caller has options of its own. */
  readonly sharedBy: object | undefined;
  /** Fields of the token beside those of the polling location. */
  readonly tokenFields: () => object;
}

/** The past durations of each resource type, and the place where those of this run go. */
export interface PastOfTypes {
  readonly durations: DurationsOfTypes;
  /** Takes the durations of this run's parts, once, at its end. */
  record(durations: DurationsOfTypes): void;
}

/** The delays of early polls after the end that a list has shown. */
const earlyPollsInMs = [0, 2000, 4000, 8000];

/**
 * A deployment: its own status decides the end. Lists of its operations are requested beside the polls, while a listener
 * follows the progress, and after a failure.
 */
export class DeploymentOperation<P> implements Operation<P> {
  readonly id: string;
  readonly logger: PollLogger;
  readonly #parts: DeploymentOperationParts<P>;
  readonly #reader: PartsReader;
  #clock: Clock = systemClock;
  #percentage = 0;
  #isRecorded = false;
  #isWatched = false;
  #hasTriedToFinish = false;
  /** The terminal response, for the next poll of the poller: that of an early poll, or one that was reported before its last parts. */
  #known: { readonly response: StatusResponse<P>; readonly wasTold: boolean } | undefined;
  #earlyPoll: AbortController | undefined;
  #earlyPolls = 0;
  /** The end that the early polls are about, by the service's clock. */
  #hintedEndAt: number | undefined;
  #cancelEarlyPoll: (() => void) | undefined;
  /** The end of the last response's Retry-After. */
  #notBefore = -Infinity;
  /** The start and the last change of the run, by the service's clock. */
  #startedAt: number | undefined;
  #changedAt: number | undefined;

  constructor(parts: DeploymentOperationParts<P>) {
    this.#parts = parts;
    this.id = parts.id;
    this.logger = parts.inner.logger ?? logger;
    const { readList, expectedIds, past } = parts;
    this.#reader = new PartsReader({
      rootId: parts.id,
      readList,
      expectedIds,
      past: past.durations,
    });
  }

  get initialRequest(): Promise<unknown> | undefined {
    return this.#parts.inner.initialRequest;
  }

  get needsNoRequest(): boolean {
    return this.#known !== undefined || this.#parts.inner.needsNoRequest === true;
  }

  get cancel(): Operation<P>["cancel"] {
    const { inner } = this.#parts;
    return inner.cancel?.bind(inner);
  }

  limiterFor(clock: Clock): Limiter | undefined {
    this.#clock = clock;
    return this.#parts.inner.limiterFor?.(clock);
  }

  observe(snapshot: PollerSnapshot, tracingOptions?: TracingOptions): PollerObserver | undefined {
    return this.#parts.inner.observe?.(snapshot, tracingOptions);
  }

  isSameAs(other: Operation): boolean {
    if (!(other instanceof DeploymentOperation)) return false;
    const { sharedBy } = this.#parts;
    const isStarting = (this.initialRequest ?? other.initialRequest) !== undefined;
    if (sharedBy === undefined || sharedBy !== other.#parts.sharedBy || isStarting) return false;
    // The start is known after the first response only.
    return JSON.stringify(other.#parts.inner) === JSON.stringify(this.#parts.inner);
  }

  toJSON(): object {
    return { ...this.#parts.inner.toJSON(), ...this.#parts.tokenFields() };
  }

  onAbandoned(): void {
    this.#stopEarlyPolls();
    this.#known = undefined;
    this.#hasTriedToFinish = false;
    this.#reader.stop();
  }

  /** Takes the facts of a response beside the status. */
  note(facts: DeploymentFacts): void {
    this.#startedAt = facts.startedAt ?? this.#startedAt;
    this.#changedAt = facts.changedAt ?? this.#changedAt;
    this.#reader.synchronize(this.#clock, facts.sentAt);
    this.#reader.note(facts);
  }

  async getStatus(options: GetStatusOptions): Promise<StatusResponse<P>> {
    this.#stopEarlyPolls();
    this.#isWatched = options.onUpdate !== undefined;
    const known = this.#known;
    this.#known = undefined;
    const response = known?.response ?? (await this.#poll(options));
    const { status } = response.status;
    if (!isTerminal(status)) this.#watch(options);
    else if (!response.isResultPending) {
      // The caller learns of the end at once; the next poll brings the last parts.
      if (!known?.wasTold && this.#isWatched && !this.#reader.isComplete) {
        this.#known = { response, wasTold: true };
        this.#reader.end(status);
        const untold = { ...response.status, properties: undefined };
        return { ...response, isResultPending: true, status: this.#withParts(untold) };
      }
      await this.#finish(status, options);
    }
    return { ...response, status: this.#withParts(response.status) };
  }

  #poll(options: GetStatusOptions): Promise<StatusResponse<P>> {
    const terminalStates = withDeleted(options.terminalStates);
    return this.#parts.inner.getStatus({ ...options, terminalStates }).then((response) => {
      this.#notBefore = this.#clock.now() + (response.retryAfterInMs ?? 0);
      return response;
    });
  }

  #watch(options: GetStatusOptions): void {
    if (!this.#isWatched) return this.#reader.stop();
    this.#reader.watch(this.#clock, () => {
      options.onUpdate?.(this.#fieldsOfParts());
      this.#pollEarly(options);
    });
  }

  /** Polls beside the poller where a list shows the end, so that no planned poll moves. */
  #pollEarly(options: GetStatusOptions): void {
    const { endsInMs, endsAt } = this.#reader;
    if (endsAt !== this.#hintedEndAt) this.#earlyPolls = 0;
    this.#hintedEndAt = endsAt;
    const delayInMs = earlyPollsInMs[this.#earlyPolls];
    if (endsInMs === undefined || delayInMs === undefined) return;
    if (this.#earlyPoll !== undefined || this.#cancelEarlyPoll !== undefined) return;
    this.#earlyPolls++;
    const leftInMs = Math.max(endsInMs + delayInMs, this.#notBefore - this.#clock.now());
    this.#cancelEarlyPoll = this.#clock.setTimer(() => {
      this.#cancelEarlyPoll = undefined;
      void this.#sendEarlyPoll(options);
    }, leftInMs);
  }

  async #sendEarlyPoll(options: GetStatusOptions): Promise<void> {
    const controller = new AbortController();
    this.#earlyPoll = controller;
    const { signal: abortSignal } = controller;
    const limiter = this.#parts.inner.limiterFor?.(this.#clock);
    const response = await inTurn(limiter, abortSignal, () => this.#poll({ ...options, abortSignal })).catch(
      () => undefined,
    );
    if (abortSignal.aborted) return;
    this.#earlyPoll = undefined;
    if (response !== undefined && isTerminal(response.status.status)) {
      this.#known = { response, wasTold: false };
      options.onUpdate?.({ status: response.status.status });
    } else this.#pollEarly(options);
  }

  #stopEarlyPolls(): void {
    this.#cancelEarlyPoll?.();
    this.#cancelEarlyPoll = undefined;
    this.#earlyPoll?.abort();
    this.#earlyPoll = undefined;
  }

  async #finish(status: TerminalState, { abortSignal }: GetStatusOptions): Promise<void> {
    // A poll that has no time for the last lists is made again, and then does without them.
    if (this.#hasTriedToFinish) this.#reader.end(status);
    else {
      this.#hasTriedToFinish = true;
      await this.#reader.finish(status, this.#isWatched, abortSignal);
    }
    if (this.#isRecorded || status === "Canceled") return;
    this.#isRecorded = true;
    const durations = durationsOf(this.#reader.state);
    if (durations.size > 0) this.#parts.past.record(durations);
  }

  #fieldsOfParts(): PartsFields {
    const { state, error, hasRead, serviceNow } = this.#reader;
    const partsError = error && { code: error.code, message: error.message };
    if (!hasRead) return { partsError };
    const progress = progressOfParts(state, serviceNow, this.#parts.past.durations, this.#percentage);
    this.#percentage = progress.percentComplete ?? this.#percentage;
    return { parts: treeOf(state), ...progress, partsError };
  }

  #withParts(status: OperationStatus<P>): OperationStatus<P> {
    const fields = this.#fieldsOfParts();
    const { id, name } = this.#parts;
    const error =
      status.status === "Failed" ? withFailedParts(status.error, fields.parts ?? []) : status.error;
    return { ...status, ...this.#timesOf(status), id, name, error, ...fields };
  }

  /** Only of a deployment that is over: until then its schedule is that of any wait. */
  #timesOf({ status }: OperationStatus<P>): Pick<StatusFields, "startTime" | "endTime"> {
    const [start, end] = [this.#startedAt, this.#changedAt];
    if (!isTerminal(status) || start === undefined || end === undefined) return {};
    return { startTime: new Date(start), endTime: new Date(end) };
  }
}

type PartsFields = Partial<PartsProgress> & Pick<DeploymentStatus, "parts" | "partsError">;

/** A deployment whose record was deleted while it ran has no other end. */
function withDeleted(terminalStates: TerminalStates = {}): TerminalStates {
  return { ...terminalStates, canceled: [...(terminalStates.canceled ?? []), "Deleted"] };
}

/** Returns the durations of the parts that succeeded, by their types. */
function durationsOf(state: PartsState): DurationsOfTypes {
  const durations = new Map<string, readonly number[]>();
  for (const { row } of leavesOf(state)) {
    const { durationInMs, status, type } = row;
    if (status !== "Succeeded" || durationInMs === undefined || durationInMs < 1) continue;
    const key = keyOfWord(type);
    durations.set(key, [...(durations.get(key) ?? []), durationInMs]);
  }
  return durations;
}
