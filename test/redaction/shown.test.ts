import { format, inspect } from "node:util";
import type { TokenCredential } from "@azure/core-auth";
import { AzureLogger, setLogLevel } from "@azure/logger";
import {
  bearerTokenAuthenticationPolicy,
  createDefaultHttpClient,
  createPipelineFromOptions,
} from "@azure/core-rest-pipeline";
import type { HttpClient } from "@azure/core-rest-pipeline";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  OperationStatusesClient,
  PollingError,
  createPoller,
  createPollerGroup,
  fromPollerLike,
  pollAll,
  startOperation,
  toPollerLike,
} from "lro-poller";
import type { StartOperationOptions, StartedPoller } from "lro-poller";
import { TokenCache } from "../../src/azure/http/token-cache.ts";
import { createOriginBoundPipeline } from "../../src/azure/http/origin-bound-pipeline.ts";
import { fast, on, serve } from "../azure/lro/support.ts";
import { rejection } from "../support/rejections.ts";
import type { Route, RouteServer } from "../support/route-server.ts";
import { createCertificate } from "../support/tls.ts";

/** Whatever holds this word must not be shown. */
const secret = "TOPSECRET";
const query = `?api-version=1&t=${secret}&c=${secret}&s=${secret}&h=${secret}&sig=${secret}&se=${secret}&sp=${secret}`;
const monitor = `/operations/7${query}`;
const cookie = { "set-cookie": `affinity=${secret}`, "x-own-token": secret };
const certificate = await createCertificate();

const credential: TokenCredential = {
  getToken: () => Promise.resolve({ token: secret, expiresOnTimestamp: Date.now() + 3_600_000 }),
};
const headers = {
  cookie: `session=${secret}`,
  "x-own-key": secret,
  "ocp-apim-subscription-key": secret,
  "x-ms-authorization-auxiliary": `Bearer ${secret}`,
};
const tlsOptions = { ca: certificate.cert, ...certificate, passphrase: secret };

let server: RouteServer;
const logged: string[] = [];
const { log } = AzureLogger;

beforeEach(async () => {
  server = await serve([], certificate);
  logged.length = 0;
  AzureLogger.log = (...args) => logged.push(format(...args), ...args.map(shown));
  setLogLevel("verbose");
});

afterEach(() => {
  AzureLogger.log = log;
  setLogLevel();
});

/** All that a console, a log or a report shows of a value, but for its JSON: that of a poller is its token. */
function shown(value: unknown): string {
  const details = { depth: Infinity, showHidden: true };
  return [
    String(value),
    inspect(value),
    inspect(value, details),
    inspect([{ value }], details),
    format("%s %o %O", value, value, value),
  ].join("\n");
}

function shownWithJson(value: unknown): string {
  const { message, stack }: { message?: unknown; stack?: unknown } = Object(value);
  return [shown(value), JSON.stringify(value), format("%j", value), String(message), String(stack)].join(
    "\n",
  );
}

/** As test runners and error trackers find them: what is not enumerable too. */
function fieldsWithin(value: unknown, known: Set<unknown> = new Set()): string[] {
  if (typeof value !== "object" || value === null) return [String(value)];
  if (known.has(value)) return [];
  known.add(value);
  return Reflect.ownKeys(value).flatMap((key) => fieldsWithin(Reflect.get(value, key), known));
}

function clientOf(httpClient?: HttpClient): OperationStatusesClient {
  return new OperationStatusesClient(server.origin, credential, {
    tlsOptions,
    ...(httpClient && { httpClient }),
  });
}

type Start = (options: StartOperationOptions, httpClient?: HttpClient) => StartedPoller;

const request = { method: "POST", url: `/boxes/b1${query}`, headers } as const;

const starts: [string, Start][] = [
  ["a client", (options, httpClient) => clientOf(httpClient).startOperation(request, options)],
  [
    "a pipeline",
    (options, httpClient) => {
      const pipeline = createPipelineFromOptions({ tlsOptions });
      pipeline.addPolicy(
        bearerTokenAuthenticationPolicy({ credential, scopes: "https://dev.devcenter.azure.com/.default" }),
      );
      const url = `${server.origin}${request.url}`;
      return startOperation({ ...request, url }, { ...options, pipeline, ...(httpClient && { httpClient }) });
    },
  ],
];

const accepted = on(`POST ${request.url}`, 202, {
  headers: { ...cookie, "operation-location": `{origin}${monitor}`, location: `{origin}/results/7${query}` },
});

function responses(status: number, response: Pick<Route, "headers" | "body"> = {}): Route[] {
  return [
    accepted,
    on(`GET ${monitor}`, status, { ...response, headers: { ...cookie, ...response.headers } }),
  ];
}

const quoting = {
  code: "No",
  message: `See https://dev.devcenter.azure.com/x${query}.`,
  target: `/x${query}`,
};

interface Outcome {
  readonly outcome: string;
  readonly error: string;
  readonly routes: Route[];
  readonly options?: StartOperationOptions;
  readonly httpClient?: HttpClient;
}

/** The error of an HTTP client that puts all that it has into it. */
function talkative(fail: (details: object) => unknown): HttpClient {
  const real = createDefaultHttpClient();
  return {
    sendRequest: async (sent) => {
      if (sent.method === "POST") return real.sendRequest(sent);
      const config = { url: sent.url, headers: sent.headers.toJSON() };
      throw fail({ code: "ELOST", config, request: sent });
    },
  };
}

const impatient = { outageToleranceInMs: 0 };
const lost = `lost ${request.url} at https://me:${secret}@dev.devcenter.azure.com/`;

const outcomes: Outcome[] = [
  {
    outcome: "failed",
    error: "OperationFailedError",
    routes: responses(200, { body: { status: "Failed", error: { ...quoting, details: [quoting] } } }),
  },
  {
    outcome: "was canceled",
    error: "OperationCanceledError",
    routes: responses(200, { body: { status: "Canceled", error: quoting } }),
  },
  {
    outcome: "is not known",
    error: "OperationNotFoundError",
    routes: responses(404, { body: { error: quoting } }),
    options: { notFoundGraceInMs: 0 },
  },
  {
    outcome: "may not be polled",
    error: "PollingError",
    routes: responses(403, { headers: { "x-ms-error-code": "Forbidden" } }),
  },
  { outcome: "cannot be polled", error: "PollingError", routes: responses(503), options: impatient },
  {
    outcome: "has a page for a status",
    error: "PollingError",
    routes: responses(200, { body: `<a href="https://dev.devcenter.azure.com/x${query}">` }),
    options: impatient,
  },
  {
    outcome: "has a redirect elsewhere",
    error: "PollingError",
    routes: responses(307, { headers: { location: `https://evil.example${monitor}` } }),
  },
  {
    outcome: "has a result that cannot be read",
    error: "PollingError",
    routes: responses(200, { body: { status: "Succeeded", resourceLocation: `/x${query}` } }),
  },
  {
    outcome: "has a result that is not parsed",
    error: "PollingError",
    routes: [
      ...responses(200, { body: { status: "Succeeded" } }),
      on(`GET /results/7${query}`, 200, { body: { id: "b1" } }),
    ],
    options: {
      parseResult: () => {
        throw Object.assign(new TypeError(lost), { request: { headers } });
      },
    },
  },
  {
    outcome: "is waited for too long",
    error: "PollingTimeoutError",
    routes: responses(503, { headers: { "retry-after": "3600" } }),
    options: { timeoutInMs: 60_000 },
  },
  { outcome: "did not start", error: "OperationStartError", routes: [on(`POST ${request.url}`, 400)] },
  {
    outcome: "is polled by a client whose errors have the request",
    error: "PollingError",
    routes: [accepted],
    options: impatient,
    httpClient: talkative((details) => Object.assign(new Error(lost), details)),
  },
  {
    outcome: "is polled by a client whose errors are many",
    error: "PollingError",
    routes: [accepted],
    options: impatient,
    httpClient: talkative((details) => {
      const cause = Object.assign(new Error(lost), details);
      return Object.assign(new AggregateError([cause, details], lost, { cause }), details);
    }),
  },
  {
    outcome: "is polled by a client whose errors are none",
    error: "PollingError",
    routes: [accepted],
    options: impatient,
    httpClient: talkative((details) => ({ message: lost, ...details })),
  },
  {
    outcome: "is polled by a client whose errors are words",
    error: "PollingError",
    routes: [accepted],
    options: impatient,
    httpClient: talkative(() => lost),
  },
];

describe.each(starts)("the output of an operation started through %s that", (_, start) => {
  test.each(outcomes)("$outcome", async ({ error: name, routes, options = {}, httpClient }) => {
    server.add(...routes);
    const poller = start({ ...fast(), ...options }, httpClient);
    poller.onFailedPoll(({ error }) => expect(shownWithJson(error)).not.toContain(secret));
    // On a busy machine the response takes longer than the fast clock's minute.
    await poller.started.catch(() => {});
    const error = await rejection(poller.pollUntilDone());
    expect(error).toMatchObject({ name });
    expect(shownWithJson(error)).not.toContain(secret);
    expect(shown(poller)).not.toContain(secret);
    expect(shown(toPollerLike(poller))).not.toContain(secret);
    expect(logged.filter((line) => line.includes(secret))).toEqual([]);
    expect(logged.join("\n")).toMatch(/Request: [^]*Response status code: /);
    expect(JSON.stringify(server.requests[0])).toContain(`Bearer ${secret}`);
  });

  test("loses its connection has no secret in any field of any cause", async () => {
    server.add(accepted);
    const options = { ...fast(), outageToleranceInMs: 0 };
    const poller = start(options);
    await poller.started;
    await server.close();
    const error = await rejection(poller.pollUntilDone());
    expect(error).toMatchObject({ name: "PollingError", code: "ECONNREFUSED" });
    const fields = fieldsWithin(error);
    expect(fields).toContain("ECONNREFUSED");
    expect(fields.filter((field) => field.includes(secret))).toEqual([]);
  });

  test("succeeded", async () => {
    server.add(
      ...responses(200, { body: { status: "Succeeded" } }),
      on(`GET /results/7${query}`, 200, { body: 1 }),
    );
    const poller = start(fast());
    await poller.started;
    expect(shown(poller)).not.toContain(secret);
    expect(await poller.pollUntilDone()).toBe(1);
    expect(shown(poller)).not.toContain(secret);
    expect(logged.filter((line) => line.includes(secret))).toEqual([]);
    server.assertFinished();
  });
});

test("no secret is shown of a client, its parts, and many operations at once", async () => {
  const client = clientOf();
  const operation = client.operation("myProject", "fa067167-e49d-41bd-8dd8-de719b9de3b3");
  const cached = new TokenCache(credential, "x");
  await cached.getToken({});
  const pipeline = createOriginBoundPipeline(new URL(server.origin), "x", credential, { tlsOptions });
  server.add(on(`GET ${monitor}`, 200, { headers: cookie, body: "" }));
  await pipeline.send({ method: "GET", url: server.origin + monitor, headers });
  const { clock } = fast();
  const brief = { clock, requestTimeoutInMs: Infinity, outageToleranceInMs: 0 };
  const group = createPollerGroup(brief);
  const poller = group.add(operation);
  const azure = {
    poll: () => Promise.reject(new Error(lost)),
    getOperationState: () => ({ isCompleted: false }),
  };
  const settled = await pollAll([operation, fromPollerLike(azure)], {
    ...brief,
    stopOnFailure: true,
  });
  const results = await group.pollUntilDone();
  for (const value of [client, operation, cached, pipeline, group, poller, settled, results]) {
    expect(shownWithJson(value)).not.toContain(secret);
  }
  expect(settled.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(server.authorizations).toContain(secret);
});

test("no secret is shown of a credential that fails with details", async () => {
  const why = Object.assign(new Error(lost), { name: "AuthenticationError", request: { headers } });
  const unable = { getToken: () => Promise.reject(why) };
  const client = new OperationStatusesClient(server.origin, unable, { tlsOptions });
  const poller = createPoller(client.operation("myProject", "fa067167-e49d-41bd-8dd8-de719b9de3b3"), fast());
  const error = await rejection(poller.pollUntilDone(), PollingError);
  expect(error.code).toBe("CredentialError");
  expect(shownWithJson(error)).not.toContain(secret);
  expect(logged.filter((line) => line.includes(secret))).toEqual([]);
});

test("a cause is the very error that was thrown, with its name, stack and own cause", async () => {
  const root = Object.assign(new Error("the root"), { code: "EROOT" });
  const thrown = Object.assign(new TypeError("no connection", { cause: root }), {
    code: "ELOST",
    request: { headers },
  });
  const client = clientOf({ sendRequest: () => Promise.reject(thrown) });
  const poll = client.getOperationStatus("myProject", "fa067167-e49d-41bd-8dd8-de719b9de3b3");
  const error = await rejection(poll, PollingError);
  expect(error.cause).toHaveProperty(
    "cause",
    expect.toSatisfy((cause) => cause === thrown),
  );
  const text = inspect(error);
  for (const part of [
    "PollingError: Polling",
    "RequestError: no",
    "TypeError: no",
    "ELOST",
    import.meta.filename,
  ]) {
    expect(text).toContain(part);
  }
  expect(inspect(error, { depth: 4 })).toMatch(/Error: the root[^]*EROOT/);
});

test("an error that causes itself can be shown", () => {
  const cause: Error & { cause?: unknown } = new Error("round");
  const error = new PollingError("and", "Round", { cause });
  cause.cause = error;
  expect(inspect(error, { depth: Infinity })).toContain("[Circular");
});

test("the queries of URLs are removed, and no other question marks", () => {
  const messages: [string, string][] = [
    ["Why? Because.", "Why? Because."],
    ["a?b", "a?b"],
    ["(see https://x.example/y?sig=1).", "(see https://x.example/y?…)."],
    ["at /y?sig=1, then", "at /y?…, then"],
    ["at https://x.example?1", "at https://x.example?…"],
    ["at https://me:pw@x.example/", "at https://…@x.example/"],
    ["to me@x.example", "to me@x.example"],
    ['<a href="/y?a=1&b=2">', '<a href="/y?…">'],
  ];
  for (const [message, redacted] of messages) expect(new PollingError(message, "x").message).toBe(redacted);
});
