/** Hands the latest value to one consumer. A value that is not fetched in time is replaced by the next. */
export class Mailbox<T> implements AsyncIterable<T> {
  #latest: { readonly value: T } | undefined;
  #end: { readonly error?: unknown } | undefined;
  #wake: () => void = () => {};

  put(value: T): void {
    this.#latest = { value };
    this.#wake();
  }

  /** Ends the iteration after the value that is still here; with an error, by throwing it. */
  close(end: { readonly error?: unknown } = {}): void {
    this.#end = end;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      const { value } = this.#take() ?? {};
      if (value !== undefined) yield value;
      else if (this.#end === undefined) await this.#news();
      else if ("error" in this.#end) throw this.#end.error;
      else return;
    }
  }

  #take(): { readonly value: T } | undefined {
    const taken = this.#latest;
    this.#latest = undefined;
    return taken;
  }

  #news(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
