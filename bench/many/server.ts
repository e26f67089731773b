import { createServer } from "node:http";
import { statusText } from "./operations.ts";

// A server that costs as little as possible, in a process of its own, because the client is measured.
const [polls = "20"] = process.argv.slice(2);
const pollsLeft = new Map<string, number>();

const server = createServer((request, response) => {
  const id = /operationstatuses\/([^?]+)/i.exec(request.url ?? "")?.[1] ?? "";
  const left = (pollsLeft.get(id) ?? Number(polls)) - 1;
  if (left > 0) pollsLeft.set(id, left);
  else pollsLeft.delete(id);
  const text = statusText(id, left > 0 ? "Running" : "Succeeded");
  response.writeHead(200, { "content-type": "application/json", "content-length": text.length });
  response.end(text);
});
server.keepAliveTimeout = 0;
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.send?.(typeof address === "object" && address ? address.port : 0);
});
process.on("disconnect", () => process.exit());
