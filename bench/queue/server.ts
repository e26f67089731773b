import { createServer } from "node:http";
import { statusText } from "../many/operations.ts";

// A service as cheap as can be, in a process of its own: what is measured is the queue. Its operations never end.
const lastReadAt = new Map<string, number>();
let gapsInMs: number[] = [];
const [answerAfterInMs = "0"] = process.argv.slice(2);

const server = createServer((request, response) => {
  const id = /operationstatuses\/([^?]+)/i.exec(request.url ?? "")?.[1] ?? "";
  const now = performance.now();
  const before = lastReadAt.get(id);
  if (before !== undefined) gapsInMs.push(now - before);
  lastReadAt.set(id, now);
  const text = statusText(id);
  const answer = (): void => {
    response.writeHead(200, { "content-type": "application/json", "content-length": text.length });
    response.end(text);
  };
  if (answerAfterInMs === "0") answer();
  else setTimeout(answer, Number(answerAfterInMs));
});
server.keepAliveTimeout = 0;
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.send?.(typeof address === "object" && address ? address.port : 0);
});
// Any message asks for what was seen since the one before.
process.on("message", () => {
  process.send?.(gapsInMs);
  gapsInMs = [];
});
process.on("disconnect", () => process.exit());
