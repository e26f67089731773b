import { sleep, systemClock } from "../clock.ts";
import type { Clock } from "../clock.ts";
import type { DurationStore } from "./store.ts";

/** Longer than any write takes: the process that holds an older lock is gone. */
const maxWriteInMs = 5000;

/** How long to wait for a lock: until one of a process that is gone is that old, and a little longer. */
const maxLockWaitInMs = 1.6 * maxWriteInMs;

const retryDelayInMs = 20;
/** With a delay that doubles: 0.6 s in all. */
const maxRetries = 5;
/** On Windows, an indexer or a virus scanner that has a file open keeps others from it for a moment. */
const busyCodes = ["EPERM", "EACCES", "EBUSY"];

/**
 * Keeps durations in a file. It creates the file and its folder if they are missing. The file is always whole: a write
 * goes to another file first, which then replaces it.
 */
export class FileStore implements DurationStore {
  // Not imported: bundlers for browsers need not know these modules.
  readonly #fs = nodeProcess().getBuiltinModule("node:fs/promises");
  readonly #paths = nodeProcess().getBuiltinModule("node:path");
  readonly #path: string;
  readonly #lockPath: string;
  readonly #clock: Clock;

  /** @throws TypeError if the platform has no files */
  constructor(path: string, clock: Clock = systemClock) {
    this.#clock = clock;
    this.#path = path;
    this.#lockPath = `${path}.lock`;
  }

  read(): Promise<string | undefined> {
    return this.#unlessBusy(() => this.#fs.readFile(this.#path, "utf8")).catch(ifMissing(undefined));
  }

  async write(text: string): Promise<void> {
    // A link stays a link.
    const target = await this.#fs.realpath(this.#path).catch(ifMissing(this.#path));
    const draft = `${target}.${crypto.randomUUID()}.tmp`;
    const mode = await this.#fs.stat(target).then((stats) => stats.mode & 0o7777, ifMissing(undefined));
    try {
      await this.#fs.writeFile(draft, text, { flag: "wx", flush: true, mode });
      // The umask may have narrowed it, and some file systems have no modes.
      if (mode !== undefined) await this.#fs.chmod(draft, mode).catch(() => {});
      await this.#unlessBusy(() => this.#fs.rename(draft, target));
    } catch (error) {
      await this.#remove(draft);
      throw error;
    }
  }

  async setAside(): Promise<string> {
    const time = new Date(this.#clock.timestamp()).toISOString().replaceAll(":", "-");
    const place = `${this.#path}.damaged-${time}`;
    await this.#unlessBusy(() => this.#fs.rename(this.#path, place));
    return place;
  }

  async exclusively<T>(action: () => Promise<T>): Promise<T> {
    await this.#lock().catch(async (error: unknown) => {
      if (!hasCode(error, "ENOENT")) throw error;
      await this.#makeFolder(this.#paths.dirname(this.#path));
      await this.#lock();
    });
    try {
      return await action();
    } finally {
      await this.#remove(this.#lockPath);
    }
  }

  async #lock(): Promise<void> {
    const deadline = this.#clock.now() + maxLockWaitInMs;
    while (!(await this.#tryLock())) {
      if (this.#clock.now() > deadline) {
        throw new Error(`other processes held ${this.#lockPath} for ${maxLockWaitInMs / 1000} s`);
      }
      // With jitter, so that processes do not retry in step.
      await sleep(this.#clock, retryDelayInMs * (1 + Math.random()));
    }
  }

  async #tryLock(): Promise<boolean> {
    try {
      const lock = await this.#unlessBusy(() => this.#fs.open(this.#lockPath, "wx"));
      await lock.close();
      return true;
    } catch (error) {
      if (!hasCode(error, "EEXIST")) throw error;
    }
    const lock = await this.#unlessBusy(() => this.#fs.stat(this.#lockPath)).catch(ifMissing(undefined));
    if (lock?.isDirectory()) throw new Error(`${this.#lockPath} is a folder; delete it`);
    // After a clock was set back, the lock's time is in the future.
    const isAbandoned = lock && Math.abs(this.#clock.timestamp() - lock.mtimeMs) > maxWriteInMs;
    if (isAbandoned) await this.#remove(this.#lockPath);
    return false;
  }

  /** Not by `recursive`: below /proc, Node would retry for ever. */
  async #makeFolder(folder: string): Promise<void> {
    const make = (): Promise<void> => this.#fs.mkdir(folder).catch(ifCode("EEXIST", undefined));
    await make().catch(async (error: unknown) => {
      const parent = this.#paths.dirname(folder);
      if (!hasCode(error, "ENOENT") || parent === folder) throw error;
      await this.#makeFolder(parent);
      await make();
    });
  }

  async #remove(path: string): Promise<void> {
    await this.#unlessBusy(() => this.#fs.unlink(path)).catch(ifMissing(undefined));
  }

  /** Tries again for a while if the file is busy. */
  async #unlessBusy<T>(action: () => Promise<T>): Promise<T> {
    for (let retries = 0; ; retries++) {
      try {
        return await action();
      } catch (error) {
        const isBusy = busyCodes.some((code) => hasCode(error, code));
        if (!isBusy || retries === maxRetries) throw error;
      }
      await sleep(this.#clock, retryDelayInMs * 2 ** retries);
    }
  }
}

function nodeProcess(): Pick<NodeJS.Process, "getBuiltinModule"> {
  if (globalThis.process?.getBuiltinModule !== undefined) return process;
  throw new TypeError("pathOrStore: expected a store, because there are no files here, got a path");
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

function ifMissing<T>(value: T): (error: unknown) => T {
  return ifCode("ENOENT", value);
}

function ifCode<T>(code: string, value: T): (error: unknown) => T {
  return (error) => {
    if (hasCode(error, code)) return value;
    throw error;
  };
}
