import { readFileSync } from "node:fs";
import { bearerTokenAuthenticationPolicy, createPipelineFromOptions } from "@azure/core-rest-pipeline";
import { describe, expect, test } from "vitest";
import { startOperation } from "lro-poller";
import type { StartOperationOptions } from "lro-poller";
import { CountingCredential } from "../../support/credential.ts";
import { startWithCoreLro } from "../../support/core-lro-child.ts";
import { rejection } from "../../support/rejections.ts";
import type { Route, RouteServer } from "../../support/route-server.ts";
import { createCertificate } from "../../support/tls.ts";
import { clientOf, fast, on, pipelineWithoutRetries, requestOf, serve } from "./support.ts";

const at = { headers: { "operation-location": "/operations/7" } };
const accepted = on("POST /act", 202, at);
const running = on("GET /operations/7", 200, { body: { status: "Running" } });
const end = { status: "Succeeded", properties: "done" };
const succeeded = on("GET /operations/7", 200, { body: end });
const done = { result: "done", status: "Succeeded" };
const failedForGood = { error: expect.any(Error), status: "failed", again: expect.any(Error) };

/** A row of the page of differences, and the behaviour of both libraries. */
interface Difference {
  readonly row: string;
  readonly exchanges: readonly [Route, ...Route[]];
  readonly options?: Pick<StartOperationOptions, "finalStateVia">;
  readonly coreLro: object;
  readonly ours: object;
}

function poll(status: number, response: Pick<Route, "headers" | "body"> = {}): Route {
  return on("GET /operations/7", status, response);
}

/** A poll that goes wrong and one that does not. */
function afterPoll(row: string, wrong: Route, coreLro: object): Difference {
  return { row, exchanges: [accepted, wrong, succeeded], coreLro, ours: done };
}

const page = { headers: { "content-type": "text/html" }, body: "<html>maintenance</html>" };
const failure = {
  code: "DeploymentFailed",
  message: "No.",
  innererror: { code: "Quota", innererror: { code: "Cores" } },
};
const noStatus = "a status monitor returns no status, an HTML page or an empty body";
const transient = "a poll fails with 408, 429 or 5xx";
const wordAsIs = 'the status contains "succeeded" or "fail" (`NotSucceeded`, `FailedOver`)';

const differences: readonly Difference[] = [
  ...[408, 429, 500, 503].map((status) => afterPoll(transient, poll(status), failedForGood)),
  {
    row: "a poll fails permanently (other 4xx)",
    exchanges: [accepted, running, poll(403), succeeded],
    coreLro: failedForGood,
    ours: { error: { name: "PollingError", statusCode: 403 }, status: "Running", again: "done" },
  },
  afterPoll("the first poll fails with 404", poll(404), failedForGood),
  afterPoll("a poll returns invalid JSON", poll(200, { body: '{"status":' }), { error: expect.any(Error) }),
  afterPoll(noStatus, poll(200, { body: {} }), { status: "succeeded" }),
  afterPoll(noStatus, poll(200, page), { result: page.body, status: "succeeded" }),
  afterPoll(noStatus, poll(200), { result: undefined, status: "succeeded" }),
  afterPoll("the status is not a string", poll(200, { body: { status: 7 } }), {
    error: { message: expect.stringContaining("status") },
  }),
  afterPoll(wordAsIs, poll(200, { body: { status: "NotSucceeded" } }), { status: "succeeded" }),
  afterPoll(wordAsIs, poll(200, { body: { status: "FailedOver" } }), { status: "failed" }),
  {
    row: "the initial response is 202 without a URL to poll",
    exchanges: [on("POST /act", 202)],
    coreLro: { status: "succeeded" },
    ours: { error: { name: "PollingError", code: "ContractError" } },
  },
  {
    row: "a `Location` returns 200 with a body that says Failed or Canceled",
    exchanges: [
      on("POST /act", 202, { headers: { location: "/operations/7" } }),
      poll(200, { body: { properties: { provisioningState: "Failed" } } }),
    ],
    coreLro: { status: "succeeded" },
    ours: { error: { name: "OperationFailedError" }, status: "Failed" },
  },
  {
    row: "a `Location`, with final-state-via original-uri",
    exchanges: [
      on("POST /act", 202, { headers: { location: "/operations/7" } }),
      succeeded,
      on("GET /act", 200, { body: { id: "b1" } }),
    ],
    options: { finalStateVia: "original-uri" },
    coreLro: { result: end },
    ours: { result: { id: "b1" } },
  },
  {
    row: "the `Location` is the status monitor itself (DevCenter)",
    exchanges: [
      on("POST /act", 202, { headers: { ...at.headers, location: "/operations/7" } }),
      succeeded,
      succeeded,
    ],
    coreLro: { requests: ["POST /act", "GET /operations/7", "GET /operations/7"] },
    ours: { ...done, requests: ["POST /act", "GET /operations/7"] },
  },
  {
    row: "the initial response is terminal already",
    exchanges: [on("POST /act", 202, { ...at, body: end }), succeeded],
    coreLro: { requests: ["POST /act", "GET /operations/7"] },
    ours: { ...done, requests: ["POST /act"] },
  },
  {
    row: "the response to a PATCH has a `provisioningState`",
    exchanges: [
      on("PATCH /act", 200, { body: { properties: { provisioningState: "Updating" } } }),
      on("GET /act", 200, { body: { properties: { provisioningState: "Succeeded" } } }),
    ],
    coreLro: { status: "succeeded", requests: ["PATCH /act"] },
    ours: { status: "Succeeded", requests: ["PATCH /act", "GET /act"] },
  },
  {
    row: "the operation was canceled",
    exchanges: [accepted, poll(200, { body: { status: "Canceled", error: failure } })],
    coreLro: { error: { message: "Operation was canceled" }, status: "canceled" },
    ours: { error: { name: "OperationCanceledError", code: "DeploymentFailed" } },
  },
  {
    row: "the code of the service's error",
    exchanges: [accepted, poll(200, { body: { status: "Failed", error: failure } })],
    coreLro: { error: { message: expect.stringMatching(/has failed\. Cores\./) } },
    ours: { error: { code: "DeploymentFailed", innererror: failure.innererror } },
  },
  {
    row: "the result of a status monitor",
    exchanges: [accepted, succeeded],
    coreLro: { result: end },
    ours: { result: "done" },
  },
  {
    row: "a GET returns the status of an operation that runs",
    exchanges: [on("GET /operations/7", 200, { body: { status: "Running" } }), succeeded],
    coreLro: { status: "succeeded", requests: ["GET /operations/7"] },
    ours: done,
  },
  {
    row: "a `Location` returns 200 with a status that is not terminal",
    exchanges: [
      on("POST /act", 202, { headers: { location: "/operations/7" } }),
      running,
      poll(200, { body: { size: 3 } }),
    ],
    coreLro: { status: "succeeded", result: { status: "Running" } },
    ours: { result: { size: 3 }, status: "Succeeded" },
  },
  {
    row: "the last response of a `Location` has another `Location`",
    exchanges: [
      on("POST /act", 202, { headers: { location: "/operations/7" } }),
      poll(200, { headers: { location: "/operations/7/result" }, body: { status: "Succeeded" } }),
      on("GET /operations/7/result", 200, { body: { size: 3 } }),
    ],
    coreLro: { result: { status: "Succeeded" } },
    ours: { result: { size: 3 }, status: "Succeeded" },
  },
  {
    row: "a PUT returns 201 without a body",
    exchanges: [on("PUT /act", 201), on("GET /act", 200, { body: { id: "b1" } })],
    coreLro: { status: "succeeded", requests: ["PUT /act"] },
    ours: { result: { id: "b1" }, status: "Succeeded" },
  },
  {
    row: "a service ends with a word of its own, such as `Completed`",
    exchanges: [accepted, poll(200, { body: { status: "Completed", properties: "done" } })],
    coreLro: { error: expect.any(Error) },
    ours: done,
  },
  {
    row: "the status monitor of a DELETE is gone with the resource (404)",
    exchanges: [on("DELETE /act", 202, at), running, poll(404)],
    coreLro: failedForGood,
    ours: { result: undefined, status: "Succeeded" },
  },
];

const senderOptions = { pipeline: pipelineWithoutRetries() };

describe.each(
  differences.map((difference) => ({ ...difference, requests: difference.exchanges.at(1)?.status })),
)("$row ($requests)", ({ exchanges, options = {}, coreLro, ours }) => {
  const initialRequest = `${exchanges[0].method} ${exchanges[0].path}`;

  test("core-lro", async () => {
    const server = await serve(exchanges);
    const poller = startWithCoreLro(requestOf(server, initialRequest), senderOptions.pipeline, {
      ...(options.finalStateVia && { resourceLocationConfig: options.finalStateVia }),
    });
    const outcome = await outcomeOf(() => poller.pollUntilDone(), server);
    expect({ ...outcome, status: poller.operationState?.status }).toMatchObject(coreLro);
  });

  test("lro-poller", async () => {
    const server = await serve(exchanges);
    const isPermanent = exchanges.some(({ status }) => status === 403);
    const impatient = isPermanent || exchanges.length === 1 ? { outageToleranceInMs: 0 } : {};
    const poller = startOperation(requestOf(server, initialRequest), {
      ...fast({ ...options, ...impatient }),
      ...senderOptions,
    });
    const statuses: (string | undefined)[] = [];
    const outcome = await outcomeOf(() => {
      statuses.push(poller.status);
      return poller.pollUntilDone().finally(() => statuses.push(poller.status));
    }, server);
    expect({ ...outcome, status: statuses[1] }).toMatchObject(ours);
  });
});

/** Returns the outcome of a wait, and of another one after it. */
async function outcomeOf(wait: () => Promise<unknown>, server: RouteServer): Promise<object> {
  const first = await wait().then(
    (result) => ({ result }),
    (error: unknown) => ({ error }),
  );
  const requests = [...server.requestLines];
  return "error" in first
    ? { ...first, requests, again: await wait().catch((error: unknown) => error) }
    : { ...first, requests };
}

describe("the initial response has `Retry-After`", () => {
  const later = on("POST /act", 202, { headers: { ...at.headers, "retry-after": "3600" } });

  test("core-lro polls at once", async () => {
    const server = await serve([later, succeeded]);
    await startWithCoreLro(requestOf(server, "POST /act"), senderOptions.pipeline);
    expect(server.requestLines).toEqual(["POST /act", "GET /operations/7"]);
  });

  test("lro-poller waits", async () => {
    const server = await serve([later, succeeded]);
    const poller = startOperation(requestOf(server, "POST /act"), senderOptions);
    for await (const { nextPollInMs } of poller) {
      expect(nextPollInMs).toBeGreaterThanOrEqual(3_600_000);
      break;
    }
    expect(server.requestLines).toEqual(["POST /act"]);
  });
});

describe("you abort", () => {
  test("core-lro cannot be continued", async () => {
    const server = await serve([accepted, running, succeeded]);
    const options = { intervalInMs: 60_000 };
    const poller = startWithCoreLro(requestOf(server, "POST /act"), senderOptions.pipeline, options);
    const controller = new AbortController();
    poller.onProgress(() => controller.abort());
    await rejection(poller.pollUntilDone({ abortSignal: controller.signal }));
    expect(await rejection(poller.pollUntilDone())).toMatchObject({ name: "AbortError" });
  });

  test("lro-poller continues", async () => {
    const server = await serve([accepted, running, succeeded]);
    const poller = startOperation(requestOf(server, "POST /act"), { ...fast(), ...senderOptions });
    const controller = new AbortController();
    poller.onProgress(() => controller.abort());
    await rejection(poller.pollUntilDone({ abortSignal: controller.signal }));
    expect(await poller.pollUntilDone()).toBe("done");
  });
});

describe("a header, body or token names another origin", () => {
  async function elsewhere() {
    const tls = await createCertificate();
    const foreign = await serve([on("GET /operations/7", 200, { body: end })], tls);
    const home = await serve(
      [on("POST /act", 202, { headers: { "operation-location": `${foreign.origin}/operations/7` } })],
      tls,
    );
    const pipeline = createPipelineFromOptions({
      retryOptions: { maxRetries: 0 },
      tlsOptions: { ca: tls.cert },
    });
    const credential = new CountingCredential();
    const scopes = "https://management.azure.com/.default";
    pipeline.addPolicy(bearerTokenAuthenticationPolicy({ credential, scopes }));
    return { home, foreign, pipeline };
  }

  test("core-lro sends the credential there", async () => {
    const { home, foreign, pipeline } = await elsewhere();
    await startWithCoreLro(requestOf(home, "POST /act"), pipeline);
    expect(foreign.authorizations).toEqual(["token-1"]);
  });

  test("lro-poller sends nothing there", async () => {
    const { home, foreign, pipeline } = await elsewhere();
    const poller = startOperation(requestOf(home, "POST /act"), { ...fast(), pipeline });
    await rejection(poller.pollUntilDone());
    expect(foreign.requestLines).toEqual([]);
  });
});

describe("you resume an operation that is over", () => {
  test("core-lro returns its stored result", async () => {
    const server = await serve([accepted, succeeded]);
    const poller = startWithCoreLro(requestOf(server, "POST /act"), senderOptions.pipeline);
    await poller.pollUntilDone();
    const later = startWithCoreLro(requestOf(server, "POST /act"), senderOptions.pipeline, {
      restoreFrom: await poller.serialize(),
    });
    expect(await later.pollUntilDone()).toEqual(end);
    expect(server.requestLines).toHaveLength(2);
  });

  test("lro-poller polls the service", async () => {
    const query = "?api-version=2025-02-01";
    const again = on(`GET /operations/7${query}`, 200, { body: end });
    const server = await serve([on(`POST /act${query}`, 202, at), again, again]);
    const client = clientOf(server);
    const poller = client.startOperation({ method: "POST", url: "/act" }, fast());
    await poller.pollUntilDone();
    expect(await client.resume(JSON.stringify(poller), fast()).pollUntilDone()).toBe("done");
    expect(server.requestLines).toHaveLength(3);
  });
});

test("the page of differences has a row for each, and no other", () => {
  const text = readFileSync("docs/from-core-lro.md", "utf8");
  const [table = ""] = text.slice(text.indexOf("## Differences")).split("## Under faults");
  const rows = [...table.matchAll(/^\| ([^|]+) \|/gm)]
    .map(([, row]) => row)
    .filter((row) => /\w/.test(row ?? "") && row !== "Situation");
  const withTestsOfTheirOwn = [
    "the initial response has `Retry-After`",
    "you abort",
    "a header, body or token names another origin",
    "you resume an operation that is over",
  ];
  expect(new Set(rows)).toEqual(new Set([...differences.map(({ row }) => row), ...withTestsOfTheirOwn]));
});
