/** Hands the latest value to a consumer. A value that is not fetched in time is replaced by the next. */
export class Mailbox<T> {
  #latest: { readonly value: T } | undefined;
  #end: { readonly error?: unknown } | undefined;
  /** Consumers that came before there was anything. */
  #waiting: PromiseWithResolvers<IteratorResult<T, undefined>>[] = [];

  put(value: T): void {
    const consumer = this.#waiting.shift();
    if (consumer) consumer.resolve({ done: false, value });
    else this.#latest = { value };
  }

  /**
   * Ends the iteration after the value that is still here; with an error, by rejecting once with it.
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
    const latest = this.#latest;
    this.#latest = undefined;
    if (latest) return Promise.resolve({ done: false, value: latest.value });
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
