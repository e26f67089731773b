import type { ServerResponse } from "node:http";

/** Each message costs the browser more than what is in it. */
const sendEveryInMs = 500;

/** More would pile up in memory where the page is slow. */
const sendAtOnce = 50;

/** An open page. A slow page gets only the latest event of each wait, so that nothing piles up in memory. */
export class Viewer {
  readonly #response: ServerResponse;
  readonly #eventOf: (index: number) => string;
  readonly #pending: Set<number>;
  #timer: NodeJS.Timeout | undefined;

  /** @param eventOf - returns the current event of a wait */
  constructor(response: ServerResponse, indexes: Iterable<number>, eventOf: (index: number) => string) {
    this.#response = response;
    this.#eventOf = eventOf;
    this.#pending = new Set(indexes);
    response.on("drain", () => this.#send());
    // The page was closed.
    response.on("error", () => this.#pending.clear());
    response.flushHeaders();
    this.#send();
  }

  /** Sends the current event of a wait, soon or when the page can receive it. */
  update(index: number): void {
    this.#pending.add(index);
    this.#timer ??= setTimeout(() => this.#sendLater(), sendEveryInMs).unref();
  }

  /** Sends the pending events and the end event. */
  end(): void {
    clearTimeout(this.#timer);
    const rest = Array.from(this.#pending, this.#eventOf);
    this.#pending.clear();
    this.#response.end(`${rest.join("")}${eventText("end", {})}`);
  }

  #sendLater(): void {
    this.#timer = undefined;
    this.#send();
  }

  #send(): void {
    while (this.#pending.size > 0 && !this.#response.writableNeedDrain) {
      const indexes = Array.from(this.#pending).slice(0, sendAtOnce);
      for (const index of indexes) this.#pending.delete(index);
      this.#response.write(indexes.map(this.#eventOf).join(""));
    }
  }
}

/** Formats an event for a browser's `EventSource`. */
export function eventText(event: string, data: object): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
