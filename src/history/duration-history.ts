import { logger } from "../azure/telemetry/logger.ts";
import type { StartOperationOptions } from "../azure/lro/start-operation.ts";
import { systemClock } from "../clock.ts";
import { pollUntilDone } from "../poller/poller.ts";
import { messageOf } from "../operation/errors.ts";
import { isObject } from "../operation/json-fields.ts";
import { Listeners } from "../poller/listeners.ts";
import type { Operation } from "../operation/operation.ts";
import type { PollOptions } from "../poller/options.ts";
import { checkPastDuration } from "../schedule/past-durations.ts";
import type { PastDuration } from "../schedule/past-durations.ts";
import { checkPositiveInteger } from "../validate.ts";
import { isDamage, parseDurations, textOf, withDuration } from "./durations.ts";
import type { Bounds, Durations } from "./durations.ts";
import { FileStore } from "./file-store.ts";
import { StoreInTime, inTime } from "./store-in-time.ts";
import type { DurationStore } from "./store.ts";
import { recordingOptions } from "./watched-options.ts";
import type { OperationKind } from "./watched-options.ts";

/** Options of {@link durationHistory}. */
export interface DurationHistoryOptions {
  /** How many durations of each kind are kept, the newest. Default 100. */
  readonly maxDurationsPerKind?: number;
  /** How many kinds are kept, those that were recorded last. Default 200. */
  readonly maxKinds?: number;
  /** Called with a message after a failure, and for a damaged file. Default: logs it with `@azure/logger`. */
  readonly onWarning?: (message: string) => unknown;
}

/** Past durations of operations by kind, kept from one process to the next. */
export interface DurationHistory {
  /**
   * Returns options for one wait: the given ones and the past durations of the kind. When the operation succeeds or
   * fails, its duration is recorded. When the wait ends before, by a timeout, an abort or failed polls, its time is recorded
   * as "at least so long"; not so after a crash. If the store fails or has not responded after 10 s, however many waits there are, a
   * warning says so; nothing rejects.
   * In the five minutes after that, waits do not call the store.
   *
   * The duration is the time from `startTime` to `endTime` of the service. Without these it is the time of the wait, if
   * the operation started during the wait: by `startOperation` and the like, or `NotStarted` at the first poll. Not
   * recorded are operations that were canceled or already terminal at the first poll.
   *
   * If a function determines the kind, past durations apply from the second interval on.
   *
   * @throws TypeError if the kind is not a string of 1 to 256 characters or a function
   */
  options<P>(kind: OperationKind, options?: StartOperationOptions<P>): Promise<StartOperationOptions<P>>;
  /**
   * Calls {@link DurationHistory.options} and `pollUntilDone`. The result does not wait for the store: before
   * `process.exit()` await {@link DurationHistory.settled}.
   */
  pollUntilDone<P>(kind: OperationKind, operation: Operation<P>, options?: PollOptions<P>): Promise<P>;
  /**
   * Returns the durations of the kind in milliseconds, the newest last, in the form of `pastDurationsInMs`.
   *
   * @throws what the store's `read` throws
   */
  pastDurations(kind: string): Promise<readonly PastDuration[]>;
  /**
   * Adds a duration in milliseconds to those of the kind. `{ failedAfterInMs }` is one of an operation that failed,
   * `{ atLeastInMs }` one of an operation that still runs.
   *
   * @throws TypeError if the kind is not 1 to 256 characters; RangeError if the duration is not 1 to 1e12; what the
   * store throws
   */
  record(kind: string, duration: PastDuration): Promise<void>;
  /** Resolves when all durations are written. Await it before `process.exit()`. */
  settled(): Promise<void>;
}

/**
 * Creates a history of how long operations took.
 *
 * The file is always whole, even if a process dies while it writes. Processes that record at the same time wait for each
 * other, by a file `….lock` beside it, and lose nothing. If a process dies or stops while it holds the lock, others take
 * over after 5 s; then one of two durations may be lost. A damaged file is renamed to `….damaged-<time>` and replaced. A
 * file of a later release is left alone.
 *
 * @example
 * ```ts
 * const history = durationHistory("durations.json");
 * await history.pollUntilDone("createDevBox/my-pool", client.operation("my-project", operationId));
 * ```
 * @param pathOrStore - a file's path, in Node 22.3 or newer, or any other store
 * @throws TypeError or RangeError that names the argument
 */
export function durationHistory(
  pathOrStore: string | DurationStore,
  options: DurationHistoryOptions = {},
): DurationHistory {
  const { maxDurationsPerKind = 100, maxKinds = 200, onWarning = logger.warning } = options;
  checkPositiveInteger("maxDurationsPerKind", maxDurationsPerKind);
  checkPositiveInteger("maxKinds", maxKinds);
  checkPathOrStore(pathOrStore);
  const store = typeof pathOrStore === "string" ? new FileStore(pathOrStore) : pathOrStore;
  return new StoredHistory(store, { maxDurationsPerKind, maxKinds }, onWarning);
}

function checkPathOrStore(value: unknown): void {
  if (isStore(value) || (typeof value === "string" && value !== "")) return;
  const got = value === "" ? "an empty string" : typeof value;
  throw new TypeError(`pathOrStore: expected a path, or a store with read() and write(), got ${got}`);
}

function isStore(value: unknown): boolean {
  return isObject(value) && typeof value["read"] === "function" && typeof value["write"] === "function";
}

class StoredHistory implements DurationHistory {
  readonly #store: StoreInTime;
  readonly #bounds: Bounds;
  readonly #warnings: Listeners<string>;
  /** The latest access to the store: each waits for the one before. */
  #latest: Promise<unknown> = Promise.resolve();
  /** The latest access, if it reads for a wait. */
  #reading: Promise<Durations> | undefined;
  #parsed: { readonly text: string; readonly durations: Durations } | undefined;

  constructor(store: DurationStore, bounds: Bounds, onWarning: (message: string) => unknown) {
    this.#store = new StoreInTime(store);
    this.#bounds = bounds;
    this.#warnings = new Listeners(logger, onWarning);
  }

  async options<P>(
    kind: OperationKind,
    options: StartOperationOptions<P> = {},
  ): Promise<StartOperationOptions<P>> {
    if (typeof kind !== "function") checkKind(kind);
    const known = await inTime(systemClock, "the store", this.#read()).catch((error: unknown): Durations => {
      this.#warnings.notify(`The past durations cannot be read: ${messageOf(error)}`);
      return new Map();
    });
    return recordingOptions(kind, options, {
      pastDurationsOf: (name) => known.get(name) ?? [],
      add: (name, duration) => void this.#recordOrWarn(name, duration),
      warn: (message) => this.#warnings.notify(message),
    });
  }

  async pollUntilDone<P>(
    kind: OperationKind,
    operation: Operation<P>,
    options: PollOptions<P> = {},
  ): Promise<P> {
    return pollUntilDone(operation, await this.options(kind, options));
  }

  async pastDurations(kind: string): Promise<readonly PastDuration[]> {
    checkKind(kind);
    const durations = await this.#inTurn(() => this.#load());
    return durations.get(kind) ?? [];
  }

  async record(kind: string, duration: PastDuration): Promise<void> {
    checkKind(kind);
    checkPastDuration("duration", duration);
    await this.#inTurn(() => this.#add(kind, duration));
  }

  async settled(): Promise<void> {
    await this.#latest;
  }

  async #recordOrWarn(kind: string, duration: PastDuration): Promise<void> {
    try {
      checkKind(kind);
      await this.#inTurnOfWait(() => this.#add(kind, duration));
    } catch (error) {
      const name = JSON.stringify(kind);
      this.#warnings.notify(`The duration of operation kind ${name} was not recorded: ${messageOf(error)}`);
    }
  }

  #add(kind: string, duration: PastDuration): Promise<void> {
    return this.#store.exclusively(async () => {
      const durations = withDuration(await this.#loadOrReset(), kind, duration, this.#bounds);
      await this.#store.write(textOf(durations));
    });
  }

  /** Reads for a wait. Waits that start together share a call: each in its turn would delay the last by all of them. */
  #read(): Promise<Durations> {
    if (this.#reading) return this.#reading;
    const reading = this.#inTurnOfWait(() => this.#load()).finally(() => {
      if (this.#reading === reading) this.#reading = undefined;
    });
    this.#reading = reading;
    return reading;
  }

  /** A wait goes on without its store: one that hangs must not delay many waits, one after the other. */
  #inTurnOfWait<T>(action: () => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      this.#store.checkHealth();
      return action();
    });
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    // Reads from now on have the result of this action.
    this.#reading = undefined;
    const result = this.#latest.then(action);
    this.#latest = result.catch(() => {});
    return result;
  }

  async #load(): Promise<Durations> {
    try {
      return this.#parse(await this.#store.read());
    } catch (error) {
      if (!isDamage(error)) throw error;
      // Another process may have replaced it by now.
      return this.#store.exclusively(() => this.#loadOrReset());
    }
  }

  /** A full file takes more time to parse than all else before a wait, and rarely changes between two waits. */
  #parse(text = ""): Durations {
    if (this.#parsed?.text !== text) this.#parsed = { text, durations: parse(text) };
    return this.#parsed.durations;
  }

  async #loadOrReset(): Promise<Durations> {
    const text = await this.#store.read();
    try {
      return this.#parse(text);
    } catch (error) {
      if (!isDamage(error)) throw error;
      const place = await this.#store.setAside();
      const whatNow = place === undefined ? "the next write replaces them" : `they are now in ${place}`;
      this.#warnings.notify(`The past durations are damaged (${error.message}); ${whatNow}.`);
      return new Map();
    }
  }
}

function parse(text: string): Durations {
  // trim() also removes a byte order mark, which editors may put first and JSON does not allow.
  const content = text.trim();
  return content === "" ? new Map() : parseDurations(content);
}

const maxKindLength = 256;

function checkKind(kind: string): void {
  if (typeof kind === "string" && kind !== "" && kind.length <= maxKindLength) return;
  const got = typeof kind === "string" ? `${kind.length} characters` : typeof kind;
  throw new TypeError(`kind: expected 1 to ${maxKindLength} characters, got ${got}`);
}
