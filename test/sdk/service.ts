import { once } from "node:events";
import { createServer } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import { addressOf } from "./address.ts";
import { certificate } from "./certificate.ts";

/** A response. `{origin}` in its headers and in its body stands for the server's own. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
}

/** A state of the operation. */
export type State = "running" | "succeeded" | "failed";

/** How a service speaks. Requests are a method and a path without its query. */
export interface Service {
  /** The initial request, and its response. */
  readonly initial: readonly [request: string, reply: Reply];
  /** A poll, and its response in each state. A service without `failed` has no such state. */
  readonly poll: readonly [
    request: string,
    Readonly<Record<"running" | "succeeded", Reply> & { failed?: Reply }>,
  ];
  /** The request for the result, and its response. */
  readonly result?: readonly [request: string, reply: Reply];
}

/** A text in each result. */
export const resultMark = "the-result";

/** The code of the innermost error of each operation that fails. */
export const innerCode = "TheInnerCode";

/** An error with a nested one, in the form of most services. */
export const nestedError = {
  code: "InvalidRequest",
  message: "The request is invalid.",
  innererror: { code: innerCode, message: "The file is corrupt." },
} as const;

/** The response to a poll: of the operation in this state, or a fault. `retryAfter` is in seconds. */
export type Answer = State | 429 | 503 | "reset" | "hang" | "html" | { readonly retryAfter: number };

interface Poll {
  readonly answer: Answer;
}

/** A server on the loopback address that speaks like one service, and has one operation. */
export interface ScriptedServer extends AsyncDisposable {
  readonly endpoint: string;
  /** The polls so far. */
  readonly polls: readonly Poll[];
  readonly initialRequestCount: number;
  /** All requests so far, initial ones and those for the result included. */
  readonly requestCount: number;
  /** Resolves when a poll has arrived that the server never responds to. */
  readonly hung: Promise<void>;
}

/** Starts a server which answers polls in this order; the last answer repeats. Its first responses for the result are 503. */
export async function startService(
  service: Service,
  answers: readonly Answer[],
  failedResults = 0,
): Promise<ScriptedServer> {
  const server = createServer(certificate);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const scripted = new Scripted(
    `https://127.0.0.1:${addressOf(server).port}`,
    service,
    answers,
    failedResults,
  );
  server.on("request", (request, response) => scripted.respond(request, response));
  return Object.assign(scripted, {
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  });
}

class Scripted implements Omit<ScriptedServer, typeof Symbol.asyncDispose> {
  readonly endpoint: string;
  readonly polls: Poll[] = [];
  initialRequestCount = 0;
  requestCount = 0;
  readonly #service: Service;
  readonly #answers: readonly Answer[];
  #failedResults: number;
  readonly #hung = Promise.withResolvers<void>();

  constructor(endpoint: string, service: Service, answers: readonly Answer[], failedResults: number) {
    this.endpoint = endpoint;
    this.#service = service;
    this.#answers = answers;
    this.#failedResults = failedResults;
  }

  get hung(): Promise<void> {
    return this.#hung.promise;
  }

  respond(request: IncomingMessage, response: ServerResponse): void {
    // Key Vault's clients send no token before a response has named their scope.
    if (request.headers.authorization === undefined) return this.#send(response, challenge);
    this.requestCount++;
    const [path = ""] = (request.url ?? "").split("?");
    const line = `${request.method} ${path}`;
    const { initial, poll, result } = this.#service;
    if (line === poll[0]) return this.#respondToPoll(response);
    if (line === result?.[0])
      return this.#send(response, this.#failedResults-- > 0 ? unavailable : result[1]);
    if (line !== initial[0]) return this.#send(response, unexpected(line));
    this.initialRequestCount++;
    this.#send(response, initial[1]);
  }

  #respondToPoll(response: ServerResponse): void {
    const answer = this.#answers[this.polls.length] ?? this.#answers.at(-1) ?? "running";
    this.polls.push({ answer });
    if (answer === "hang") this.#hung.resolve();
    else if (answer === "reset") response.socket?.destroy();
    else this.#send(response, this.#replyOf(answer));
  }

  #replyOf(answer: Exclude<Answer, "hang" | "reset">): Reply {
    const [, { running, ...replies }] = this.#service.poll;
    if (answer === 503) return unavailable;
    if (answer === 429) return errorReply(429, "TooManyRequests", { "retry-after": "1" });
    if (answer === "html") return { status: 200, headers: { "content-type": "text/html" } };
    if (typeof answer === "object")
      return { ...running, headers: { ...running.headers, "retry-after": String(answer.retryAfter) } };
    return { running, ...replies }[answer] ?? unexpected(answer);
  }

  #send(response: ServerResponse, { status, headers = {}, body }: Reply): void {
    const filled = (text: string): string => text.replaceAll("{origin}", this.endpoint);
    const type = body === undefined ? {} : { "content-type": "application/json" };
    for (const [name, value] of Object.entries({ ...type, ...headers }))
      response.setHeader(name, filled(value));
    response.statusCode = status;
    response.end(
      headers["content-type"] === "text/html"
        ? "<html>Maintenance</html>"
        : body && filled(JSON.stringify(body)),
    );
  }
}

const challenge: Reply = {
  status: 401,
  headers: {
    "www-authenticate":
      'Bearer authorization="https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000", resource="https://vault.azure.net"',
  },
};

const unavailable = errorReply(503, "ServiceUnavailable");

/** A response that no client retries, so that a wrong script is found. */
function unexpected(line: string): Reply {
  return errorReply(418, `Unexpected: ${line}`);
}

export function errorReply(status: number, code: string, headers: Reply["headers"] = {}): Reply {
  return { status, headers, body: { error: { code, message: `${status} ${code}.` } } };
}
