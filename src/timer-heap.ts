/** A callback and the time when it is due. */
export interface Timer {
  readonly dueAt: number;
  readonly callback: () => void;
  /** Its index in the heap; -1 after its removal. */
  index: number;
}

/** Timers by the time when they are due: a binary heap, so that one of 100,000 costs as little as one of ten. */
export class TimerHeap {
  readonly #heap: Timer[] = [];

  /** The next timer; `undefined` when there is none. */
  get first(): Timer | undefined {
    return this.#heap[0];
  }

  add(dueAt: number, callback: () => void): Timer {
    const timer: Timer = { dueAt, callback, index: this.#heap.length };
    this.#heap.push(timer);
    this.#rise(timer);
    return timer;
  }

  remove(timer: Timer): void {
    const { index } = timer;
    if (index < 0) return;
    timer.index = -1;
    const last = this.#heap.pop();
    if (last === undefined || last === timer) return;
    this.#put(last, index);
    this.#rise(last);
    this.#sink(last);
  }

  #put(timer: Timer, index: number): void {
    this.#heap[index] = timer;
    timer.index = index;
  }

  #rise(timer: Timer): void {
    for (;;) {
      const parent = this.#heap[(timer.index - 1) >> 1];
      if (timer.index === 0 || parent === undefined || parent.dueAt <= timer.dueAt) return;
      this.#swap(parent, timer);
    }
  }

  #sink(timer: Timer): void {
    for (;;) {
      const child = this.#earlierChild(timer.index);
      if (child === undefined || child.dueAt >= timer.dueAt) return;
      this.#swap(timer, child);
    }
  }

  #earlierChild(index: number): Timer | undefined {
    const left = this.#heap[2 * index + 1];
    const right = this.#heap[2 * index + 2];
    return right !== undefined && left !== undefined && right.dueAt < left.dueAt ? right : left;
  }

  #swap(upper: Timer, lower: Timer): void {
    const { index } = upper;
    this.#put(upper, lower.index);
    this.#put(lower, index);
  }
}
