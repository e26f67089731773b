import { bearerTokenAuthenticationPolicy, createPipelineFromOptions } from "@azure/core-rest-pipeline";
import { beforeEach, describe, expect, test } from "vitest";
import type { PipelinePolicy } from "@azure/core-rest-pipeline";
import { OperationStatusesClient, createPoller, fromPollerLike, startOperation } from "lro-poller";
import type { InitialRequest, StartOperationOptions, StartedPoller } from "lro-poller";
import { rejection } from "../../support/rejections.ts";
import { CountingCredential } from "../../support/credential.ts";
import type { Route, RouteServer } from "../../support/route-server.ts";
import { createCertificate } from "../../support/tls.ts";
import { fast, on, requestOf, serve } from "../lro/support.ts";

const certificate = createCertificate();
const operationId = "fa067167-e49d-41bd-8dd8-de719b9de3b3";
const at = "/operations/7";
const monitor = { headers: { "operation-location": at } };
const running = { body: { status: "Running" } };
const succeeded = { body: { status: "Succeeded" } };
const result = { body: { id: "b1" } };
const version = "?api-version=2025-02-01";

let home: RouteServer;
let foreign: RouteServer;
let ca: string;

beforeEach(async () => {
  const tls = await certificate;
  ca = tls.cert;
  home = await serve([], tls);
  foreign = await serve([], tls);
});

type Start = (request: InitialRequest, options: StartOperationOptions) => StartedPoller;

function client(): OperationStatusesClient {
  return new OperationStatusesClient(home.origin, new CountingCredential(), { tlsOptions: { ca } });
}

const starts: [string, Start][] = [
  ["a client", (request, options) => client().startOperation(request, options)],
  [
    "a pipeline that signs",
    (request, options) => {
      const pipeline = createPipelineFromOptions({ retryOptions: { maxRetries: 0 }, tlsOptions: { ca } });
      const credential = new CountingCredential();
      pipeline.addPolicy(
        bearerTokenAuthenticationPolicy({ credential, scopes: "https://dev.devcenter.azure.com/.default" }),
      );
      return startOperation(request, { ...options, pipeline, apiVersion: "2025-02-01" });
    },
  ],
];

/** One way to lead to another origin: the service's own responses, and those of the other origin. */
interface Lead {
  readonly name: string;
  readonly routes: (elsewhere: string) => [Route, ...Route[]];
  readonly thereIfAllowed: readonly Route[];
  readonly error: { readonly name: string; readonly statusCode?: number };
  readonly says: RegExp;
}

const there = "/operations/7";
const polled = { error: { name: "PollingError" }, says: /; the operation has started and continues\b/ };
const ofResult = {
  error: { name: "PollingError" },
  says: /^Operation \S+ succeeded, but the request for its result/,
};

const leads: readonly Lead[] = [
  ...["operation-location", "azure-asyncoperation", "location"].map((header): Lead => ({
    name: `the ${header} of the initial response`,
    routes: (elsewhere) => [
      on(`POST /boxes/b1${version}`, 202, { headers: { [header]: `${elsewhere}${there}` } }),
    ],
    thereIfAllowed: [on(`GET ${there}${version}`, 200, succeeded)],
    ...polled,
  })),
  ...["operation-location", "azure-asyncoperation"].map((header): Lead => ({
    name: `the ${header} of a poll`,
    routes: (elsewhere) => [
      on(`POST /boxes/b1${version}`, 202, monitor),
      on(`GET ${at}${version}`, 200, { ...running, headers: { [header]: `${elsewhere}${there}` } }),
    ],
    thereIfAllowed: [on(`GET ${there}${version}`, 200, succeeded)],
    ...polled,
  })),
  {
    name: "the location of a poll",
    routes: (elsewhere) => [
      on(`POST /boxes/b1${version}`, 202, { headers: { location: at } }),
      on(`GET ${at}${version}`, 202, { headers: { location: `${elsewhere}${there}` } }),
    ],
    thereIfAllowed: [on(`GET ${there}${version}`, 200, result)],
    ...polled,
  },
  {
    name: "the location of a result",
    routes: (elsewhere) => [
      on(`POST /boxes/b1${version}`, 202, {
        headers: { ...monitor.headers, location: `${elsewhere}/results/7` },
      }),
      on(`GET ${at}${version}`, 200, succeeded),
    ],
    thereIfAllowed: [on(`GET /results/7${version}`, 200, result)],
    ...ofResult,
  },
  {
    name: "a resourceLocation",
    routes: (elsewhere) => [
      on(`POST /boxes/b1${version}`, 202, monitor),
      on(`GET ${at}${version}`, 200, {
        body: { status: "Succeeded", resourceLocation: `${elsewhere}/results/7` },
      }),
    ],
    thereIfAllowed: [on(`GET /results/7${version}`, 200, result)],
    ...ofResult,
  },
  {
    name: "a redirect of the initial request",
    routes: (elsewhere) => [
      on(`PUT /boxes/b1${version}`, 307, { headers: { location: `${elsewhere}/boxes/b1` } }),
    ],
    thereIfAllowed: [on("PUT /boxes/b1", 200, result)],
    error: { name: "OperationStartError", statusCode: 307 },
    says: /was not accepted: (?!.*has started)/,
  },
  ...[301, 302, 303, 307, 308].map((statusCode): Lead => ({
    name: `a redirect of a poll by ${statusCode}`,
    routes: (elsewhere) => [
      on(`POST /boxes/b1${version}`, 202, monitor),
      on(`GET ${at}${version}`, statusCode, { headers: { location: `${elsewhere}${there}` } }),
    ],
    thereIfAllowed: [on(`GET ${there}`, 200, succeeded)],
    ...polled,
    error: { name: "PollingError", statusCode },
  })),
  {
    name: "a redirect of the request for the result",
    routes: (elsewhere) => [
      on(`PUT /boxes/b1${version}`, 201, monitor),
      on(`GET ${at}${version}`, 200, succeeded),
      on(`GET /boxes/b1${version}`, 308, { headers: { location: `${elsewhere}/boxes/b1` } }),
    ],
    thereIfAllowed: [on("GET /boxes/b1", 200, result)],
    ...ofResult,
    error: { name: "PollingError", statusCode: 308 },
  },
];

/** The client adds its api-version to the first URL itself, the pipeline does not. */
function started(
  start: Start,
  routes: readonly [Route, ...Route[]],
  options: StartOperationOptions = {},
): StartedPoller {
  home.add(...routes);
  const [{ method, path }] = routes;
  return start(requestOf(home, `${method} ${path}`), fast(options));
}

describe.each(starts)("the credential of an operation started through %s", (startedThrough, start) => {
  test.each(leads)("does not follow $name to another origin", async ({ routes, error, says }) => {
    const failure = await rejection(started(start, routes(foreign.origin)).pollUntilDone());
    expect(failure).toMatchObject({ ...error, code: "OriginRefused" });
    expect(failure).toHaveProperty("message", expect.stringContaining(home.origin));
    expect(failure).toHaveProperty("message", expect.stringContaining(foreign.origin));
    expect(failure).toHaveProperty("message", expect.stringContaining("allowedOrigins"));
    expect(failure).toHaveProperty("message", expect.stringMatching(says));
    expect(foreign.requests).toEqual([]);
    expect(new Set(home.authorizations)).toEqual(new Set(["token-1"]));
    home.assertFinished();
  });

  test.each(leads)("follows $name to an allowed origin", async ({ routes, thereIfAllowed }) => {
    foreign.add(...thereIfAllowed);
    const allowedOrigins = [`${foreign.origin}/any/path`];
    await started(start, routes(foreign.origin), { allowedOrigins }).pollUntilDone();
    expect(new Set(foreign.authorizations)).toEqual(new Set(["token-1"]));
    home.assertFinished();
    foreign.assertFinished();
  });

  test.each<[string, (foreignOrigin: string) => string]>([
    ["with the scheme left out", (origin) => origin.replace("https:", "")],
    ["with the slashes left out", (origin) => origin.replace("//", "")],
    ["by backslashes", (origin) => origin.replace("https://", "https:\\\\")],
    ["behind the own host as a user", (origin) => origin.replace("://", "://127.0.0.1@")],
    [
      "behind the own origin as a user",
      (origin) => origin.replace("://", `://${new URL(home.origin).host}@`),
    ],
    ["in other letters", (origin) => origin.replace("https", "HTTPS")],
    ["by a number", (origin) => origin.replace("127.0.0.1", "0x7f000001")],
    ["in wide digits", (origin) => origin.replace("127.0.0.1", encodeURIComponent("１２７。０。０。１"))],
    ["with a dot at the end", (origin) => origin.replace("127.0.0.1", "127.0.0.1.")],
    ["by the name of the host", (origin) => origin.replace("127.0.0.1", "LOCALHOST")],
    ["by a name with a dot at the end", (origin) => origin.replace("127.0.0.1", "localhost.")],
    ["with tabs and spaces", (origin) => `\t${origin.replace("://", ":\t//")} `.trim()],
  ])("does not follow a URL to another origin %s", async (__, disguise) => {
    const headers = { "operation-location": `${disguise(foreign.origin)}${there}` };
    const wait = started(start, [on(`POST /boxes/b1${version}`, 202, { headers })]).pollUntilDone();
    const failure = await rejection(wait);
    expect(failure).toMatchObject({ code: "OriginRefused" });
    const disguised = disguise(foreign.origin);
    const { origin } = URL.canParse(disguised) ? new URL(disguised) : new URL(disguised, home.origin);
    expect(failure).toHaveProperty("message", expect.stringContaining(`from ${home.origin} to ${origin} `));
    expect(foreign.requests).toEqual([]);
  });

  test("does not go to the own host over plain http", async () => {
    const headers = { "operation-location": `${home.origin.replace("https", "http")}${there}` };
    const wait = started(start, [on(`POST /boxes/b1${version}`, 202, { headers })]).pollUntilDone();
    expect(await rejection(wait)).toMatchObject({ code: "OriginRefused" });
    home.assertFinished();
  });

  test("does not go to an allowed origin over plain http", async () => {
    const plain = await serve();
    const headers = { "operation-location": `${plain.origin}${there}` };
    const wait = started(start, [on(`POST /boxes/b1${version}`, 202, { headers })], {
      allowedOrigins: [plain.origin],
      outageToleranceInMs: 0,
    }).pollUntilDone();
    // A client rejects at once; of a pipeline only its own policy knows that it signs.
    const kind = startedThrough === "a client" ? "permanent" : "transient";
    expect(await rejection(wait)).toMatchObject({ name: "PollingError", cause: { kind } });
    expect(plain.requests).toEqual([]);
  });

  test("follows a redirect within the origin", async () => {
    const poller = started(start, [
      on(`POST /boxes/b1${version}`, 202, monitor),
      on(`GET ${at}${version}`, 301, { headers: { location: "/elsewhere" } }),
      on("GET /elsewhere", 200, succeeded),
    ]);
    await poller.pollUntilDone();
    expect(home.authorizations).toEqual(["token-1", "token-1", "token-1"]);
  });

  test.each([
    ["gateway", new TypeError('allowedOrigins: expected URLs, got "gateway"')],
    ["https://?sig=1", new TypeError('allowedOrigins: expected URLs, got "https://?…"')],
    [
      "http://dev.devcenter.azure.com",
      new RangeError("allowedOrigins: expected https URLs, got http://dev.devcenter.azure.com"),
    ],
    ["data:x", new RangeError("allowedOrigins: expected https URLs, got data://")],
  ])("and an allowed origin %s is rejected before anything is sent", (origin, error) => {
    const options = fast({ allowedOrigins: [origin] });
    expect(() => start(requestOf(home, "PUT /boxes/b1"), options)).toThrow(error);
    expect(() => client().resume("{}", { allowedOrigins: [origin] })).toThrow(error);
    expect(home.requests).toEqual([]);
  });
});

test.each<[string, (elsewhere: string) => unknown]>([
  [
    "an Operation-Location",
    (elsewhere) => client().operationAt(`${elsewhere}/projects/myProject/operationstatuses/${operationId}`),
  ],
  [
    "the URL of a request",
    (elsewhere) => client().startOperation({ method: "PUT", url: `${elsewhere}/boxes/b1` }),
  ],
])("%s at another origin is rejected before anything is sent", (_, act) => {
  const both = `expected the client's origin ${home.origin}, got ${foreign.origin}`;
  expect(() => act(foreign.origin)).toThrow(both);
  expect([...home.requests, ...foreign.requests]).toEqual([]);
});

describe.each(["perCall", "perRetry"] as const)("a policy that leads %s elsewhere", (position) => {
  const detour: PipelinePolicy = {
    name: "detour",
    sendRequest: (request, next) => {
      request.url = request.url.replace(home.origin, foreign.origin);
      return next(request);
    },
  };

  test("leads no request there, from a client", async () => {
    const additionalPolicies = [{ policy: detour, position }];
    const options = { tlsOptions: { ca }, additionalPolicies };
    const misled = new OperationStatusesClient(home.origin, new CountingCredential(), options);
    const failure = await rejection(misled.getOperationStatus("myProject", operationId));
    expect(failure).toMatchObject({ name: "PollingError", code: "OriginRefused" });
    expect(failure).toHaveProperty(
      "message",
      expect.stringContaining(`from ${home.origin} to ${foreign.origin} `),
    );
    expect(foreign.requests).toEqual([]);
  });

  test("leads a request there, from a pipeline, where that is allowed", async () => {
    const pipeline = createPipelineFromOptions({ retryOptions: { maxRetries: 0 }, tlsOptions: { ca } });
    const credential = new CountingCredential();
    pipeline.addPolicy(
      bearerTokenAuthenticationPolicy({ credential, scopes: "https://dev.devcenter.azure.com/.default" }),
    );
    pipeline.addPolicy(detour, position === "perRetry" ? { afterPhase: "Retry" } : {});
    foreign.add(on("PUT /boxes/b1", 200, result));
    const request = requestOf(home, "PUT /boxes/b1");
    expect(await rejection(startOperation(request, { ...fast(), pipeline }).pollUntilDone())).toMatchObject({
      code: "OriginRefused",
    });
    expect(foreign.requests).toEqual([]);
    const allowedOrigins = [foreign.origin];
    await startOperation(request, { ...fast(), pipeline, allowedOrigins }).pollUntilDone();
    expect(foreign.authorizations).toEqual(["token-1"]);
  });
});

test.each(["http://dev.devcenter.azure.com", "ftp://dev.devcenter.azure.com"])(
  "%s gets no request, and the error names the reason",
  async (origin) => {
    const request = { method: "PUT", url: `${origin}/boxes/b1` } as const;
    const poller = startOperation(request, { ...fast(), pipeline: createPipelineFromOptions({}) });
    const failure = await rejection(poller.pollUntilDone());
    expect(failure).toMatchObject({ name: "OperationStartError", code: "OriginRefused" });
    expect(failure).toHaveProperty(
      "message",
      expect.stringContaining("http is allowed to this machine only"),
    );
  },
);

test("a pipeline that would follow a redirect to any origin does not", async () => {
  const pipeline = createPipelineFromOptions({
    retryOptions: { maxRetries: 0 },
    redirectOptions: { allowCrossOriginRedirects: true },
    tlsOptions: { ca },
  });
  home.add(on("POST /boxes/b1", 307, { headers: { location: `${foreign.origin}/boxes/b1` } }));
  const request = { ...requestOf(home, "POST /boxes/b1"), headers: { "api-key": "secret" } };
  const failure = await rejection(startOperation(request, { ...fast(), pipeline }).pollUntilDone());
  expect(failure).toMatchObject({ name: "OperationStartError", code: "OriginRefused" });
  expect(foreign.requests).toEqual([]);
});

describe("a resume token that leads to another origin", () => {
  const tokenOf = (operation: object): string =>
    JSON.stringify({ version: 1, operation, startedAt: 0, savedAt: 0, pollCount: 1, failedPollCount: 0 });
  const own = (fields: object): string =>
    tokenOf({ pollingLocation: { kind: "statusMonitor", monitorUrl: at, ...fields } });
  const coreLro = (fields: object): string =>
    JSON.stringify({
      state: {
        status: "running",
        config: { metadata: { mode: "OperationLocation" }, operationLocation: at, ...fields },
      },
    });

  const ofDevCenter = (endpoint: string): string =>
    tokenOf({ endpoint, projectName: "myProject", operationId, apiVersion: "2025-02-01" });
  const ofAzurePoller = (operationLocation: string): string => {
    const config = { metadata: { mode: "OperationLocation" }, operationLocation };
    const poll = (): Promise<void> => Promise.resolve();
    return JSON.stringify(
      createPoller(fromPollerLike({ poll, getOperationState: () => ({ isCompleted: false, config }) })),
    );
  };

  const tokens: [string, (elsewhere: string) => string][] = [
    ["this library's, for the status", (elsewhere) => own({ monitorUrl: `${elsewhere}${there}` })],
    ["this library's, for the result", (elsewhere) => own({ resultUrl: `${elsewhere}/results/7` })],
    ["core-lro's, for the status", (elsewhere) => coreLro({ operationLocation: `${elsewhere}${there}` })],
    ["core-lro's, for the result", (elsewhere) => coreLro({ resourceLocation: `${elsewhere}/results/7` })],
    ["that of an Azure SDK's poller", (elsewhere) => ofAzurePoller(`${elsewhere}${there}`)],
  ];

  test("is rejected before anything is sent: DevCenter's", () => {
    expect(() => client().resume(ofDevCenter(foreign.origin), fast())).toThrow(
      `expected the client's origin ${home.origin}, got ${foreign.origin}`,
    );
    expect(client().resume(ofDevCenter(home.origin)).isDone).toBe(false);
  });

  test.each(tokens)("is rejected before anything is sent: %s", (_, token) => {
    expect(() => client().resume(token(foreign.origin), fast())).toThrow(
      `expected the client's origin ${home.origin}, got ${foreign.origin}; to allow it, add it to allowedOrigins`,
    );
    expect([...home.requests, ...foreign.requests]).toEqual([]);
  });

  test.each(tokens)("continues if the origin is allowed: %s", async (_, token) => {
    const routes = [on(`GET ${at}${version}`, 200, succeeded), on(`GET /results/7${version}`, 200, result)];
    home.add(...routes);
    foreign.add(...routes);
    const options = { ...fast(), allowedOrigins: [foreign.origin] };
    await client().resume(token(foreign.origin), options).pollUntilDone();
    expect(new Set(foreign.authorizations)).toEqual(new Set(["token-1"]));
  });

  test("is not followed from the own origin to another one", async () => {
    home.add(
      on(`GET ${at}${version}`, 200, {
        ...running,
        headers: { "operation-location": `${foreign.origin}/x` },
      }),
    );
    const failure = await rejection(client().resume(coreLro({}), fast()).pollUntilDone());
    expect(failure).toMatchObject({ name: "PollingError", code: "OriginRefused" });
    expect(foreign.requests).toEqual([]);
  });
});
