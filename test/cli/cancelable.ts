import { LroClient, createPoller } from "lro-poller";
import type { OperationServer, Timeline } from "lro-poller/testing";
import { startServer } from "./run-cli.ts";

/** An operation of the emulator, and the resume token of a wait that knows how to cancel it. */
export interface Cancelable {
  readonly server: OperationServer;
  readonly operationId: string;
  readonly token: string;
}

/** @param suffix - that of the cancel's URL after the operation's; the emulator knows `:cancel` */
export async function cancelable(
  timeline: Timeline = [{ status: "Running" }],
  suffix = ":cancel",
): Promise<Cancelable> {
  const server = await startServer({ style: "operation-location" });
  const { operationId, operationLocation } = server.addOperation({ timeline });
  const cancel = (url: string): { method: "POST"; url: string } => {
    const { pathname, search } = new URL(url);
    return { method: "POST", url: `${pathname}${suffix}${search}` };
  };
  const operation = new LroClient(server.endpoint).operationAt(operationLocation, { cancel });
  return { server, operationId, token: JSON.stringify(createPoller(operation)) };
}
