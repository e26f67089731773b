import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { Socket } from "node:net";
import type { PipelinePolicy, PipelineResponse } from "@azure/core-rest-pipeline";
import type { Clock } from "lro-poller";

/** Sees every request of a client: what is under way, and what is sent before Retry-After. */
export class RequestWatch {
  readonly #clock: Clock;
  readonly #notBefore = new Map<string, number>();
  readonly #underWay = new Map<string, number>();
  sent = 0;
  /** Sent while another one to the same place was under way. */
  overlapping = 0;
  /** Sent before the Retry-After of the last answer from the same place was over. */
  tooEarly = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  readonly policy: PipelinePolicy = {
    name: "requestWatch",
    sendRequest: async (request, next) => {
      // Clocks count in fractions, and not always in the same.
      if (this.#clock.now() < (this.#notBefore.get(request.url) ?? 0) - 0.1) this.tooEarly++;
      this.#notBefore.delete(request.url);
      this.sent++;
      const place = `${request.method} ${request.url}`;
      if (this.#begin(place) > 1) this.overlapping++;
      try {
        const response = await next(request);
        this.#notBefore.set(request.url, this.#clock.now() + toldWaitInMs(response));
        return response;
      } finally {
        this.#end(place);
      }
    },
  };

  get underWay(): number {
    return this.#underWay.size;
  }

  #begin(place: string): number {
    const requests = (this.#underWay.get(place) ?? 0) + 1;
    this.#underWay.set(place, requests);
    return requests;
  }

  #end(place: string): void {
    const left = (this.#underWay.get(place) ?? 0) - 1;
    if (left > 0) this.#underWay.set(place, left);
    else this.#underWay.delete(place);
  }
}

function toldWaitInMs({ headers }: PipelineResponse): number {
  const retryAfter = headers.get("retry-after") ?? "";
  const milliseconds = headers.get("retry-after-ms");
  if (milliseconds !== undefined) return Number(milliseconds);
  if (/^\d+$/.test(retryAfter)) return Number(retryAfter) * 1000;
  return Math.max(0, Date.parse(retryAfter) - Date.parse(headers.get("date") ?? "")) || 0;
}

/** What nobody caught while it was on, and the sockets that were opened. */
export class ProcessWatch {
  readonly #sockets = new Set<Socket>();
  readonly #timersBefore = platformTimers();
  unhandledRejections = 0;
  uncaughtExceptions = 0;

  start(): void {
    process.on("unhandledRejection", this.#onRejection);
    process.on("uncaughtException", this.#onException);
    subscribe("net.client.socket", this.#onSocket);
  }

  stop(): void {
    process.off("unhandledRejection", this.#onRejection);
    process.off("uncaughtException", this.#onException);
    unsubscribe("net.client.socket", this.#onSocket);
  }

  get openSockets(): number {
    return [...this.#sockets].filter((socket) => !socket.destroyed).length;
  }

  get platformTimers(): number {
    return Math.max(0, platformTimers() - this.#timersBefore);
  }

  readonly #onRejection = (): void => {
    this.unhandledRejections++;
  };

  readonly #onException = (): void => {
    this.uncaughtExceptions++;
  };

  readonly #onSocket = (message: unknown): void => {
    const socket = typeof message === "object" && message !== null && "socket" in message && message.socket;
    if (!(socket instanceof Socket)) return;
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
  };
}

function platformTimers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
}
