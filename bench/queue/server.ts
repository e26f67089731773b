import { createServer } from "node:http";
import { statusText } from "../many/operations.ts";

// A minimal service in a process of its own, so that the queue is measured. Its operations never end.
const lastPollAt = new Map<string, number>();
let intervalsInMs: number[] = [];
const [responseTimeInMs = "0"] = process.argv.slice(2);

const server = createServer((request, response) => {
  const id = /operationstatuses\/([^?]+)/i.exec(request.url ?? "")?.[1] ?? "";
  const now = performance.now();
  const before = lastPollAt.get(id);
  if (before !== undefined) intervalsInMs.push(now - before);
  lastPollAt.set(id, now);
  const text = statusText(id);
  const respond = (): void => {
    response.writeHead(200, { "content-type": "application/json", "content-length": text.length });
    response.end(text);
  };
  if (responseTimeInMs === "0") respond();
  else setTimeout(respond, Number(responseTimeInMs));
});
server.keepAliveTimeout = 0;
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.send?.(typeof address === "object" && address ? address.port : 0);
});
// Any message is a request for the intervals since the one before.
process.on("message", () => {
  process.send?.(intervalsInMs);
  intervalsInMs = [];
});
process.on("disconnect", () => process.exit());
