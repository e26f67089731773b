import { once } from "node:events";
import { get as getSecurely } from "node:https";
import { connect } from "node:net";
import { generate } from "selfsigned";
import { afterEach, describe, expect, test } from "vitest";
import { createVirtualClock, startOperationServer } from "../../src/testing/index.ts";
import type { OperationServer, OperationServerOptions } from "../../src/testing/index.ts";

let server: OperationServer | undefined;

afterEach(() => server?.close());

async function start(options?: OperationServerOptions): Promise<OperationServer> {
  server = await startOperationServer(options);
  return server;
}

describe("the address", () => {
  test("is on the loopback interface, at a free port or the given one", async () => {
    const first = await start();
    expect(first.endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    await first.close();
    const port = Number(new URL(first.endpoint).port);
    expect((await start({ port })).endpoint).toBe(first.endpoint);
    await expect(startOperationServer({ port })).rejects.toMatchObject({ code: "EADDRINUSE" });
  });

  test("may be secured by TLS, for responses and for faults", async () => {
    const altNames = [{ type: 7 as const, ip: "127.0.0.1" }];
    const extensions = [{ name: "subjectAltName" as const, altNames }];
    const { private: key, cert } = await generate(undefined, { extensions });
    const secure = await start({ tls: { key, cert } });
    const { operationLocation } = secure.addOperation({ faults: { 2: { kind: "reset" } } });
    const [response] = await once(getSecurely(operationLocation, { ca: cert, agent: false }), "response");
    expect(secure.endpoint).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect(response).toMatchObject({ statusCode: 200, headers: { "operation-location": operationLocation } });
    const broken = once(getSecurely(operationLocation, { ca: cert, agent: false }), "response");
    await expect(broken).rejects.toMatchObject({ code: "ECONNRESET" });
  });
});

test("requests are recorded with the status of their responses", async () => {
  const clock = createVirtualClock();
  const logging = await start({ clock });
  const { operationId, operationLocation } = logging.addOperation();
  await clock.advance(5);
  await fetch(operationLocation, { headers: { "x-mine": "1" } });
  await fetch(operationLocation);
  await fetch(`${logging.endpoint}/nowhere`, { method: "POST" });
  expect(logging.requests).toMatchObject([
    { method: "GET", url: operationLocation, operationId, pollNumber: 1, responseStatus: 200, receivedAt: 5 },
    { pollNumber: 2, headers: expect.not.objectContaining({ "x-mine": "1" }) },
    { method: "POST", path: "/nowhere", responseStatus: 404 },
  ]);
  expect(logging.requests[0]?.headers["x-mine"]).toBe("1");
  expect(logging.requests[2]).not.toHaveProperty("operationId");
});

describe("the rate limit", () => {
  async function send(limited: OperationServer): Promise<(number | string | null)[]> {
    const { status, headers } = await fetch(limited.endpoint);
    return [status, headers.get("x-rate-limit-remaining"), headers.get("retry-after")];
  }

  test("responds to further requests with 429 until the minute ends", async () => {
    const clock = createVirtualClock();
    const limited = await start({ clock, requestsPerMinute: 2 });
    expect([await send(limited), await send(limited)]).toEqual([
      [404, "1", null],
      [404, "0", null],
    ]);
    await clock.advance(15_500);
    expect(await send(limited)).toEqual([429, "0", "45"]);
    await clock.advance(44_500);
    expect(await send(limited)).toEqual([404, "1", null]);
  });

  test.each([
    [120, "120"],
    ["soon", "soon"],
    [null, null],
  ])("has a Retry-After of %s", async (rateLimitRetryAfter, header) => {
    const limited = await start({ requestsPerMinute: 0, rateLimitRetryAfter });
    expect(await send(limited)).toEqual([429, "0", header]);
  });

  test("is none by default, but counts down", async () => {
    const clock = createVirtualClock();
    const unlimited = await start({ clock });
    const responses = await Promise.all(Array.from({ length: 301 }, () => send(unlimited)));
    expect(new Set(responses.map(([status]) => status))).toEqual(new Set([404]));
    expect(await send(unlimited)).toEqual([404, "0", null]);
  });
});

test("requireAuthorization gets the token, and is not called for a preflight request", async () => {
  const tokens: (string | undefined)[] = [];
  const guarded = await start({
    requireAuthorization: (token) => {
      tokens.push(token);
      return token === "good";
    },
  });
  const { operationLocation } = guarded.addOperation();
  const seen: number[] = [];
  for (const authorization of ["Bearer good", "Bearer bad", "Basic good", ""]) {
    seen.push((await fetch(operationLocation, { headers: { authorization } })).status);
  }
  expect(seen).toEqual([200, 401, 401, 401]);
  expect(tokens).toEqual(["good", "bad", undefined, undefined]);
  expect((await fetch(operationLocation, { method: "OPTIONS" })).status).toBe(204);
});

test("a 401 says whether the request has a token", async () => {
  const guarded = await start({ requireAuthorization: () => false });
  const open = await start();
  const fault = { kind: "unauthorized" } as const;
  const locations = [
    guarded.addOperation().operationLocation,
    open.addOperation({ faults: { 1: fault, 2: fault } }).operationLocation,
  ];
  for (const location of locations) {
    expect(await messageOf(location)).toBe("The request has no token.");
    expect(await messageOf(location, { authorization: "Bearer bad" })).toBe("The token is not accepted.");
  }

  async function messageOf(location: string, headers: Record<string, string> = {}): Promise<unknown> {
    const response = await fetch(location, { headers });
    expect(response.status).toBe(401);
    return (await response.json()).error.message;
  }
});

describe("close", () => {
  test("breaks idle connections and that of half a request, and may be called again", async () => {
    const closing = await start();
    const { endpoint } = closing;
    await (await fetch(endpoint)).text();
    const socket = connect(Number(new URL(endpoint).port), "127.0.0.1");
    await once(socket, "connect");
    socket.write("GET / HT");
    const ended = once(socket, "close");
    await fetch(endpoint);
    await closing.close();
    await ended;
    await closing.close();
    await expect(fetch(endpoint)).rejects.toThrow("fetch failed");
  });

  test("is called at the end of an `await using` block", async () => {
    let endpoint = "";
    {
      await using scoped = await startOperationServer();
      endpoint = scoped.endpoint;
      expect((await fetch(endpoint)).status).toBe(404);
    }
    await expect(fetch(endpoint)).rejects.toThrow("fetch failed");
  });
});

describe("rejects", () => {
  const wrong: [string, OperationServerOptions][] = [
    ["port: expected an integer from 0 to 65535, got 70000", { port: 70_000 }],
    ["speed: expected a finite number", { speed: 0 }],
    ["requestsPerMinute: expected an integer of at least 0, got 1.5", { requestsPerMinute: 1.5 }],
    ["tls.key: expected a string that is not empty", { tls: { key: "", cert: "c" } }],
  ];
  test.each(wrong)("%s", async (message, options) => {
    await expect(startOperationServer(options)).rejects.toThrow(message);
  });

  test("operations that the service could not have", async () => {
    const strict = await start();
    const { operationId } = strict.addOperation();
    expect(() => strict.addOperation({ operationId })).toThrow(
      `operationId: expected a new one, got ${operationId}`,
    );
    expect(() => strict.addOperation({ operationId: "1" })).toThrow("operationId: expected text like /^[a-z");
    expect(() => strict.addOperation({ projectName: "ab" })).toThrow(
      "projectName: expected text like /^[a-z",
    );
  });
});
