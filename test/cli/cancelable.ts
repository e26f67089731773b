import { LroClient, createPoller } from "lro-poller";
import type { OperationServer, Timeline } from "lro-poller/testing";
import { startServer } from "./run-cli.ts";

/** An operation of the emulator, and the resume token of a wait that knows how to cancel it. */
export interface Cancelable {
  readonly server: OperationServer;
  readonly operationId: string;
  readonly token: string;
}

/** @param isRefused - whether the cancel has no api-version, so that the service refuses it */
export async function cancelable(
  timeline: Timeline = [{ status: "Running" }],
  isRefused = false,
): Promise<Cancelable> {
  const server = await startServer({ style: "operation-location" });
  const { operationId, operationLocation } = server.addOperation({ timeline });
  const cancel = (url: string): { method: "POST"; url: string } => {
    const { pathname, search } = new URL(url);
    return { method: "POST", url: `${pathname}:cancel${isRefused ? "" : search}` };
  };
  const operation = new LroClient(server.endpoint).operationAt(operationLocation, { cancel });
  return { server, operationId, token: JSON.stringify(createPoller(operation)) };
}
