import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { ContractError, OperationStatusesClient } from "lro-poller";
import { simulate } from "./support.ts";
import { clientOf, endpoint, freshToken } from "./resume-support.ts";

const operation = freshToken.operation;
const progress = { latest: 2, quantum: 1, roughness: [0, 0], points: [1, 0, 10, 1, 2, 1, 20, 1] };

function withOperation(fields: object): object {
  return { ...freshToken, operation: { ...operation, ...fields } };
}

function withProgress(fields: object): object {
  return { ...freshToken, progress: { ...progress, ...fields } };
}

/** An object whose field is a key of its own, as `JSON.parse` makes one. */
function withKey(key: string, value: string): unknown {
  return JSON.parse(`${JSON.stringify(freshToken).slice(0, -1)},"${key}":${value}}`);
}

const secret = "eyJ0eXAi.secret.c2lnbmF0dXJl";

const malformed: [string, unknown, string][] = [
  ["no JSON", "{", "token: expected JSON, got a string of length 1"],
  ["a credential's token", secret, "token: expected JSON, got a string of length 28"],
  ["too long", "x".repeat(20_000), "token: expected at most 16384 characters, got a string of length 20000"],
  [
    "too long as an object",
    { ...freshToken, more: "x".repeat(20_000) },
    "token: expected at most 16384 characters",
  ],
  ["null", "null", "token: expected an object, got null"],
  ["a number", 7, "token: expected an object, got 7"],
  ["an array", [], "token: expected an object, got an array"],
  ["nothing", undefined, "token: expected a token's text, or that parsed, got nothing"],
  ["a function", () => freshToken, "token: expected a token's text, or that parsed, got nothing"],
  [
    "a big integer",
    { ...freshToken, pollCount: 1n },
    "token: expected a token's text, or that parsed, got an object",
  ],
  ["newer", { ...freshToken, version: 2, anything: 1 }, "token.version: expected 1, got 2"],
  ["of no version", { ...freshToken, version: undefined }, "token.version: expected 1, got nothing"],
  [
    "of a version in words",
    { ...freshToken, version: secret },
    "token.version: expected 1, got a string of length 28",
  ],
  ["of nothing", { ...freshToken, operation: null }, "token.operation: expected an object, got null"],
  [
    "of another kind",
    { ...freshToken, operation: { operationId: "7" } },
    "token.operation: expected an operation of this library's clients, or a core-lro state, got an object",
  ],
  ["of no endpoint", withOperation({ endpoint: 7 }), "token.operation.endpoint: expected a URL, got 7"],
  [
    "of a relative endpoint",
    withOperation({ endpoint: "/x" }),
    "token.operation.endpoint: expected a URL, got a string",
  ],
  [
    "of no project",
    withOperation({ projectName: undefined }),
    "token.operation.projectName: expected 3 to 63 letters",
  ],
  [
    "of a path",
    withOperation({ projectName: "../x" }),
    "token.operation.projectName: expected 3 to 63 letters",
  ],
  [
    "of no operation",
    withOperation({ operationId: "../x" }),
    "token.operation.operationId: expected 36 characters in the form of a UUID, got a string of length 4",
  ],
  [
    "of no api-version",
    withOperation({ apiVersion: undefined }),
    "token.operation.apiVersion: expected a string",
  ],
  [
    "of more",
    withOperation({ pollingLocation: { kind: "?" } }),
    "token.operation.pollingLocation.kind: expected statusMonitor, location",
  ],
  ["of a field too many", withOperation({ more: secret }), "token.operation.more: expected no such field"],
  [
    "from nowhere in time",
    { ...freshToken, startedAt: "x" },
    "token.startedAt: expected a number from 0 to 9007199254740991",
  ],
  ["from before time", { ...freshToken, startedAt: -1 }, "token.startedAt: expected a number from 0 to"],
  [
    "saved before it started",
    { ...freshToken, savedAt: 5 },
    "token.savedAt: expected startedAt (1735689600000) or later, got 5",
  ],
  ["never saved", { ...freshToken, savedAt: undefined }, "token.savedAt: expected a number from 0 to"],
  [
    "over before it started",
    { ...freshToken, deadline: 5 },
    "token.deadline: expected startedAt (1735689600000) or later",
  ],
  [
    "of an empty state",
    { ...freshToken, status: " " },
    "token.status: expected a state of at most 32 characters",
  ],
  [
    "of a long state",
    { ...freshToken, status: "x".repeat(33) },
    "token.status: expected a state of at most 32 characters",
  ],
  [
    "of too much",
    { ...freshToken, percentComplete: 101 },
    "token.percentComplete: expected a number from 0 to 100, got 101",
  ],
  [
    "of half a poll",
    { ...freshToken, pollCount: 1.5 },
    "token.pollCount: expected a whole number from 0 on, got 1.5",
  ],
  [
    "of fewer than no failures",
    { ...freshToken, failedPollCount: -1 },
    "token.failedPollCount: expected a number from 0",
  ],
  [
    "of a head start in words",
    { ...freshToken, ageAtStart: "1" },
    "token.ageAtStart: expected a number from 0",
  ],
  [
    "throttled until no number",
    { ...freshToken, notBefore: null },
    "token.notBefore: expected a number from 0",
  ],
  ["without a record", { ...freshToken, progress: [] }, "token.progress: expected an object, got an array"],
  [
    "of points in an object",
    withProgress({ points: { 0: 1 } }),
    "token.progress.points: expected an array of numbers, got an object",
  ],
  [
    "of half a point",
    withProgress({ points: [1, 0] }),
    "token.progress.points: expected four numbers for each point",
  ],
  [
    "of points that go back",
    withProgress({ points: [2, 0, 1, 1, 1, 0, 2, 1] }),
    "token.progress.points[4]: expected at least 2, got 1",
  ],
  [
    "of a point beyond",
    withProgress({ points: [2, 0, 101, 1] }),
    "token.progress.points[2]: expected a number from 0 to 100",
  ],
  [
    "of a point of nothing",
    withProgress({ points: [2, 0, 1, 0] }),
    "token.progress.points[3]: expected 1 or more, got 0",
  ],
  [
    "of a point in words",
    withProgress({ points: [2, "0", 1, 1] }),
    "token.progress.points[1]: expected a number",
  ],
  [
    "of no roughness",
    withProgress({ roughness: [0] }),
    "token.progress.roughness[1]: expected a whole number",
  ],
  ["last seen never", withProgress({ latest: null }), "token.progress.latest: expected a number"],
  [
    "of no quantum",
    withProgress({ quantum: 200 }),
    "token.progress.quantum: expected a number from 0 to 100",
  ],
  [
    "of __proto__",
    withKey("__proto__", `{"status":"Succeeded"}`),
    "token.__proto__: expected no such field, got an object",
  ],
  [
    "of constructor",
    withKey("constructor", `"x"`),
    "token.constructor: expected no such field, got a string of length 1",
  ],
  ["of a name that may be a secret", withKey(secret, "1"), "token.…: expected no such field, got 1"],
  ["by its prototype only", Object.create(freshToken), "token.version: expected 1, got nothing"],
  [
    "core-lro's, by a prototype only",
    JSON.parse(`{"state":{"__proto__":{"config":{"metadata":{"mode":"Body"},"operationLocation":"/x"}}}}`),
    "token.state.config: expected an object, got nothing",
  ],
  [
    "core-lro's, of another mode",
    { state: { config: { metadata: { mode: secret }, operationLocation: "/x" } } },
    "token.state.config.metadata.mode: expected OperationLocation, ResourceLocation, Body, got a string of length 28",
  ],
  [
    "of a polling location without a URL",
    { ...freshToken, operation: { pollingLocation: { kind: "location" } } },
    "token.operation.pollingLocation.monitorUrl: expected a URL, got nothing",
  ],
  [
    "of a polling location of a kind that is a method of maps",
    { ...freshToken, operation: { pollingLocation: { kind: "constructor", monitorUrl: "/x" } } },
    "token.operation.pollingLocation.kind: expected statusMonitor, location, resource, auto, condition, got a string of length 11",
  ],
];

const belongsElsewhere: [string, unknown, string][] = [
  [
    "another origin",
    withOperation({ endpoint: "https://evil.example" }),
    "token.operation.endpoint: expected the client's origin https://dev.devcenter.azure.com, got https://evil.example",
  ],
  [
    "plain http",
    withOperation({ endpoint: "http://dev.devcenter.azure.com" }),
    "token.operation.endpoint: expected the client's origin https://dev.devcenter.azure.com, got http://dev.devcenter.azure.com",
  ],
  [
    "another user",
    withOperation({ endpoint: "https://me:password@dev.devcenter.azure.com/" }),
    "token.operation.endpoint: expected the client's endpoint https://dev.devcenter.azure.com/, got another URL there",
  ],
  [
    "another path",
    withOperation({ endpoint: "https://dev.devcenter.azure.com/gateway/" }),
    "token.operation.endpoint: expected the client's endpoint https://dev.devcenter.azure.com/, got another URL there",
  ],
  [
    "another api-version",
    withOperation({ apiVersion: "2024-10-01-preview" }),
    "token.operation.apiVersion: expected the client's 2025-02-01, got 2024-10-01-preview",
  ],
  [
    "an api-version that may be a secret",
    withOperation({ apiVersion: secret }),
    "token.operation.apiVersion: expected the client's 2025-02-01, got another",
  ],
];

function rejectionOf(token: unknown): Error {
  const service = simulate();
  try {
    // What types forbid still comes from files.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    clientOf(service).resume(token as string);
  } catch (error) {
    expect(service.requestLog).toEqual([]);
    if (error instanceof Error) return error;
  }
  throw new Error("The token was taken.");
}

describe("a token is rejected, in one line that quotes nothing of it,", () => {
  test.each(malformed)("that is %s", (_, token, message) => {
    const error = rejectionOf(token);
    expect(error).toBeInstanceOf(ContractError);
    expect(error.message.slice(0, message.length)).toBe(message);
    expect(error.message).not.toContain("\n");
    expect(inspect(error, { depth: 10, showHidden: true })).not.toMatch(/secret|eyJ/);
  });

  test.each(belongsElsewhere)("that is of %s", (_, token, message) => {
    const error = rejectionOf(token);
    expect(error).toBeInstanceOf(RangeError);
    expect(error.message).toBe(message);
    expect(inspect(error, { depth: 10, showHidden: true })).not.toMatch(/secret|eyJ|password/);
  });
});

describe("an object whose getters", () => {
  test("give another value each time leads to the URL that was checked", () => {
    const origins = [endpoint, "https://evil.example/"];
    const shifty = {
      ...operation,
      get endpoint() {
        return origins.shift();
      },
    };
    const client = new OperationStatusesClient(endpoint);
    expect(client.resume({ ...freshToken, operation: shifty }).toJSON().operation).toEqual(operation);
    expect(origins).toHaveLength(1);
  });

  test("throw is rejected as no token", () => {
    const hostile = {
      get version(): number {
        throw new Error(secret);
      },
    };
    const error = rejectionOf(hostile);
    expect(error).toBeInstanceOf(ContractError);
    expect(error.message).toBe("token: expected a token's text, or that parsed, got an object");
  });
});
