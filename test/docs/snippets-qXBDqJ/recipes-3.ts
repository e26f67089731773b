import { once } from "node:events";
import { createServer } from "node:http";
import type { ServerResponse } from "node:http";
import { DefaultAzureCredential } from "@azure/identity";
import { OperationStatusesClient } from "lro-poller";
import type { Poller } from "lro-poller";

const { ENDPOINT = "", PROJECT = "", PORT = "0" } = process.env;

const client = new OperationStatusesClient(ENDPOINT, new DefaultAzureCredential());
const pollers = new Map<string, Poller>();

const server = createServer((request, response) => {
  const [, name = "", part] = (request.url ?? "").split("/");
  if (request.method === "PUT") return create(name, response);
  const poller = pollers.get(name);
  if (poller === undefined) return void response.writeHead(404).end();
  if (part === "events") return void sendEvents(poller, response);
  const headers = { "content-type": "application/json", ...(poller.isDone ? {} : { "retry-after": "2" }) };
  response.writeHead(200, headers).end(JSON.stringify({ status: poller.status ?? "NotStarted" }));
});

function create(name: string, response: ServerResponse): void {
  const poller = client.createDevBox(PROJECT, "me", name, { poolName: "myPool" });
  pollers.set(name, poller);
  // Polls also without a client. The outcome is in the poller's status.
  poller.pollUntilDone().catch((error: unknown) => console.error(error));
  response.writeHead(202, { "operation-location": `/${name}` }).end();
}

/** Server-sent events: the latest progress at once, then all later progress. */
async function sendEvents(poller: Poller, response: ServerResponse): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream" });
  for await (const { status, percentComplete, estimatedRemainingInMs } of poller) {
    if (response.destroyed) return;
    response.write(`data: ${JSON.stringify({ status, percentComplete, estimatedRemainingInMs })}\n\n`);
  }
  response.end();
}

server.listen(Number(PORT), "127.0.0.1");
await once(server, "listening");
const address = server.address();
const origin = typeof address === "object" ? `http://127.0.0.1:${address?.port}` : "";

// As a client sees it:
const started = await fetch(`${origin}/my-dev-box`, { method: "PUT" });
const monitor = `${origin}${started.headers.get("operation-location")}`;
const events = await (await fetch(`${monitor}/events`)).text();
console.log(started.status, events.split("\n\n").at(-2));
console.log(await (await fetch(monitor)).json());
server.close();
