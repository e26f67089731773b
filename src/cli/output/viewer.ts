import type { ServerResponse } from "node:http";

/** An open page. One that reads slowly gets the latest of each wait, and makes nothing pile up here. */
export class Viewer {
  readonly #response: ServerResponse;
  readonly #eventOf: (place: number) => string;
  readonly #unsaid: Set<number>;

  /** @param eventOf - what to say of a wait when its turn comes */
  constructor(response: ServerResponse, places: Iterable<number>, eventOf: (place: number) => string) {
    this.#response = response;
    this.#eventOf = eventOf;
    this.#unsaid = new Set(places);
    response.on("drain", () => this.#say());
    // The page was closed.
    response.on("error", () => this.#unsaid.clear());
    response.flushHeaders();
    this.#say();
  }

  tell(place: number): void {
    this.#unsaid.add(place);
    this.#say();
  }

  /** Says what is left, and that this is all. */
  end(): void {
    const rest = Array.from(this.#unsaid, this.#eventOf);
    this.#unsaid.clear();
    this.#response.end(`${rest.join("")}${eventText("end", {})}`);
  }

  #say(): void {
    for (const place of this.#unsaid) {
      if (this.#response.writableNeedDrain) return;
      this.#unsaid.delete(place);
      this.#response.write(this.#eventOf(place));
    }
  }
}

/** An event as a browser's `EventSource` reads it. */
export function eventText(event: string, data: object): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
