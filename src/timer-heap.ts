/** A timer's task. An object, because with many thousand waits each function costs memory. */
export interface TimerTask {
  onTimer(): void;
}

/** A task and the time when it is due. */
export interface Timer {
  readonly dueAt: number;
  readonly task: TimerTask;
  /** Its place among those that are due at the same time. */
  readonly order: number;
  /** Its index in the heap, as long as it is there. */
  index: number;
}

/** Timers by the time when they are due: a binary heap, so that one of 100,000 costs as little as one of ten. */
export class TimerHeap {
  readonly #heap: Timer[] = [];
  #added = 0;

  /** The next timer; `undefined` when there is none. */
  get first(): Timer | undefined {
    return this.#heap[0];
  }

  add(dueAt: number, task: TimerTask): Timer {
    const timer: Timer = { dueAt, task, order: this.#added++, index: this.#heap.length };
    this.#rise(timer);
    return timer;
  }

  remove(timer: Timer): void {
    const { index } = timer;
    // Also a timer of another clock, which an own clock may have returned in place of a function.
    if (this.#heap[index] !== timer) return;
    const last = this.#heap.pop();
    if (last === undefined || last === timer) return;
    last.index = index;
    this.#rise(last);
    this.#sink(last);
  }

  #put(timer: Timer, index: number): void {
    this.#heap[index] = timer;
    timer.index = index;
  }

  /** Moves a timer up to its place, over those that are due later. */
  #rise(timer: Timer): void {
    for (;;) {
      const { index } = timer;
      const parent = this.#heap[(index - 1) >> 1];
      if (index === 0 || parent === undefined || isBefore(parent, timer)) return this.#put(timer, index);
      this.#swap(timer, parent);
    }
  }

  #sink(timer: Timer): void {
    for (;;) {
      const { index } = timer;
      const [left, right] = [this.#heap[2 * index + 1], this.#heap[2 * index + 2]];
      const child = left && right && isBefore(right, left) ? right : left;
      if (child === undefined || isBefore(timer, child)) return;
      this.#swap(timer, child);
    }
  }

  #swap(one: Timer, other: Timer): void {
    const { index } = one;
    this.#put(one, other.index);
    this.#put(other, index);
  }
}

function isBefore(one: Timer, other: Timer): boolean {
  return (one.dueAt - other.dueAt || one.order - other.order) < 0;
}
