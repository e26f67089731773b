/** A callback and when it is due. */
export interface Timer {
  readonly dueAt: number;
  readonly callback: () => void;
  /** Where in the queue it is; -1 when it is not, or no more. */
  place: number;
}

/** Timers by the time they are due: a binary heap, so that of a hundred thousand one costs as little as of ten. */
export class TimerHeap {
  readonly #heap: Timer[] = [];

  /** The next timer; `undefined` when there is none. */
  get first(): Timer | undefined {
    return this.#heap[0];
  }

  add(dueAt: number, callback: () => void): Timer {
    const timer: Timer = { dueAt, callback, place: this.#heap.length };
    this.#heap.push(timer);
    this.#rise(timer);
    return timer;
  }

  remove(timer: Timer): void {
    const { place } = timer;
    if (place < 0) return;
    timer.place = -1;
    const last = this.#heap.pop();
    if (last === undefined || last === timer) return;
    this.#put(last, place);
    this.#rise(last);
    this.#sink(last);
  }

  #put(timer: Timer, place: number): void {
    this.#heap[place] = timer;
    timer.place = place;
  }

  #rise(timer: Timer): void {
    for (;;) {
      const parent = this.#heap[(timer.place - 1) >> 1];
      if (timer.place === 0 || parent === undefined || parent.dueAt <= timer.dueAt) return;
      this.#swap(parent, timer);
    }
  }

  #sink(timer: Timer): void {
    for (;;) {
      const child = this.#earlierChild(timer.place);
      if (child === undefined || child.dueAt >= timer.dueAt) return;
      this.#swap(timer, child);
    }
  }

  #earlierChild(place: number): Timer | undefined {
    const left = this.#heap[2 * place + 1];
    const right = this.#heap[2 * place + 2];
    return right !== undefined && left !== undefined && right.dueAt < left.dueAt ? right : left;
  }

  #swap(upper: Timer, lower: Timer): void {
    const { place } = upper;
    this.#put(upper, lower.place);
    this.#put(lower, place);
  }
}
