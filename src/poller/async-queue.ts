/** Passes values to a consumer: the latest, which replaces one that was not fetched in time, or each. */
export class AsyncQueue<T> {
  readonly #keeps: "latest" | "each";
  readonly #kept: { readonly value: T }[] = [];
  #end: { readonly error?: unknown } | undefined;
  /** Consumers that came before there was a value. */
  #consumers: PromiseWithResolvers<IteratorResult<T, undefined>>[] = [];

  constructor(keeps: "latest" | "each" = "latest") {
    this.#keeps = keeps;
  }

  push(value: T): void {
    if (this.#end) return;
    const consumer = this.#consumers.shift();
    if (consumer) return consumer.resolve({ done: false, value });
    if (this.#keeps === "latest") this.#kept.length = 0;
    this.#kept.push({ value });
  }

  /**
   * Ends the iteration after the values that are still here; with an error, by rejecting once with it.
   *
   * @param isErrorOptional - whether the error may stay unhandled
   */
  close(end: { readonly error?: unknown } = {}, isErrorOptional = false): void {
    this.#end = end;
    for (const consumer of this.#consumers.splice(0)) {
      if (isErrorOptional) consumer.promise.catch(() => {});
      void this.next().then(consumer.resolve, consumer.reject);
    }
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const first = this.#kept.shift();
    if (first) return Promise.resolve({ done: false, value: first.value });
    if (this.#end === undefined) return this.#wait();
    const end = this.#end;
    this.#end = {};
    return "error" in end ? Promise.reject(end.error) : Promise.resolve({ done: true, value: undefined });
  }

  #wait(): Promise<IteratorResult<T, undefined>> {
    const consumer = Promise.withResolvers<IteratorResult<T, undefined>>();
    this.#consumers.push(consumer);
    return consumer.promise;
  }
}
