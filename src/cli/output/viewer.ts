import type { ServerResponse } from "node:http";

/** An open page. A slow page gets only the latest event of each wait, so that nothing piles up in memory. */
export class Viewer {
  readonly #response: ServerResponse;
  readonly #eventOf: (index: number) => string;
  readonly #pending: Set<number>;

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

  /** Sends the current event of a wait, now or when the page can receive it. */
  update(index: number): void {
    this.#pending.add(index);
    this.#send();
  }

  /** Sends the pending events and the end event. */
  end(): void {
    const rest = Array.from(this.#pending, this.#eventOf);
    this.#pending.clear();
    this.#response.end(`${rest.join("")}${eventText("end", {})}`);
  }

  #send(): void {
    for (const index of this.#pending) {
      if (this.#response.writableNeedDrain) return;
      this.#pending.delete(index);
      this.#response.write(this.#eventOf(index));
    }
  }
}

/** Formats an event for a browser's `EventSource`. */
export function eventText(event: string, data: object): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
