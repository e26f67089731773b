import type { ServerResponse } from "node:http";
import type { Clock } from "../index.ts";
import type { Answer } from "./answers.ts";
import type { DeliveryFault, FaultPoint } from "./faults.ts";

/** Puts an answer on the wire, or as much of it as the fault lets through. */
export function deliver(response: ServerResponse, answer: Answer, clock: Clock, fault?: DeliveryFault): void {
  const body = Buffer.from(answer.body);
  const isBodiless = answer.status === 204 || answer.status === 304;
  response.statusCode = answer.status;
  for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value);
  if (!isBodiless) response.setHeader("content-length", body.length);
  switch (fault?.kind) {
    case undefined:
      response.end(body);
      return;
    case "hang":
      return sendUpTo(response, body, fault.when);
    case "reset":
      sendUpTo(response, body, fault.when);
      // Not destroy(): what was sent shall arrive first.
      response.socket?.destroySoon();
      return;
    case "slow":
      return drip(response, body, clock, fault);
  }
}

function sendUpTo(response: ServerResponse, body: Buffer, when: FaultPoint = "beforeHeaders"): void {
  if (when === "afterHeaders") response.flushHeaders();
  if (when === "midBody") response.write(body.subarray(0, Math.ceil(body.length / 2)));
}

function drip(
  response: ServerResponse,
  body: Buffer,
  clock: Clock,
  { chunkBytes = 16, delayInMs = 0 }: Extract<DeliveryFault, { kind: "slow" }>,
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
