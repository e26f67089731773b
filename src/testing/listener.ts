import { once } from "node:events";
import { createServer } from "node:http";
import type { RequestListener, Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";

/** An HTTP server at a port of the loopback address. It can close with all its connections, and open again. */
export class Listener {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #port: number;

  constructor(port: number, tls: { readonly key: string; readonly cert: string } | undefined) {
    this.#port = port;
    this.#server = tls ? createTlsServer(tls) : createServer();
    // A client could otherwise send on a connection that the server is about to close.
    this.#server.keepAliveTimeout = 0;
    this.#server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  /** The port. If any free port will do, it is 0 until the server opens. */
  get port(): number {
    return this.#port;
  }

  onRequest(listener: RequestListener): void {
    this.#server.on("request", listener);
  }

  /** @throws the system's error if the port is not free */
  async open(): Promise<void> {
    if (this.#server.listening) return;
    this.#server.listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
    const address = this.#server.address();
    if (typeof address === "object" && address !== null) this.#port = address.port;
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    await Promise.all([closed, ...[...this.#sockets].map(closeSocket)]);
  }
}

// The server closes before its sockets, and responses only learn of the close from their sockets.
function closeSocket(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once("close", () => resolve()).destroy());
}
