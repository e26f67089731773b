/** Hands values to a consumer: the latest, which replaces one that was not fetched in time, or each. */
export class Mailbox<T> {
  readonly #keeps: "latest" | "each";
  readonly #kept: { readonly value: T }[] = [];
  #end: { readonly error?: unknown } | undefined;
  /** Consumers that came before there was anything. */
  #waiting: PromiseWithResolvers<IteratorResult<T, undefined>>[] = [];

  constructor(keeps: "latest" | "each" = "latest") {
    this.#keeps = keeps;
  }

  put(value: T): void {
    const consumer = this.#waiting.shift();
    if (consumer) return consumer.resolve({ done: false, value });
    if (this.#keeps === "latest") this.#kept.length = 0;
    this.#kept.push({ value });
  }

  /**
   * Ends the iteration after what is still here; with an error, by rejecting once with it.
   *
   * @param mayGoUnheard - whether a consumer who has gone need not hear of the error
   */
  close(end: { readonly error?: unknown } = {}, mayGoUnheard = false): void {
    this.#end = end;
    for (const consumer of this.#waiting.splice(0)) {
      if (mayGoUnheard) consumer.promise.catch(() => {});
      void this.next().then(consumer.resolve, consumer.reject);
    }
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const first = this.#kept.shift();
    if (first) return Promise.resolve({ done: false, value: first.value });
    if (this.#end === undefined) return this.#wait();
    const end = this.#end;
    this.#end = {};
    return "error" in end ? rejected(end.error) : Promise.resolve({ done: true, value: undefined });
  }

  #wait(): Promise<IteratorResult<T, undefined>> {
    const consumer = Promise.withResolvers<IteratorResult<T, undefined>>();
    this.#waiting.push(consumer);
    return consumer.promise;
  }
}

/** An abort's reason need not be an error. */
async function rejected(reason: unknown): Promise<never> {
  throw reason;
}
