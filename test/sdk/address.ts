import type { AddressInfo } from "node:net";
import type { Server } from "node:https";

/** Returns the address of a server that listens on a port. */
export function addressOf(server: Server): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no port.");
  return address;
}
