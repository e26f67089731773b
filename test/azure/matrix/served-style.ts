import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { InitialRequest } from "lro-poller";
import { startOperationServer } from "lro-poller/testing";
import type { OperationStyle } from "lro-poller/testing";
import { properties } from "./styles.ts";
import type { WireStyle } from "./styles.ts";

/** A service on this machine, whose operations run for some polls and then succeed. */
interface Service {
  readonly origin: string;
  /** Returns how many requests of a method have come. */
  readonly count: (method: string) => number;
  /** Ends the operations before their time. */
  readonly finish: () => void;
  readonly close: () => Promise<void>;
}

/** The service of a style. */
export interface ServedStyle extends Service {
  readonly request: InitialRequest;
  /** Starts an operation without the library. Returns the URL to poll. */
  readonly start: () => Promise<string>;
}

/** @param runningPolls - for how many polls an operation runs */
export async function serveStyle(
  { service, method, path, header }: WireStyle,
  runningPolls = 2,
): Promise<ServedStyle> {
  const served = service === "graph" ? await serveCopy(runningPolls) : await emulate(service, runningPolls);
  const url = served.origin + path;
  const request = { method, url, body: {} };
  if (method === "DELETE") await send({ ...request, method: "PUT" });
  return {
    ...served,
    request,
    async start() {
      const { headers } = await send(request);
      return (header && headers.get(header)) ?? url;
    },
  };
}

function send({ method, url }: InitialRequest): Promise<Response> {
  return fetch(url, { method, headers: { "content-type": "application/json" }, body: "{}" });
}

async function emulate(style: OperationStyle, polls: number): Promise<Service> {
  const succeeded = { status: "Succeeded", properties } as const;
  const server = await startOperationServer({
    style,
    requireAuthorization: () => true,
    onInitialRequest: () => ({ timeline: [{ status: "Running", polls }, succeeded], retryAfter: null }),
  });
  return {
    origin: server.endpoint,
    count: (method) => server.requests.filter((request) => request.method === method).length,
    finish() {
      for (const { operationId } of server.requests) {
        if (operationId !== undefined) server.setStatus(operationId, succeeded);
      }
    },
    close: () => server.close(),
  };
}

const copying = { operation: "ItemCopy", percentageComplete: 27.8, status: "inProgress" };
const copied = { percentageComplete: 100, resourceId: "01MOWKYVJML57KN2ANMB", status: "completed" };

/** Serves one copy in Microsoft Graph. */
async function serveCopy(runningPolls: number): Promise<Service> {
  let pollsLeft = runningPolls;
  const methods: (string | undefined)[] = [];
  const server = createServer(({ method, headers }: IncomingMessage, response: ServerResponse) => {
    methods.push(method);
    if (method === "POST") {
      response.writeHead(202, { location: `http://${headers.host}/monitor/1` }).end();
      return;
    }
    const body = pollsLeft-- > 0 ? copying : copied;
    response.writeHead(202, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no port.");
  return {
    origin: `http://127.0.0.1:${address.port}`,
    count: (wanted) => methods.filter((method) => method === wanted).length,
    finish() {
      pollsLeft = 0;
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
