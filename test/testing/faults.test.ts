import { once } from "node:events";
import { request as sendRequest } from "node:http";
import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseOperationStatus } from "../../src/index.ts";
import { createVirtualClock, startOperationStatusServer } from "../../src/testing/index.ts";
import type { Fault, OperationStatusServer, VirtualClock } from "../../src/testing/index.ts";

let clock: VirtualClock;
let server: OperationStatusServer;

beforeEach(async () => {
  clock = createVirtualClock();
  server = await startOperationStatusServer({ clock });
});

afterEach(() => server.close());

function faulty(fault: Fault): string {
  return server.addOperation({ faults: { 1: fault } }).operationLocation;
}

function readFaulty(fault: Fault): Promise<Response> {
  return fetch(faulty(fault), { redirect: "manual" });
}

/** As far as the answer comes: its headers, so that a test can see what happens to the body. */
function open(url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sendRequest(url, resolve).on("error", reject).end();
  });
}

describe("status", () => {
  test("answers with an ErrorResponse and Retry-After, once", async () => {
    const url = faulty({ kind: "status", status: 503, retryAfter: 30 });
    const response = await fetch(url);
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "30"]);
    expect(await response.json()).toEqual({ error: { code: "Fault503", message: "A fault of 503." } });
    expect((await fetch(url)).status).toBe(200);
  });

  test("takes headers and a body, as JSON or as text", async () => {
    const json = await readFaulty({ kind: "status", status: 400, body: { a: 1 }, headers: { "x-a": "b" } });
    expect([await json.json(), json.headers.get("x-a")]).toEqual([{ a: 1 }, "b"]);
    const plain = await readFaulty({ kind: "status", status: 502, body: "Bad Gateway" });
    expect(await plain.text()).toBe("Bad Gateway");
  });
});

test("what cannot be sent shows in the answer", async () => {
  const response = await readFaulty({ kind: "status", status: 503, retryAfter: "a\nb" });
  expect([response.status, response.headers.get("x-ms-error-code")]).toEqual([500, "TestServerFailed"]);
});

test("body puts anything in place of the status", async () => {
  const response = await readFaulty({ kind: "body", text: "<html>Sign in</html>" });
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/html"]);
  expect(await response.text()).toBe("<html>Sign in</html>");
  const truncated = await readFaulty({ kind: "body", text: "{", contentType: "application/json" });
  expect(truncated.headers.get("content-type")).toBe("application/json");
});

test("unauthorized challenges, with claims too", async () => {
  expect((await readFaulty({ kind: "unauthorized" })).headers.get("www-authenticate")).toBeNull();
  const plain = await readFaulty({ kind: "unauthorized", challenge: "Bearer" });
  expect([plain.status, plain.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
  const claims = await readFaulty({ kind: "unauthorized", claims: '{"a":1}' });
  expect(claims.headers.get("www-authenticate")).toContain(`claims="${btoa('{"a":1}')}"`);
});

test("redirect sends elsewhere", async () => {
  const response = await readFaulty({ kind: "redirect", location: "https://example.com/" });
  expect([response.status, response.headers.get("location")]).toEqual([307, "https://example.com/"]);
  expect((await readFaulty({ kind: "redirect", location: "/a", status: 302 })).status).toBe(302);
});

test("otherOperation brings a valid status of another one", async () => {
  const status = parseOperationStatus(await (await readFaulty({ kind: "otherOperation" })).json());
  expect(status).toMatchObject({ name: "00000000-0000-0000-0000-000000000000", status: "Succeeded" });
});

describe("reset", () => {
  test("breaks the connection before the headers", async () => {
    await expect(open(faulty({ kind: "reset" }))).rejects.toMatchObject({ code: "ECONNRESET" });
  });

  test.each(["afterHeaders", "midBody"] as const)("breaks it %s", async (when) => {
    const response = await open(faulty({ kind: "reset", when }));
    expect(response.statusCode).toBe(200);
    await expect(text(response)).rejects.toMatchObject({ code: "ECONNRESET" });
  });

  test("does not count as shown", async () => {
    const timeline = [{ status: "Running", reads: 1 }, { status: "Succeeded" }];
    const { operationLocation } = server.addOperation({ timeline, faults: { 1: { kind: "reset" } } });
    await expect(open(operationLocation)).rejects.toThrow("socket hang up");
    expect((await (await fetch(operationLocation)).json()).status).toBe("Running");
  });
});

describe("hang", () => {
  test("says nothing until the server is closed", async () => {
    const pending = open(faulty({ kind: "hang" }));
    await arrivalOf(1);
    await server.close();
    await expect(pending).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(server.requests[0]?.answeredStatus).toBeUndefined();
  });

  test("stops in the body", async () => {
    const response = await open(faulty({ kind: "hang", when: "midBody" }));
    const [chunk] = await once(response, "data");
    expect(chunk).toHaveLength(Math.ceil(Number(response.headers["content-length"]) / 2));
    await server.close();
    await expect(text(response)).rejects.toMatchObject({ code: "ECONNRESET" });
  });
});

describe("slow", () => {
  test("drips the whole body, a chunk at a tick of the clock", async () => {
    const response = await open(faulty({ kind: "slow", chunkBytes: 100, delayInMs: 60_000 }));
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    await once(response, "data");
    expect(Buffer.concat(chunks)).toHaveLength(100);
    const ended = once(response, "end");
    await clock.advance(600_000);
    await ended;
    expect(JSON.parse(String(Buffer.concat(chunks)))).toMatchObject({ status: "NotStarted" });
    expect(clock.pendingTimers).toBe(0);
  });

  test("leaves no timer behind when the reader goes", async () => {
    const response = await open(faulty({ kind: "slow", chunkBytes: 1, delayInMs: 1000 }));
    expect(clock.pendingTimers).toBe(1);
    response.destroy();
    await server.close();
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("failNext", () => {
  test("hits the next reads, of any operation, known or not", async () => {
    const { operationLocation } = server.addOperation();
    const unknown = operationLocation.replace(/operationstatuses\/.{8}/, "operationstatuses/00000000");
    server.failNext({ kind: "status", status: 500 }, 2);
    server.failNext({ kind: "status", status: 429 });
    const seen: number[] = [];
    for (const url of [operationLocation, unknown, operationLocation, operationLocation, unknown]) {
      seen.push((await fetch(url)).status);
    }
    expect(seen).toEqual([500, 500, 429, 200, 404]);
  });

  test("waits behind an operation's own faults", async () => {
    server.failNext({ kind: "status", status: 500 });
    const url = faulty({ kind: "status", status: 503 });
    expect([(await fetch(url)).status, (await fetch(url)).status]).toEqual([503, 500]);
  });
});

describe("refuses", () => {
  const wrong: [string, Fault][] = [
    ["faults[1].status: expected an integer from 200 to 599, got 99", { kind: "status", status: 99 }],
    ["faults[1].chunkBytes: expected an integer of at least 1, got 0", { kind: "slow", chunkBytes: 0 }],
    [
      "faults[1].status: expected an integer from 300 to 399",
      { kind: "redirect", location: "/", status: 200 },
    ],
    ["faults[1].location: expected a string", { kind: "redirect", location: "" }],
  ];
  test.each(wrong)("%s", (message, fault) => {
    expect(() => faulty(fault)).toThrow(message);
  });

  test("what types refuse too", () => {
    // @ts-expect-error there is no such kind
    expect(() => faulty({ kind: "explode" })).toThrow(
      'faults[1].kind: expected a kind of fault, got "explode"',
    );
    // @ts-expect-error there is no such moment
    expect(() => server.failNext({ kind: "hang", when: "later" })).toThrow(
      "fault.when: expected beforeHeaders",
    );
    const first = { 0: { kind: "reset" } } as const;
    expect(() => server.addOperation({ faults: first })).toThrow("a key of faults: expected an integer");
  });
});

/** Turns of the event loop, until that many requests have come. */
async function arrivalOf(requestCount: number): Promise<void> {
  while (server.requests.length < requestCount) await clock.advance(0);
}
