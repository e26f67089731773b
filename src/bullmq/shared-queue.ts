import { isDeepStrictEqual } from "node:util";
import { isObject } from "../operation/json-fields.ts";
import type { OperationQueueOptions } from "./queue-options.ts";

/** A queue that can be closed. */
interface Closable {
  close(): Promise<void>;
}

/** A queue that calls share while they wait. */
interface SharedQueue<Q> {
  readonly options: OperationQueueOptions;
  readonly queue: Q;
  /** How many calls use it. */
  callers: number;
}

/** The open queues of a process: few, because most processes use one. */
export class SharedQueues<Q extends Closable> {
  readonly #create: (options: OperationQueueOptions) => Q;
  readonly #opened = new Set<SharedQueue<Q>>();

  constructor(create: (options: OperationQueueOptions) => Q) {
    this.#create = create;
  }

  /**
   * Returns the queue that other calls with the same options use, or a new one. The last caller that releases it closes
   * it, so that it never holds the process open.
   */
  open(options: OperationQueueOptions): { readonly queue: Q; readonly release: () => Promise<void> } {
    const shared = this.#find(options) ?? { options, queue: this.#create(options), callers: 0 };
    this.#opened.add(shared);
    shared.callers++;
    return {
      queue: shared.queue,
      release: async () => {
        shared.callers--;
        if (shared.callers > 0) return;
        this.#opened.delete(shared);
        await shared.queue.close();
      },
    };
  }

  #find(options: OperationQueueOptions): SharedQueue<Q> | undefined {
    return Array.from(this.#opened).find((shared) => isSameQueue(shared.options, options));
  }
}

function isSameQueue(a: OperationQueueOptions, b: OperationQueueOptions): boolean {
  return (
    a.queueName === b.queueName &&
    a.prefix === b.prefix &&
    a.keepResultsInMs === b.keepResultsInMs &&
    a.logger === b.logger &&
    a.telemetry === b.telemetry &&
    isSameConnection(a.connection, b.connection)
  );
}

/** Settings are compared by their values, but a client is only the same as itself. */
function isSameConnection(a: unknown, b: unknown): boolean {
  return a === b || (!isClient(a) && !isClient(b) && isDeepStrictEqual(a, b));
}

function isClient(connection: unknown): boolean {
  return isObject(connection) && typeof connection["duplicate"] === "function";
}
