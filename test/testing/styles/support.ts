import { onTestFinished } from "vitest";
import { createVirtualClock, startOperationServer } from "lro-poller/testing";
import type { OperationPlan, OperationServer, OperationServerOptions } from "lro-poller/testing";

/** A response: the status code, the headers that matter, and the parsed body. */
export interface Received {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** A server, and the requests of a test to it. */
export interface Emulator {
  readonly server: OperationServer;
  readonly send: (method: string, pathOrUrl: string, body?: unknown) => Promise<Received>;
}

/** Starts a server whose operations run for two polls by default. It closes after the test. */
export async function emulate(options: OperationServerOptions, plan: OperationPlan = {}): Promise<Emulator> {
  const timeline = [{ status: "Running", polls: 2 }, { status: "Succeeded" }];
  const onInitialRequest = (): OperationPlan => ({ timeline, ...plan });
  const server = await startOperationServer({
    clock: createVirtualClock(),
    onInitialRequest,
    ...options,
  });
  onTestFinished(() => server.close());
  return { server, send: (method, pathOrUrl, body) => send(server, method, pathOrUrl, body) };
}

async function send(
  { endpoint }: OperationServer,
  method: string,
  pathOrUrl: string,
  body: unknown,
): Promise<Received> {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  const response = await fetch(new URL(pathOrUrl, endpoint), init);
  const text = await response.text();
  const parsed: unknown = text === "" ? undefined : JSON.parse(text);
  return { status: response.status, headers: headersOf(response, endpoint), body: parsed };
}

const shownHeaders = [
  "azure-asyncoperation",
  "location",
  "operation-location",
  "retry-after",
  "www-authenticate",
  "x-ms-error-code",
  "x-ms-operation-id",
  "x-ms-public-api-error-code",
];

function headersOf({ headers }: Response, endpoint: string): Readonly<Record<string, string>> {
  const shown = [...headers].filter(([name]) => shownHeaders.includes(name));
  return Object.fromEntries(shown.map(([name, value]) => [name, value.replace(endpoint, "")]));
}
