import { LroClient, createPoller } from "lro-poller";
import type { CancelRequest } from "lro-poller";
import type { OperationServer, Timeline } from "lro-poller/testing";
import { startServer } from "./run-cli.ts";

/** An operation of the emulator, and the resume token of a wait that knows how to cancel it. */
export interface Cancelable {
  readonly server: OperationServer;
  readonly operationId: string;
  readonly token: string;
}

/** Adds an operation, and returns it with a token. With `isRefused` its cancel has no api-version, which is an error. */
export async function cancelable(
  timeline: Timeline = [{ status: "Running" }],
  isRefused = false,
): Promise<Cancelable> {
  const server = await startServer({ style: "operation-location" });
  return { server, ...addCancelable(server, timeline, isRefused) };
}

/** The same at a server of the style `operation-location`. */
export function addCancelable(
  server: OperationServer,
  timeline: Timeline,
  isRefused = false,
): Omit<Cancelable, "server"> {
  const { operationId, operationLocation } = server.addOperation({ timeline });
  const cancel = (url: string): CancelRequest => {
    const { pathname, search } = new URL(url);
    return { method: "POST", url: `${pathname}:cancel${isRefused ? "" : search}` };
  };
  const operation = new LroClient(server.endpoint).operationAt(operationLocation, { cancel });
  return { operationId, token: JSON.stringify(createPoller(operation)) };
}
