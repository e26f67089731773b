import type { ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import type { Clock } from "../index.ts";
import type { WireResponse } from "./styles/responses.ts";
import type { DeliveryFault } from "./faults.ts";

type Fault<Kind extends DeliveryFault["kind"]> = Extract<DeliveryFault, { kind: Kind }>;

/** Calls back when the response is due: at once, unless it is late. Never after the client has closed the connection. */
export function whenDue(
  response: ServerResponse,
  clock: Clock,
  fault: DeliveryFault | undefined,
  send: () => void,
): void {
  if (fault?.kind !== "late") return send();
  response.once("close", clock.setTimer(send, fault.delayInMs));
}

/** Sends the content, or as much of it as the fault lets through. */
export function deliver(
  response: ServerResponse,
  content: WireResponse,
  clock: Clock,
  fault?: DeliveryFault,
): void {
  const body = fault?.kind === "long" ? padded(content.body, fault) : Buffer.from(content.body);
  const headers = { ...content.headers, ...(fault?.kind === "headers" && fault.headers) };
  response.statusCode = content.status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (fault?.kind === "long" && fault.gzip) response.setHeader("content-encoding", "gzip");
  if (content.status !== 204 && content.status !== 304) response.setHeader("content-length", body.length);
  switch (fault?.kind) {
    case "hang":
      return sendUpTo(response, body, fault.when);
    case "reset":
      return sendAndReset(response, body, fault);
    case "slow":
      return sendSlowly(response, body, clock, fault);
    case undefined:
    case "late":
    case "long":
    case "headers":
      response.end(body);
  }
}

function sendUpTo(response: ServerResponse, body: Buffer, when: Fault<"reset">["when"]): void {
  if (when === "afterHeaders") response.flushHeaders();
  if (when === "midBody") response.write(body.subarray(0, Math.ceil(body.length / 2)));
  if (when === "afterBody") response.end(body);
}

function sendAndReset(response: ServerResponse, body: Buffer, { when }: Fault<"reset">): void {
  // Taken before the response ends, which detaches its socket.
  const { socket } = response;
  sendUpTo(response, body, when);
  // Not destroy(), which would discard what is still to be sent.
  socket?.destroySoon();
}

function sendSlowly(
  response: ServerResponse,
  body: Buffer,
  clock: Clock,
  { chunkBytes = 16, delayInMs = 0 }: Fault<"slow">,
): void {
  let cancelTimer: (() => void) | undefined;
  const sendFrom = (offset: number): void => {
    response.write(body.subarray(offset, offset + chunkBytes));
    const next = offset + chunkBytes;
    if (next >= body.length) response.end();
    else cancelTimer = clock.setTimer(() => sendFrom(next), delayInMs);
  };
  response.once("close", () => cancelTimer?.());
  sendFrom(0);
}

const paddingChunkBytes = 2 ** 20;

function padded(text: string, { bytes, gzip = false }: Fault<"long">): Buffer {
  const missing = Math.max(0, bytes - Buffer.byteLength(text));
  if (!gzip) return Buffer.from(text + " ".repeat(missing));
  // Concatenated gzip members are valid gzip: a bomb of gigabytes needs one compressed chunk.
  const chunk = gzipSync(Buffer.alloc(paddingChunkBytes, " "));
  const chunks = Array.from({ length: Math.floor(missing / paddingChunkBytes) }, () => chunk);
  const rest = Buffer.alloc(missing % paddingChunkBytes, " ");
  return Buffer.concat([gzipSync(text), ...chunks, gzipSync(rest)]);
}
