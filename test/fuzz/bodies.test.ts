import { createHttpHeaders } from "@azure/core-rest-pipeline";
import type { HttpClient } from "@azure/core-rest-pipeline";
import fc from "fast-check";
import { inspect } from "node:util";
import { expect, test } from "vitest";
import {
  ContractError,
  LroError,
  OperationFailedError,
  OperationStatusesClient,
  RequestError,
  fixed,
  isTerminal,
  parseOperationStatus,
  pollUntilDone,
} from "lro-poller";
import type { InnerError, OperationError, OperationStatus, PollOptions, Progress } from "lro-poller";
import { createVirtualClock } from "lro-poller/testing";
import { findError, parseOperationError } from "../../src/operation/parse-error.ts";
import { withoutUrlSecrets } from "../../src/redaction.ts";
import { fuzz, json, operationId, secret, statusBodies } from "./support.ts";

function isText(value: unknown): boolean {
  return value === undefined || typeof value === "string";
}

function checkOperationError(error: OperationError | undefined): void {
  if (error === undefined) return;
  expect([error.code, error.message, error.target].every(isText)).toBe(true);
  error.details?.forEach(checkOperationError);
}

function checkStatus(status: OperationStatus): void {
  expect(status.status.trim()).not.toBe("");
  expect(isText(status.id) && isText(status.name) && isText(status.resourceId)).toBe(true);
  expect(status.percentComplete ?? 0).toBeGreaterThanOrEqual(0);
  expect(status.percentComplete ?? 0).toBeLessThanOrEqual(100);
  for (const date of [status.startTime, status.endTime]) {
    if (date !== undefined) expect(date.getTime()).not.toBeNaN();
  }
  checkOperationError(status.error);
}

test("a body is a status in the contract's ranges, or a ContractError without the query of a URL", () =>
  fuzz(
    fc.property(statusBodies, fc.constantFrom(undefined, operationId), (body, id) => {
      try {
        checkStatus(parseOperationStatus(body, id));
      } catch (error) {
        if (!(error instanceof ContractError)) throw error;
        expect(error.message).toMatch(/^(the body|\$[\w.[\]]+): expected .+, got .+/);
        expect(inspect(error, { depth: null })).not.toContain(secret);
      }
    }),
  ));

test("a status that is written as JSON and parsed again is the same", () =>
  fuzz(
    fc.property(statusBodies, (body) => {
      let status: OperationStatus;
      try {
        // As JSON transmits it, in which -0 is 0.
        status = parseOperationStatus(JSON.parse(JSON.stringify(body)));
      } catch {
        return;
      }
      expect(parseOperationStatus(JSON.parse(JSON.stringify(status)))).toEqual(status);
    }),
  ));

/** Fields of errors by the names that services use, so that any JSON comes where an error may be. */
const errorFields = fc.constantFrom(
  "error",
  "Error",
  "errors",
  "details",
  "innererror",
  "innerError",
  "message",
  "Message",
  "code",
  "Code",
  "target",
  "additionalInfo",
  "properties",
  "statusMessage",
  "raw",
  "toJSON",
  "__proto__",
  "other",
);
const { errorBody } = fc.letrec((tie) => ({
  errorBody: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    json,
    fc.array(tie("errorBody"), { maxLength: 3 }),
    fc.array(fc.tuple(errorFields, tie("errorBody")), { maxLength: 5 }).map(Object.fromEntries),
    tie("errorBody").map((value) => JSON.stringify(value)),
  ),
}));

test("an error in any body is found or not, loses nothing as JSON, and has a text and all of its codes", () =>
  fuzz(
    fc.property(errorBody, (value) => {
      const body: unknown = JSON.parse(JSON.stringify(value));
      const error = findError(body);
      if (error === undefined) return;
      checkOperationError(error);
      const copy: unknown = JSON.parse(JSON.stringify(error));
      expect(copy).toEqual(error.raw);
      expect(parseOperationError(copy)).toEqual(error);
      const failure = new OperationFailedError({ operation: { id: "", name: "", status: "Failed", error } });
      expect(failure.error).toBe(error.raw);
      const codes = codesIn(error).filter((code) => !failure.hasCode(code.toUpperCase()));
      expect(codes).toEqual([]);
      expect(failure.message.split("\n")[0]).toContain(withoutUrlSecrets(failure.rootCause?.code ?? ""));
      expect(failure.message).not.toContain("undefined");
    }),
  ));

function codesIn({ code, details = [], innererror }: InnerError): readonly string[] {
  return [...(code ? [code] : []), ...details.flatMap(codesIn), ...(innererror ? codesIn(innererror) : [])];
}

/** Matches a secret in a text for people, which is shown as the service sent it. */
const secretInText = new RegExp(`"(status|code|message|target)":"[^"]*${secret}`);

interface SentResponse {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

const texts = statusBodies.map((body) => JSON.stringify(body)).filter((text) => !secretInText.test(text));
const responses: fc.Arbitrary<SentResponse> = fc.record({
  status: fc.oneof({ weight: 8, arbitrary: fc.constant(200) }, fc.integer({ min: 100, max: 599 })),
  body: fc.oneof(
    { weight: 8, arbitrary: texts },
    { weight: 1, arbitrary: fc.constantFrom("", "<html>", "{", `https://x.example/?sig=${secret}`) },
  ),
  headers: fc.dictionary(
    fc.constantFrom("retry-after", "date", "x-rate-limit-remaining", "x-rate-limit-reset", "location"),
    fc.constantFrom(
      "0",
      "7",
      "-1",
      "soon",
      "Wed, 24 Jan 2024 21:14:58 GMT",
      `https://evil.example/x?sig=${secret}`,
    ),
  ),
});

/** Creates a client that gets these responses in order, and then the last one again and again. */
function httpClientOf(list: readonly SentResponse[], urls: string[]): HttpClient {
  return {
    sendRequest(request) {
      urls.push(request.url);
      const { status, body, headers } = list[Math.min(urls.length, list.length) - 1] ?? {
        status: 500,
        body: "",
        headers: {},
      };
      return Promise.resolve({ request, status, headers: createHttpHeaders(headers), bodyAsText: body });
    },
  };
}

const endpoint = "https://dev.devcenter.azure.com";
const credential = {
  getToken: () => Promise.resolve({ token: secret, expiresOnTimestamp: Date.now() + 3_600_000 }),
};

function checkProgress(progress: Progress, before: Progress | undefined): void {
  const {
    percentComplete = 0,
    elapsedInMs,
    nextPollInMs = 0,
    estimatedRemainingRangeInMs = [0, 0],
  } = progress;
  expect(percentComplete).toBeGreaterThanOrEqual(before?.percentComplete ?? 0);
  expect(percentComplete).toBeLessThanOrEqual(100);
  expect(elapsedInMs).toBeGreaterThanOrEqual(before?.elapsedInMs ?? 0);
  expect(nextPollInMs).toBeGreaterThanOrEqual(0);
  expect(nextPollInMs).toBeLessThan(Infinity);
  expect(estimatedRemainingRangeInMs[0]).toBeLessThanOrEqual(estimatedRemainingRangeInMs[1]);
  expect(progress.pollCount).toBeGreaterThan(before?.pollCount ?? 0);
}

test("a wait ends with a result or an error of this library, without a secret or a request to another origin", () =>
  fuzz(
    fc.asyncProperty(fc.array(responses, { minLength: 1, maxLength: 6 }), async (list) => {
      const clock = createVirtualClock();
      const urls: string[] = [];
      const client = new OperationStatusesClient(endpoint, credential, {
        httpClient: httpClientOf(list, urls),
      });
      let latest: Progress | undefined;
      const options: PollOptions = {
        clock,
        schedule: fixed(1000),
        timeoutInMs: 20_000,
        outageToleranceInMs: 8000,
        notFoundGraceInMs: 3000,
        requestTimeoutInMs: 1e9,
        onProgress: (progress) => {
          checkProgress(progress, latest);
          latest = progress;
        },
        onFailedPoll: ({ error }) => expect(inspect(error, { depth: null })).not.toContain(secret),
      };
      const wait = pollUntilDone(client.operation("myProject", operationId), options);
      const outcome: unknown = await clock.runUntilSettled(wait).catch((error: unknown) => error);
      for (const url of urls) expect(new URL(url).origin).toBe(endpoint);
      if (outcome instanceof Error) checkError(outcome);
      else expect(latest?.status).toBe("Succeeded");
      if (isTerminal(latest?.status)) expect(latest?.nextPollInMs).toBeUndefined();
    }),
    0.1,
  ));

const errorNames = [
  "OperationFailedError",
  "OperationCanceledError",
  "OperationNotFoundError",
  "PollingError",
  "PollingTimeoutError",
];

function checkError(error: Error): void {
  expect(errorNames).toContain(error.name);
  if (!(error instanceof LroError)) throw error;
  expect(error.message).not.toContain("undefined");
  if (error.cause !== undefined) expect(error.cause).toBeInstanceOf(RequestError);
  expect(inspect(error, { depth: null }) + String(error) + JSON.stringify(error)).not.toContain(secret);
}
