import { Redis } from "ioredis";
import type { RedisServer } from "../../examples/redis-server.ts";

/** Reads from BullMQ's events when jobs were taken from workers that no longer renewed their locks. */
export class Takeovers implements AsyncDisposable {
  readonly #redis: Redis;
  /** Of each job, by `performance.now()`. */
  readonly #times = new Map<string, number[]>();
  #lastId = "0";

  constructor(connection: RedisServer["connection"]) {
    this.#redis = new Redis({ ...connection, maxRetriesPerRequest: null });
    this.#redis.on("error", () => {});
  }

  /** Reads the events since the last call. BullMQ keeps about 10,000, so call it now and then. */
  async read(): Promise<void> {
    for (;;) {
      const streams = await this.#redis.xread(
        "COUNT",
        1000,
        "STREAMS",
        "bull:operations:events",
        this.#lastId,
      );
      if (streams === null) return;
      for (const [, events] of streams) for (const [id, fields] of events) this.#record(id, fields);
    }
  }

  /** Whether the job was taken from a worker between two times of `performance.now()`. */
  isBetween(jobId: string, from: number, to: number): boolean {
    // Redis gives whole milliseconds.
    return this.#times.get(jobId)?.some((time) => time + 1 >= from && time <= to) ?? false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#redis.disconnect();
  }

  #record(id: string, [, event, , jobId = ""]: readonly string[]): void {
    this.#lastId = id;
    if (event !== "stalled") return;
    const time = Number.parseInt(id, 10) - performance.timeOrigin;
    this.#times.set(jobId, [...(this.#times.get(jobId) ?? []), time]);
  }
}
