import type { ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import type { Clock } from "../index.ts";
import type { WireResponse } from "./responses.ts";
import type { DeliveryFault } from "./faults.ts";

type Fault<Kind extends DeliveryFault["kind"]> = Extract<DeliveryFault, { kind: Kind }>;

/** Calls back when the answer is to be sent: at once, unless it is late, and never once nobody waits for it. */
export function whenDue(
  response: ServerResponse,
  clock: Clock,
  fault: DeliveryFault | undefined,
  send: () => void,
): void {
  if (fault?.kind !== "late") return send();
  response.once("close", clock.setTimer(send, fault.delayInMs));
}

/** Puts an answer on the wire, or as much of it as the fault lets through. */
export function deliver(
  response: ServerResponse,
  answer: WireResponse,
  clock: Clock,
  fault?: DeliveryFault,
): void {
  const body = fault?.kind === "long" ? filledUp(answer.body, fault) : Buffer.from(answer.body);
  setHead(response, answer, body.length, fault);
  switch (fault?.kind) {
    case "hang":
      return sendUpTo(response, body, fault.when);
    case "reset":
      return sendAndBreak(response, body, fault);
    case "slow":
      return drip(response, body, clock, fault);
    case undefined:
    case "late":
    case "long":
    case "headers":
      response.end(body);
  }
}

function setHead(
  response: ServerResponse,
  { status, headers }: WireResponse,
  bodyLength: number,
  fault: DeliveryFault | undefined,
): void {
  const isBodiless = status === 204 || status === 304;
  response.statusCode = status;
  const more = fault?.kind === "headers" ? fault.headers : {};
  for (const [name, value] of Object.entries({ ...headers, ...more })) response.setHeader(name, value);
  if (fault?.kind === "long" && fault.gzip) response.setHeader("content-encoding", "gzip");
  if (!isBodiless) response.setHeader("content-length", bodyLength);
}

function sendUpTo(response: ServerResponse, body: Buffer, when: Fault<"reset">["when"]): void {
  if (when === "afterHeaders") response.flushHeaders();
  if (when === "midBody") response.write(body.subarray(0, Math.ceil(body.length / 2)));
  if (when === "afterBody") response.end(body);
}

function sendAndBreak(response: ServerResponse, body: Buffer, { when }: Fault<"reset">): void {
  // Ended, an answer lets go of its socket.
  const { socket } = response;
  sendUpTo(response, body, when);
  // Not destroy(): what was sent shall arrive first.
  socket?.destroySoon();
}

function drip(
  response: ServerResponse,
  body: Buffer,
  clock: Clock,
  { chunkBytes = 16, delayInMs = 0 }: Fault<"slow">,
): void {
  let callOff: (() => void) | undefined;
  const sendFrom = (offset: number): void => {
    response.write(body.subarray(offset, offset + chunkBytes));
    const next = offset + chunkBytes;
    if (next >= body.length) response.end();
    else callOff = clock.setTimer(() => sendFrom(next), delayInMs);
  };
  response.once("close", () => callOff?.());
  sendFrom(0);
}

const pieceBytes = 2 ** 20;

function filledUp(text: string, { bytes, gzip = false }: Fault<"long">): Buffer {
  const missing = Math.max(0, bytes - Buffer.byteLength(text));
  if (!gzip) return Buffer.from(text + " ".repeat(missing));
  // Packed pieces make a packed whole: a bomb of gigabytes costs its server a piece.
  const piece = gzipSync(Buffer.alloc(pieceBytes, " "));
  const pieces = Array.from({ length: Math.floor(missing / pieceBytes) }, () => piece);
  const rest = Buffer.alloc(missing % pieceBytes, " ");
  return Buffer.concat([gzipSync(text), ...pieces, gzipSync(rest)]);
}
