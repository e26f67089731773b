import { once } from "node:events";
import { createServer } from "node:http";

/** A service on this machine. */
export interface Service {
  /** The status monitor of an operation that has succeeded. */
  readonly url: string;
  close(): void;
}

/** Starts a service whose operation ends with its first poll. No token is sent to it: it has plain HTTP. */
export async function startService(): Promise<Service> {
  const server = createServer((_request, response) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ status: "Succeeded" }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("expected a port");
  return {
    url: `http://127.0.0.1:${address.port}/operations/1`,
    close: () => void server.close(),
  };
}
