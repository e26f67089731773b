import { describe, expect, test } from "vitest";
import type { FinalStateVia } from "lro-poller";
import { rejection } from "../../support/rejections.ts";
import type { Route } from "../../support/route-server.ts";
import { start, clientOf, fast, on, requestOf, serve } from "./support.ts";

const at = "/operations/7";
const statusRequest = `GET ${at}`;
const monitor = { headers: { "operation-location": at } };
const running = { body: { status: "Running" } };
const succeeded = { body: { status: "Succeeded" } };
const box = { body: { id: "b1", provisioningState: "Succeeded" } };
const outage = { body: { error: { code: "Busy", message: "Come back." } } };

const viaAll: FinalStateVia[] = ["azure-async-operation", "location", "operation-location", "original-uri"];

describe("the result", () => {
  const places = {
    "the original URL": [on("GET /boxes/b1", 200, { body: { from: "the original URL" } })],
    Location: [on("GET /results/7", 200, { body: { from: "Location" } })],
    "the monitor": [],
  } satisfies Record<string, Route[]>;

  test.each<[string, FinalStateVia | undefined, keyof typeof places]>([
    ...viaAll.map((via): [string, FinalStateVia, keyof typeof places] => ["PUT", via, "the original URL"]),
    ["PUT", undefined, "the original URL"],
    // As Azure's SDKs for JavaScript and Python have it: a PATCH shows its resource, and a monitor seldom does.
    ["PATCH", "azure-async-operation", "the original URL"],
    ["PATCH", "location", "Location"],
    ["PATCH", "operation-location", "the original URL"],
    ["PATCH", "original-uri", "the original URL"],
    ["PATCH", undefined, "Location"],
    ["POST", "azure-async-operation", "the monitor"],
    ["POST", "location", "Location"],
    ["POST", "operation-location", "the monitor"],
    ["POST", "original-uri", "the original URL"],
    ["POST", undefined, "Location"],
    ...viaAll.map((via): [string, FinalStateVia, keyof typeof places] => ["DELETE", via, "the monitor"]),
    ["DELETE", undefined, "the monitor"],
  ])("of a %s with final-state-via %s comes from %s", async (method, finalStateVia, from) => {
    const server = await serve([
      on(`${method} /boxes/b1`, 202, { headers: { ...monitor.headers, location: "/results/7" } }),
      on(statusRequest, 200, { body: { status: "Succeeded", properties: { from: "the monitor" } } }),
      ...places[from],
    ]);
    const poller = start(server, `${method} /boxes/b1`, finalStateVia ? { finalStateVia } : {});
    expect(await poller.pollUntilDone()).toEqual({ from });
    server.assertFinished();
  });

  test.each<[string, unknown]>([
    ["an array", ["Synced 3 items."]],
    ["a string", '"3 items"'],
    ["a number", 7],
    ["zero", 0],
    ["false", false],
    ["null", null],
  ])("may be %s, in the monitor and elsewhere", async (_, body) => {
    const parsed: unknown = typeof body === "string" ? JSON.parse(body) : body;
    const server = await serve([
      on("POST /boxes/b1", 202, { headers: { ...monitor.headers, location: "/results/7" } }),
      on(statusRequest, 200, succeeded),
      on("GET /results/7", 200, { body }),
      on("POST /boxes/b2", 202, monitor),
      on(statusRequest, 200, { body: { status: "Succeeded", result: parsed, id: "7" } }),
    ]);
    expect(await start(server, "POST /boxes/b1").pollUntilDone()).toEqual(parsed);
    const inMonitor = await start(server, "POST /boxes/b2").pollUntilDone();
    expect(inMonitor).toEqual(parsed === null ? { status: "Succeeded", result: null, id: "7" } : parsed);
    server.assertFinished();
  });

  test("leads to Succeeded only once it is there", async () => {
    const server = await serve([
      on("PUT /boxes/b1", 201, monitor),
      on(statusRequest, 200, running),
      on(statusRequest, 200, succeeded),
      on("GET /boxes/b1", 200, box),
    ]);
    const seen: unknown[] = [];
    const poller = start(server, "PUT /boxes/b1", {
      onProgress: ({ status, nextPollInMs, operation }) =>
        seen.push([status, nextPollInMs === undefined, operation.properties]),
    });
    await poller.pollUntilDone();
    expect(seen).toEqual([
      ["NotStarted", false, undefined],
      ["Running", false, undefined],
      ["Succeeded", false, undefined],
      ["Succeeded", true, box.body],
    ]);
  });
});

describe("the request for the result", () => {
  test.each([408, 429, 500, 503])("is retried after a %i", async (status) => {
    const server = await serve([
      on("PUT /boxes/b1", 201, monitor),
      on(statusRequest, 200, succeeded),
      on("GET /boxes/b1", status, outage),
      on("GET /boxes/b1", status, outage),
      on("GET /boxes/b1", 200, box),
    ]);
    const poller = start(server, "PUT /boxes/b1");
    expect(await poller.pollUntilDone()).toEqual(box.body);
    server.assertFinished();
  });

  test("is retried after a 404 within the grace period, because a new resource may not be replicated yet", async () => {
    const server = await serve([
      on("PUT /boxes/b1", 201, monitor),
      on(statusRequest, 200, succeeded),
      on("GET /boxes/b1", 404),
      on("GET /boxes/b1", 404),
      on("GET /boxes/b1", 200, box),
    ]);
    const poller = start(server, "PUT /boxes/b1", { outageToleranceInMs: 0 });
    expect(await poller.pollUntilDone()).toEqual(box.body);
    server.assertFinished();
  });

  test.each([
    ["404, after the grace", 404, { notFoundGraceInMs: 0 }],
    ["403", 403, {}],
    ["503, after the outage tolerance", 503, { outageToleranceInMs: 0 }],
  ])("ends the wait by a %s, although the operation has succeeded", async (_, status, options) => {
    const server = await serve([
      on("PUT /boxes/b1", 201, monitor),
      on(statusRequest, 200, succeeded),
      on("GET /boxes/b1", status, outage),
    ]);
    const poller = start(server, "PUT /boxes/b1", options);
    const failure = await rejection(poller.pollUntilDone());
    expect(failure).toMatchObject({
      name: "PollingError",
      statusCode: status,
      code: "Busy",
      operation: { status: "Succeeded" },
      message: expect.stringMatching(/^Operation 7 succeeded, but the request for its result failed: /),
    });
    expect(poller).toMatchObject({ status: "Succeeded", isDone: false });

    server.add(on("GET /boxes/b1", 200, box));
    expect(await poller.pollUntilDone()).toEqual(box.body);
    expect(poller).toMatchObject({ status: "Succeeded", isDone: true });
    server.assertFinished();
  });

  test("can be aborted, and continued", async () => {
    const server = await serve([
      on("PUT /boxes/b1", 201, monitor),
      on(statusRequest, 200, succeeded),
      on("GET /boxes/b1", 200, box),
      on("GET /boxes/b1", 200, box),
    ]);
    const { arrived, release } = server.hold("GET", "/boxes/b1");
    const controller = new AbortController();
    const poller = start(server, "PUT /boxes/b1");
    const wait = rejection(poller.pollUntilDone({ abortSignal: controller.signal }));
    await arrived;
    controller.abort("enough");
    expect(await wait).toBe("enough");
    expect(poller.status).toBe("Succeeded");
    release();
    expect(await poller.pollUntilDone()).toEqual(box.body);
    server.assertFinished();
  });
});

describe("parseResult", () => {
  const parseResult = (body: unknown): string => `parsed ${JSON.stringify(body)}`;

  test.each<[string, [Route, ...Route[]], string]>([
    [
      "a location",
      [
        on("POST /boxes/b1", 202, { headers: { ...monitor.headers, location: "/results/7" } }),
        on(statusRequest, 200, succeeded),
        on("GET /results/7", 200, { body: [1] }),
      ],
      "[1]",
    ],
    ["the initial response", [on("PUT /boxes/b1", 200, { body: { id: "b1" } })], '{"id":"b1"}'],
    [
      "the monitor",
      [
        on("POST /boxes/b1", 202, monitor),
        on(statusRequest, 200, { body: { status: "Succeeded", properties: null, result: 3 } }),
      ],
      "3",
    ],
    ["nothing", [on("DELETE /boxes/b1", 204)], "undefined"],
  ])("makes the result of the body from %s, once", async (_, routes, body) => {
    const server = await serve(routes);
    const [{ method, path }] = routes;
    const bodies: unknown[] = [];
    const poller = start(server, `${method} ${path}`, {
      parseResult: (value) => {
        bodies.push(value);
        return parseResult(value);
      },
    });
    expect(await poller.pollUntilDone()).toBe(`parsed ${body}`);
    expect(await poller.pollUntilDone()).toBe(`parsed ${body}`);
    expect(bodies).toHaveLength(1);
    server.assertFinished();
  });

  test.each<[string, [Route, ...Route[]], Route[]]>([
    [
      "a resource",
      [
        on("PUT /boxes/b1", 201, monitor),
        on(statusRequest, 200, { body: { status: "Succeeded", properties: { not: "this" } } }),
        on("GET /boxes/b1", 200, box),
      ],
      [on("GET /boxes/b1", 200, box)],
    ],
    [
      "a status monitor",
      [
        on("POST /boxes/b1", 202, monitor),
        on(statusRequest, 200, { body: { status: "Succeeded", properties: box.body } }),
      ],
      [on(statusRequest, 200, { body: { status: "Succeeded", properties: box.body } })],
    ],
  ])("that throws on the body from %s does not make the operation fail", async (_, routes, again) => {
    const server = await serve(routes);
    const [{ method, path }] = routes;
    const mood = { isGood: false };
    const poller = start(server, `${method} ${path}`, {
      parseResult: (body) => {
        if (!mood.isGood) throw new Error("not my day");
        return body;
      },
    });
    const failure = await rejection(poller.pollUntilDone());
    expect(failure).toMatchObject({
      name: "PollingError",
      code: "ResultNotParsed",
      message: expect.stringMatching(
        /^Operation 7 succeeded, but the request for its result failed: .*not my day/,
      ),
    });
    expect(poller.status).toBe("Succeeded");

    mood.isGood = true;
    server.add(...again);
    expect(await poller.pollUntilDone()).toEqual(box.body);
  });
});

describe("a token", () => {
  test.each([
    ["after the initial response", 1],
    ["midway", 2],
    ["while the result is awaited", 3],
    ["after the end", 4],
  ])("written %s leads to the same result", async (_, polls) => {
    const server = await serve([
      on("PUT /boxes/b1", 201, monitor),
      on(statusRequest, 200, running),
      on(statusRequest, 200, succeeded),
      on("GET /boxes/b1", 200, box),
    ]);
    const poller = start(server, "PUT /boxes/b1");
    for (let poll = 0; poll < polls; poll++) await poller.poll();
    const token = JSON.stringify(poller);

    const again = await serve();
    const path = (origin: string): string => token.replaceAll(server.origin, origin);
    again.add(
      on(`${statusRequest}?api-version=2025-02-01`, 200, succeeded),
      on("GET /boxes/b1?api-version=2025-02-01", 200, box),
    );
    expect(await clientOf(again).resume(path(again.origin), fast()).pollUntilDone()).toEqual(box.body);
    again.assertFinished();
  });

  test("is useful as soon as the operation has started, before any caller waits", async () => {
    const server = await serve([
      on("PUT /boxes/b1?api-version=2025-02-01", 201, monitor),
      on(`${statusRequest}?api-version=2025-02-01`, 200, succeeded),
      on("GET /boxes/b1?api-version=2025-02-01", 200, box),
    ]);
    const client = clientOf(server);
    const poller = client.startOperation(requestOf(server, "PUT /boxes/b1"), fast());
    await poller.started;
    const token = JSON.stringify(poller);
    expect(await client.resume(token, fast()).pollUntilDone()).toEqual(box.body);
    server.assertFinished();
  });

  test("holds a signed URL of 4 kB, and neither the caller's headers nor a body", async () => {
    const signed = `/operations/7?api-version=1&c=${"x".repeat(4000)}`;
    const server = await serve([
      on("POST /boxes/b1", 202, { headers: { "operation-location": `{origin}${signed}` } }),
      on(`GET ${signed}`, 200, { body: { status: "Running", properties: { secret: "of the body" } } }),
      on(`GET ${signed}`, 200, { body: { status: "Succeeded", properties: 3 } }),
    ]);
    const poller = start(server, "POST /boxes/b1", {}, { headers: { "x-key": "of the caller" } });
    await poller.poll();
    await poller.poll();
    const token = JSON.stringify(poller);
    expect(token).not.toMatch(/of the caller|of the body/);
    expect(await clientOf(server).resume(token, fast()).pollUntilDone()).toBe(3);
    server.assertFinished();
  });
});
