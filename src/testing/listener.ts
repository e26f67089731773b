import { once } from "node:events";
import { createServer } from "node:http";
import type { RequestListener, Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";

/** A port of the loopback address that can be given up, with all its connections, and taken again. */
export class Listener {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #port: number;

  constructor(port: number, tls: { readonly key: string; readonly cert: string } | undefined) {
    this.#port = port;
    this.#server = tls ? createTlsServer(tls) : createServer();
    // Else a client may send on a connection that the server is about to close.
    this.#server.keepAliveTimeout = 0;
    this.#server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  /** 0 until it is open, if any free one will do. */
  get port(): number {
    return this.#port;
  }

  onRequest(listener: RequestListener): void {
    this.#server.on("request", listener);
  }

  /** @throws the system's error when the port is not to be had */
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

// The server counts as closed before its sockets do, and only these tell their answers.
function closeSocket(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once("close", () => resolve()).destroy());
}
