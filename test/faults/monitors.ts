import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { Socket } from "node:net";
import type { PipelinePolicy, PipelineResponse } from "@azure/core-rest-pipeline";
import type { Clock } from "lro-poller";

/** Watches every request of a client: those in flight, and those sent before Retry-After has passed. */
export class RequestWatch {
  readonly #clock: Clock;
  readonly #notBefore = new Map<string, number>();
  readonly #inFlight = new Map<string, number>();
  sent = 0;
  /** Requests sent while another one to the same URL was in flight. */
  concurrent = 0;
  /** Requests sent before the Retry-After of the last response from the same URL had passed. */
  early = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  readonly policy: PipelinePolicy = {
    name: "requestWatch",
    sendRequest: async (request, next) => {
      // Fractions of clocks differ by rounding.
      if (this.#clock.now() < (this.#notBefore.get(request.url) ?? 0) - 0.1) this.early++;
      this.#notBefore.delete(request.url);
      this.sent++;
      const target = `${request.method} ${request.url}`;
      if (this.#start(target) > 1) this.concurrent++;
      // One that is aborted is under way no more, although its promise settles later.
      let isOver = false;
      const end = (): void => {
        if (!isOver) this.#end(target);
        isOver = true;
      };
      request.abortSignal?.addEventListener("abort", end);
      try {
        const response = await next(request);
        this.#notBefore.set(request.url, this.#clock.now() + retryAfterInMs(response));
        return response;
      } finally {
        request.abortSignal?.removeEventListener("abort", end);
        end();
      }
    },
  };

  /** Forgets the Retry-After of a start that has failed for good: who starts again decides when. */
  forget(part: string): void {
    for (const url of this.#notBefore.keys()) if (url.includes(part)) this.#notBefore.delete(url);
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  #start(target: string): number {
    const requests = (this.#inFlight.get(target) ?? 0) + 1;
    this.#inFlight.set(target, requests);
    return requests;
  }

  #end(target: string): void {
    const left = (this.#inFlight.get(target) ?? 0) - 1;
    if (left > 0) this.#inFlight.set(target, left);
    else this.#inFlight.delete(target);
  }
}

/** A longer Retry-After counts as a day. */
const maxRetryAfterInMs = 86_400_000;

function retryAfterInMs({ headers }: PipelineResponse): number {
  const retryAfter = headers.get("retry-after") ?? "";
  const milliseconds = headers.get("retry-after-ms");
  if (milliseconds !== undefined && Number(milliseconds) > 0 && Number.isFinite(Number(milliseconds)))
    return Number(milliseconds);
  if (/^\d+$/.test(retryAfter)) return Math.min(Number(retryAfter) * 1000, maxRetryAfterInMs);
  return Math.max(0, Date.parse(retryAfter) - Date.parse(headers.get("date") ?? "")) || 0;
}

/** Counts unhandled rejections and uncaught exceptions between `start` and `stop`, and watches client sockets. */
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
