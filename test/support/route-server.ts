import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import { text } from "node:stream/consumers";

/** One response to one request. */
export interface Route {
  readonly method: string;
  /** The path with its query, as it is sent. */
  readonly path: string;
  readonly status: number;
  /** The headers. `{origin}` in a value stands for the server's own. */
  readonly headers?: Readonly<Record<string, string>>;
  /** A string is sent as it is, anything else as JSON. */
  readonly body?: unknown;
}

export interface RoutedRequest {
  readonly method: string;
  /** The path with its query, byte for byte as it was received. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly responseStatus: number;
}

/** Responds to each request by the first unused route for its method and path, and with 418 if there is none. */
export interface RouteServer {
  readonly origin: string;
  readonly requests: readonly RoutedRequest[];
  /** `GET /path`, in order. */
  readonly requestLines: readonly string[];
  /** The bearer token, or `undefined`, of each request. */
  readonly authorizations: readonly (string | undefined)[];
  add(...routes: Route[]): void;
  /** Holds the response to a request of this method and path until `release` is called. */
  hold(method: string, path: string): { readonly arrived: Promise<void>; readonly release: () => void };
  /** @throws Error with the requests without a route and the routes without a request */
  assertFinished(): void;
  close(): Promise<void>;
}

export async function startRouteServer(
  routes: readonly Route[] = [],
  tls?: { readonly key: string; readonly cert: string },
): Promise<RouteServer> {
  const server = tls ? createTlsServer(tls) : createServer();
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no port.");
  const routed = new RoutedResponses(`${tls ? "https" : "http"}://127.0.0.1:${address.port}`, routes);
  server.on("request", (request, response) => void routed.respond(request, response));
  const close = async (): Promise<void> => {
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return Object.assign(routed, { close });
}

const nothingToWaitFor: Promise<void> = Promise.resolve();

class RoutedResponses implements Omit<RouteServer, "close"> {
  readonly origin: string;
  readonly requests: RoutedRequest[] = [];
  readonly #left: Route[];
  readonly #held = new Map<string, { readonly arrive: () => void; readonly released: Promise<void> }>();

  constructor(origin: string, routes: readonly Route[]) {
    this.origin = origin;
    this.#left = [...routes];
  }

  get requestLines(): string[] {
    return this.requests.map(nameOf);
  }

  get authorizations(): (string | undefined)[] {
    return this.requests.map(({ headers }) => headers.authorization?.replace(/^Bearer /, ""));
  }

  add(...routes: Route[]): void {
    this.#left.push(...routes);
  }

  hold(method: string, path: string): { readonly arrived: Promise<void>; readonly release: () => void } {
    const arrived = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    this.#held.set(nameOf({ method, path }), { arrive: arrived.resolve, released: released.promise });
    return { arrived: arrived.promise, release: released.resolve };
  }

  assertFinished(): void {
    const unexpected = this.requests.filter(({ responseStatus }) => responseStatus === 418).map(nameOf);
    const missing = this.#left.map(nameOf);
    if (unexpected.length + missing.length === 0) return;
    throw new Error(
      `Unexpected requests: ${list(unexpected)}. Expected, but not sent: ${list(missing)}. ` +
        `All requests: ${list(this.requestLines)}.`,
    );
  }

  async respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url: path = "", headers } = request;
    const route = this.#take(nameOf({ method, path }));
    const responseStatus = route?.status ?? 418;
    const body = await text(request);
    this.requests.push({ method, path, headers, body, responseStatus });
    const held = this.#held.get(nameOf({ method, path }));
    held?.arrive();
    await (held?.released ?? nothingToWaitFor);
    response.writeHead(responseStatus, { connection: "close", ...this.#headersOf(route) });
    response.end(textOf(route?.body));
  }

  #take(name: string): Route | undefined {
    const index = this.#left.findIndex((route) => nameOf(route) === name);
    return index === -1 ? undefined : this.#left.splice(index, 1)[0];
  }

  #headersOf(route: Route | undefined): Record<string, string> {
    const type = route?.body === undefined ? [] : [["content-type", "application/json"]];
    const given = Object.entries(route?.headers ?? {});
    return Object.fromEntries([
      ...type,
      ...given.map(([name, value]) => [name, value.replaceAll("{origin}", this.origin)]),
    ]);
  }
}

function textOf(body: unknown): string {
  if (body === undefined) return "";
  return typeof body === "string" ? body : JSON.stringify(body);
}

function nameOf({ method, path }: { readonly method: string; readonly path: string }): string {
  return `${method} ${path}`;
}

function list(names: readonly string[]): string {
  return names.length === 0 ? "none" : names.join(", ");
}
