import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { onTestFinished } from "vitest";

/** An HTTP proxy that is closed after the test. */
export interface Proxy {
  readonly port: number;
  /** The requests that it got in plain text: `CONNECT host:port`, or a method and a URL. */
  readonly requests: readonly { readonly line: string; readonly headers: IncomingHttpHeaders }[];
}

/**
 * Starts a proxy.
 *
 * @param target - the port to which every tunnel leads, in place of the requested one
 */
export async function startProxy(target?: number): Promise<Proxy> {
  const requests: { line: string; headers: IncomingHttpHeaders }[] = [];
  const sockets = new Set<Socket>();
  const server = createServer(({ method, url, headers }, response) => {
    requests.push({ line: `${method} ${url}`, headers });
    response.writeHead(502).end();
  });
  server.on("connection", (socket: Socket) => sockets.add(socket));
  server.on("connect", ({ url, headers }, socket: Socket) => {
    requests.push({ line: `CONNECT ${url}`, headers });
    const port = target ?? Number(url?.split(":")[1]);
    const tunnel = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      socket.pipe(tunnel).pipe(socket);
    });
    sockets.add(tunnel);
    for (const end of [socket, tunnel]) end.on("error", () => end.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The proxy has no port.");
  return { port: address.port, requests };
}
