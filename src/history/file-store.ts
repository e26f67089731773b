import { sleep, systemClock } from "../clock.ts";
import type { DurationStore } from "./store.ts";

/** Longer than any write takes: the process that holds an older lock is gone. */
const maxWriteInMs = 5000;

/** How long to wait for a lock: until one of a process that is gone is that old, and a little longer. */
const maxLockWaitInMs = 1.6 * maxWriteInMs;

const retryDelayInMs = 20;

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

  /** @throws TypeError if the platform has no files */
  constructor(path: string) {
    this.#path = path;
    this.#lockPath = `${path}.lock`;
  }

  read(): Promise<string | undefined> {
    return this.#fs.readFile(this.#path, "utf8").catch(ifMissing(undefined));
  }

  async write(text: string): Promise<void> {
    // A link stays a link.
    const target = await this.#fs.realpath(this.#path).catch(ifMissing(this.#path));
    const draft = `${target}.${crypto.randomUUID()}.tmp`;
    try {
      await this.#fs.writeFile(draft, text, { flag: "wx", flush: true });
      await this.#fs.rename(draft, target);
    } catch (error) {
      await this.#remove(draft);
      throw error;
    }
  }

  async setAside(): Promise<string> {
    const time = new Date(systemClock.timestamp()).toISOString().replaceAll(":", "-");
    const place = `${this.#path}.damaged-${time}`;
    await this.#fs.rename(this.#path, place);
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
    const deadline = systemClock.now() + maxLockWaitInMs;
    while (!(await this.#tryLock())) {
      if (systemClock.now() > deadline) {
        throw new Error(`other processes held ${this.#lockPath} for ${maxLockWaitInMs / 1000} s`);
      }
      // With jitter, so that processes do not retry in step.
      await sleep(systemClock, retryDelayInMs * (1 + Math.random()));
    }
  }

  async #tryLock(): Promise<boolean> {
    try {
      const lock = await this.#fs.open(this.#lockPath, "wx");
      await lock.close();
      return true;
    } catch (error) {
      if (!hasCode(error, "EEXIST")) throw error;
    }
    const lock = await this.#fs.stat(this.#lockPath).catch(ifMissing(undefined));
    if (lock?.isDirectory()) throw new Error(`${this.#lockPath} is a folder; delete it`);
    // After a clock was set back, the lock's time is in the future.
    const isAbandoned = lock && Math.abs(systemClock.timestamp() - lock.mtimeMs) > maxWriteInMs;
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
    await this.#fs.unlink(path).catch(ifMissing(undefined));
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
