import { logger } from "../azure/telemetry/logger.ts";
import type { StartOperationOptions } from "../azure/lro/start-operation.ts";
import { pollUntilDone } from "../poller/poller.ts";
import { ContractError, messageOf } from "../operation/errors.ts";
import { Listeners } from "../poller/listeners.ts";
import type { Operation } from "../operation/operation.ts";
import type { PollOptions } from "../poller/options.ts";
import {
  isOfLaterVersion,
  isPlausible,
  parseDurations,
  plausibleDuration,
  textOf,
  withDuration,
} from "./durations.ts";
import type { Bounds, Durations } from "./durations.ts";
import { FileStore } from "./file-store.ts";
import { StoreInTime } from "./store-in-time.ts";
import type { DurationStore } from "./store.ts";
import { recordingOptions } from "./watched-options.ts";
import type { OperationKind } from "./watched-options.ts";

/** How much a {@link DurationHistory} keeps, and whom it tells of trouble. */
export interface DurationHistoryOptions {
  /** The newest durations that are kept of each kind. Default 100. */
  readonly maxDurationsPerKind?: number;
  /** The kinds that are kept: those that were recorded last. Default 200. */
  readonly maxKinds?: number;
  /** Told of what did not work, and of damage. Default: a line in the log of `@azure/logger`. */
  readonly onWarning?: (message: string) => unknown;
}

/** How long operations took, by kind, kept from one process to the next. */
export interface DurationHistory {
  /**
   * Options for one wait, these and more: what the kind took so far goes into them, and what this operation takes
   * is recorded when it has succeeded or failed. Never rejects for the store's sake: trouble becomes a warning, and
   * so does a store that takes longer than 10 s.
   *
   * The service's `startTime` and `endTime` say how long it took. Where they are missing, the wait's own time does,
   * if the operation began before its eyes: by `startOperation` and its kin, or `NotStarted` at the first read.
   * Not recorded are operations that were canceled, or over at the first read, and waits that ended before the
   * operation did.
   *
   * Where a function finds the kind, the wait after the first read knows nothing of it yet.
   *
   * @throws TypeError when the kind is none
   */
  options<P>(kind: OperationKind, options?: StartOperationOptions<P>): Promise<StartOperationOptions<P>>;
  /** {@link DurationHistory.options}, `pollUntilDone` and {@link DurationHistory.settled} in one call. */
  pollUntilDone<P>(kind: OperationKind, operation: Operation<P>, options?: PollOptions<P>): Promise<P>;
  /**
   * What operations of the kind took, in milliseconds, the newest last.
   *
   * @throws what the store's `read` throws
   */
  pastDurations(kind: string): Promise<readonly number[]>;
  /**
   * Adds a duration to those of its kind.
   *
   * @throws TypeError when the kind is none, RangeError when the duration is not 1 to 1e12; what the store throws
   */
  record(kind: string, durationInMs: number): Promise<void>;
  /** Resolves when everything that is to be recorded is written: before `process.exit()`. */
  settled(): Promise<void>;
}

/**
 * Remembers how long operations took.
 *
 * A file is always whole, whoever writes to it and whenever one of them dies. Processes that record at the same time
 * wait for each other, by a file `….lock` beside it, and lose nothing. Where one dies or stops while it holds the
 * lock, others take over after 5 s; at that moment one of two durations may be lost. A damaged file is renamed to
 * `….damaged-<time>`, and a new one begun; one that a later release wrote is left alone.
 *
 * @param pathOrStore - a file's path, in Node 22.3 or newer, or any other place
 * @throws TypeError or RangeError that names what is wrong
 */
export function durationHistory(
  pathOrStore: string | DurationStore,
  options: DurationHistoryOptions = {},
): DurationHistory {
  const { maxDurationsPerKind = 100, maxKinds = 200, onWarning = warnInLog } = options;
  for (const [name, value] of Object.entries({ maxDurationsPerKind, maxKinds })) {
    if (Number.isInteger(value) && value > 0) continue;
    throw new RangeError(`${name}: expected a whole number above 0, got ${String(value)}`);
  }
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
  if (typeof value !== "object" || value === null || !("read" in value && "write" in value)) return false;
  return typeof value.read === "function" && typeof value.write === "function";
}

function warnInLog(message: string): void {
  logger.warning(message);
}

class StoredHistory implements DurationHistory {
  readonly #store: StoreInTime;
  readonly #bounds: Bounds;
  readonly #warnings: Listeners<string>;
  /** What was asked for last: one thing at a time. */
  #latest: Promise<unknown> = Promise.resolve();

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
    const known = await this.#inTurn(() => this.#load()).catch((error: unknown): Durations => {
      this.#warnings.notify(`The durations of earlier operations cannot be read: ${messageOf(error)}`);
      return new Map();
    });
    return recordingOptions(kind, options, {
      pastOf: (name) => known.get(name) ?? [],
      add: (name, durationInMs) => void this.#recordOrWarn(name, durationInMs),
      warn: (message) => this.#warnings.notify(message),
    });
  }

  async pollUntilDone<P>(
    kind: OperationKind,
    operation: Operation<P>,
    options: PollOptions<P> = {},
  ): Promise<P> {
    try {
      return await pollUntilDone(operation, await this.options(kind, options));
    } finally {
      await this.settled();
    }
  }

  async pastDurations(kind: string): Promise<readonly number[]> {
    checkKind(kind);
    const durations = await this.#inTurn(() => this.#load());
    return durations.get(kind) ?? [];
  }

  async record(kind: string, durationInMs: number): Promise<void> {
    checkKind(kind);
    checkPlausible(durationInMs);
    await this.#inTurn(() =>
      this.#store.exclusively(async () => {
        const durations = withDuration(await this.#loadOrBegin(), kind, durationInMs, this.#bounds);
        await this.#store.write(textOf(durations));
      }),
    );
  }

  async settled(): Promise<void> {
    await this.#latest;
  }

  async #recordOrWarn(kind: string, durationInMs: number): Promise<void> {
    try {
      await this.record(kind, durationInMs);
    } catch (error) {
      this.#warnings.notify(`The duration of an operation was not recorded: ${messageOf(error)}`);
    }
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#latest.then(action);
    this.#latest = result.catch(() => {});
    return result;
  }

  async #load(): Promise<Durations> {
    try {
      return parse(await this.#store.read());
    } catch (error) {
      if (!isDamage(error)) throw error;
      // Somebody else may have found it and mended it by now.
      return this.#store.exclusively(() => this.#loadOrBegin());
    }
  }

  async #loadOrBegin(): Promise<Durations> {
    const text = await this.#store.read();
    try {
      return parse(text);
    } catch (error) {
      if (!isDamage(error)) throw error;
      const place = await this.#store.setAside();
      const whatNow = place === undefined ? "the next one replaces them" : `they are now in ${place}`;
      this.#warnings.notify(
        `The durations of earlier operations are damaged (${error.message}); ${whatNow}.`,
      );
      return new Map();
    }
  }
}

function parse(text = ""): Durations {
  // What trim() takes for space is a byte order mark too, which editors may put first and JSON refuses.
  const content = text.trim();
  return content === "" ? new Map() : parseDurations(content);
}

function isDamage(error: unknown): error is ContractError {
  return error instanceof ContractError && !isOfLaterVersion(error);
}

function checkPlausible(durationInMs: number): void {
  if (isPlausible(durationInMs)) return;
  throw new RangeError(
    `durationInMs: expected ${plausibleDuration} of milliseconds, got ${String(durationInMs)}`,
  );
}

const longestKind = 256;

function checkKind(kind: string): void {
  if (typeof kind === "string" && kind !== "" && kind.length <= longestKind) return;
  const got = typeof kind === "string" ? `${kind.length} characters` : typeof kind;
  throw new TypeError(`kind: expected 1 to ${longestKind} characters, got ${got}`);
}
