import { once } from "node:events";
import { request as sendRequest } from "node:http";
import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseOperationStatus } from "../../src/index.ts";
import { createVirtualClock, startOperationServer } from "../../src/testing/index.ts";
import type { Fault, OperationServer, VirtualClock } from "../../src/testing/index.ts";

let clock: VirtualClock;
let server: OperationServer;

beforeEach(async () => {
  clock = createVirtualClock();
  server = await startOperationServer({ clock });
});

afterEach(() => server.close());

function faulty(fault: Fault): string {
  return server.addOperation({ faults: { 1: fault } }).operationLocation;
}

function pollFaulty(fault: Fault): Promise<Response> {
  return fetch(faulty(fault), { redirect: "manual" });
}

/** Resolves with the headers, so that a test can check what happens to the body. */
function open(url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sendRequest(url, resolve).on("error", reject).end();
  });
}

describe("status", () => {
  test("responds with an ErrorResponse and Retry-After, once", async () => {
    const url = faulty({ kind: "status", status: 503, retryAfter: 30 });
    const response = await fetch(url);
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "30"]);
    expect(await response.json()).toEqual({ error: { code: "Fault503", message: "A fault of 503." } });
    expect((await fetch(url)).status).toBe(200);
  });

  test("accepts headers and a body, as JSON or as text", async () => {
    const json = await pollFaulty({ kind: "status", status: 400, body: { a: 1 }, headers: { "x-a": "b" } });
    expect([await json.json(), json.headers.get("x-a")]).toEqual([{ a: 1 }, "b"]);
    const plain = await pollFaulty({ kind: "status", status: 502, body: "Bad Gateway" });
    expect(await plain.text()).toBe("Bad Gateway");
  });
});

test("a fault that cannot be sent is reported in the response", async () => {
  const response = await pollFaulty({ kind: "status", status: 503, retryAfter: "a\nb" });
  expect([response.status, response.headers.get("x-ms-error-code")]).toEqual([500, "TestServerFailed"]);
});

test("body replaces the status by any text", async () => {
  const response = await pollFaulty({ kind: "body", text: "<html>Sign in</html>" });
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/html"]);
  expect(await response.text()).toBe("<html>Sign in</html>");
  const truncated = await pollFaulty({ kind: "body", text: "{", contentType: "application/json" });
  expect(truncated.headers.get("content-type")).toBe("application/json");
});

test("unauthorized responds with a challenge, also with claims", async () => {
  expect((await pollFaulty({ kind: "unauthorized" })).headers.get("www-authenticate")).toBeNull();
  const plain = await pollFaulty({ kind: "unauthorized", challenge: "Bearer" });
  expect([plain.status, plain.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
  const claims = await pollFaulty({ kind: "unauthorized", claims: '{"a":1}' });
  expect(claims.headers.get("www-authenticate")).toContain(`claims="${btoa('{"a":1}')}"`);
});

test("redirect responds with a location", async () => {
  const response = await pollFaulty({ kind: "redirect", location: "https://example.com/" });
  expect([response.status, response.headers.get("location")]).toEqual([307, "https://example.com/"]);
  expect((await pollFaulty({ kind: "redirect", location: "/a", status: 302 })).status).toBe(302);
});

test("otherOperation responds with a valid status of another operation", async () => {
  const status = parseOperationStatus(await (await pollFaulty({ kind: "otherOperation" })).json());
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

  test("after the body leaves the response whole, which counts as shown", async () => {
    const timeline = [{ status: "Running", polls: 1 }, { status: "Succeeded" }];
    const fault = { kind: "reset", when: "afterBody" } as const;
    const { operationLocation } = server.addOperation({ timeline, faults: { 1: fault } });
    const response = await open(operationLocation);
    const gone = once(response.socket, "close");
    expect(JSON.parse(await text(response))).toMatchObject({ status: "Running" });
    await gone;
    expect((await (await fetch(operationLocation)).json()).status).toBe("Succeeded");
  });

  test("does not count as shown", async () => {
    const timeline = [{ status: "Running", polls: 1 }, { status: "Succeeded" }];
    const { operationLocation } = server.addOperation({ timeline, faults: { 1: { kind: "reset" } } });
    await expect(open(operationLocation)).rejects.toThrow("socket hang up");
    expect((await (await fetch(operationLocation)).json()).status).toBe("Running");
  });
});

describe("hang", () => {
  test("sends nothing until the server closes", async () => {
    const pending = open(faulty({ kind: "hang" }));
    await arrivalOf(1);
    await server.close();
    await expect(pending).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(server.requests[0]?.responseStatus).toBeUndefined();
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
  test("sends the whole body, one chunk for each timer", async () => {
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

  test("leaves no timer when the client closes the connection", async () => {
    const response = await open(faulty({ kind: "slow", chunkBytes: 1, delayInMs: 1000 }));
    expect(clock.pendingTimers).toBe(1);
    response.destroy();
    await server.close();
    expect(clock.pendingTimers).toBe(0);
  });
});

test("stale responds with the first status, though the operation has advanced", async () => {
  const timeline = [
    { status: "NotStarted", durationInMs: 10, percentComplete: { from: 3, to: 9 } },
    { status: "Succeeded", properties: 1 },
  ];
  const { operationLocation } = server.addOperation({ timeline, faults: { 1: { kind: "stale" } } });
  await clock.advance(10);
  const stale = await (await fetch(operationLocation)).json();
  expect(parseOperationStatus(stale)).toMatchObject({ status: "NotStarted", percentComplete: 3 });
  expect(await (await fetch(operationLocation)).json()).toMatchObject({ status: "Succeeded", properties: 1 });
});

describe("late", () => {
  const timeline = [{ status: "Running", durationInMs: 10 }, { status: "Succeeded" }];

  test("comes after its delay and after a later response, with the status at the time of the request", async () => {
    const faults = { 1: { kind: "late", delayInMs: 60_000 } } as const;
    const { operationLocation } = server.addOperation({ timeline, faults });
    const late = fetch(operationLocation);
    await arrivalOf(1);
    await clock.advance(10);
    expect((await (await fetch(operationLocation)).json()).status).toBe("Succeeded");
    expect(server.requests.map(({ responseStatus }) => responseStatus)).toEqual([undefined, 200]);
    await clock.advance(60_000);
    expect((await (await late).json()).status).toBe("Running");
    expect(server.requests[0]?.responseStatus).toBe(200);
  });

  test("is canceled when the client aborts", async () => {
    const controller = new AbortController();
    const late = fetch(faulty({ kind: "late", delayInMs: 1000 }), { signal: controller.signal });
    await arrivalOf(1);
    await untilPending(1);
    controller.abort();
    await expect(late).rejects.toThrow("aborted");
    await untilPending(0);
  });
});

describe("long", () => {
  test("pads the correct response with spaces", async () => {
    const body = await (await pollFaulty({ kind: "long", bytes: 5_000_000 })).text();
    expect(body).toHaveLength(5_000_000);
    expect(parseOperationStatus(JSON.parse(body)).status).toBe("NotStarted");
  });

  test("is compressed with gzip to a thousandth of its size", async () => {
    const response = await pollFaulty({ kind: "long", bytes: 5_000_000, gzip: true });
    expect(response.headers.get("content-encoding")).toBe("gzip");
    expect(Number(response.headers.get("content-length"))).toBeLessThan(10_000);
    expect(await response.text()).toHaveLength(5_000_000);
  });

  test("does not change a longer response", async () => {
    const response = await pollFaulty({ kind: "long", bytes: 1 });
    expect((await response.json()).status).toBe("NotStarted");
  });
});

test("headers are added to the correct response, and replace its own", async () => {
  const headers = { "content-type": "text/html", date: "Wed, 01 Jan 2020 00:00:00 GMT" };
  const response = await pollFaulty({ kind: "headers", headers });
  expect(Object.fromEntries(response.headers)).toMatchObject(headers);
  expect((await response.json()).status).toBe("NotStarted");
});

test("requests for the resource have faults of their own", async () => {
  const resourceFaults = { 1: { kind: "status", status: 503 }, 2: { kind: "stale" } } as const;
  const own = await startOperationServer({
    onInitialRequest: () => ({ timeline: [{ status: "Succeeded" }], resourceFaults }),
  });
  const url = `${own.endpoint}/projects/myProject/users/me/devboxes/b1?api-version=2025-02-01`;
  const initial = await fetch(url, { method: "PUT", body: "{}" });
  await fetch(initial.headers.get("operation-location") ?? "");
  const responses = [await fetch(url), await fetch(url), await fetch(url)];
  expect(responses.map(({ status }) => status)).toEqual([503, 200, 200]);
  const [, stale, fresh] = await Promise.all(responses.map((response) => response.json()));
  expect([stale.provisioningState, fresh.provisioningState]).toEqual(["Creating", "Succeeded"]);
  await own.close();
});

test("a server that goes offline refuses connections, breaks open ones, and comes back with its operations", async () => {
  const { operationLocation } = server.addOperation({ faults: { 1: { kind: "hang" } } });
  const hanging = open(operationLocation);
  await arrivalOf(1);
  await server.goOffline();
  await expect(hanging).rejects.toMatchObject({ code: "ECONNRESET" });
  await expect(open(operationLocation)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  await server.goOffline();
  await server.goOnline();
  await server.goOnline();
  expect((await (await fetch(operationLocation)).json()).status).toBe("NotStarted");
});

describe("failNext", () => {
  test("applies to the next polls of any operation, known or not", async () => {
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

  test("does not apply to polls for which their operation has a fault", async () => {
    server.failNext({ kind: "status", status: 500 });
    const url = faulty({ kind: "status", status: 503 });
    expect([(await fetch(url)).status, (await fetch(url)).status]).toEqual([503, 500]);
  });
});

describe("rejects", () => {
  const wrong: [string, Fault][] = [
    ["faults[1].status: expected an integer from 200 to 599, got 99", { kind: "status", status: 99 }],
    ["faults[1].chunkBytes: expected an integer of at least 1, got 0", { kind: "slow", chunkBytes: 0 }],
    [
      "faults[1].status: expected an integer from 300 to 399",
      { kind: "redirect", location: "/", status: 200 },
    ],
    ["faults[1].location: expected a string", { kind: "redirect", location: "" }],
    ["faults[1].delayInMs: expected a finite number of at least 0", { kind: "late", delayInMs: -1 }],
    ["faults[1].bytes: expected an integer of at least 0, got 1.5", { kind: "long", bytes: 1.5 }],
  ];
  test.each(wrong)("%s", (message, fault) => {
    expect(() => faulty(fault)).toThrow(message);
  });

  test("values that types forbid", () => {
    // @ts-expect-error there is no such kind
    expect(() => faulty({ kind: "explode" })).toThrow(
      'faults[1].kind: expected a kind of fault, got "explode"',
    );
    // @ts-expect-error there is no such moment
    expect(() => server.failNext({ kind: "hang", when: "later" })).toThrow(
      "fault.when: expected one of beforeHeaders, afterHeaders, midBody",
    );
    const first = { 0: { kind: "reset" } } as const;
    expect(() => server.addOperation({ faults: first })).toThrow("a key of faults: expected an integer");
  });
});

/** Waits, by turns of the event loop, until the server has that many timers. */
async function untilPending(timers: number): Promise<void> {
  while (clock.pendingTimers !== timers) await clock.advance(0);
}

/** Waits, by turns of the event loop, until that many requests have arrived. */
async function arrivalOf(requestCount: number): Promise<void> {
  while (server.requests.length < requestCount) await clock.advance(0);
}
