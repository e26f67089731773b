/**
 * Requests in the order in which they came: a ring, so that each can leave at once, wherever it stands. A member is
 * between two others; the first one made stands for the end of the queue.
 */
export class RequestQueue {
  readonly #start: (() => void) | undefined;
  #previous: RequestQueue = this;
  #next: RequestQueue = this;

  constructor(start?: () => void) {
    this.#start = start;
  }

  get isEmpty(): boolean {
    return this.#next === this;
  }

  /** Adds a request. Returns a function that removes it, without effect if it has been started. */
  add(start: () => void): () => void {
    const last = new RequestQueue(start);
    last.#previous = this.#previous;
    last.#next = this;
    this.#previous = last.#previous.#next = last;
    return () => last.#remove();
  }

  /** Removes the first request and starts it. */
  startFirst(): void {
    const first = this.#next;
    first.#remove();
    first.#start?.();
  }

  #remove(): void {
    this.#previous.#next = this.#next;
    this.#next.#previous = this.#previous;
    this.#next = this.#previous = this;
  }
}
