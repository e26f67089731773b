import { createHttpHeaders, createPipelineRequest } from "@azure/core-rest-pipeline";
import type { PipelineResponse } from "@azure/core-rest-pipeline";
import fc from "fast-check";
import { expect, test } from "vitest";
import { RequestError, parseRetryAfter } from "lro-poller";
import { ageOf, errorOfResponse, metadataOf } from "../../src/azure/http/response.ts";
import { RateEstimator } from "../../src/limiter/rate-estimator.ts";
import { fuzz } from "./support.ts";

/** Retry-After is capped at a day. */
const maxRetryAfterInMs = 86_400_000;

const visible = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCodePoint(code)),
});
const dates = fc
  .date({ min: new Date(0), max: new Date("9999-12-31T23:59:59Z"), noInvalidDate: true })
  .chain((date) =>
    fc.constantFrom(
      date.toUTCString(),
      date.toISOString(),
      date.toUTCString().replace(" GMT", ""),
      date.toString(),
    ),
  );
const numerals = fc.oneof(
  fc.nat().map(String),
  fc.double().map(String),
  fc.stringMatching(/^[ +-]?\d{0,400}\.?\d{0,40}[smhx ]?$/),
  fc.bigInt().map(String),
);
const values = fc.oneof(visible, dates, numerals);
const names = [
  "retry-after",
  "retry-after-ms",
  "x-ms-retry-after-ms",
  "date",
  "x-rate-limit-remaining",
  "x-rate-limit-reset",
  "x-ms-ratelimit-remaining-subscription-reads",
  "x-ms-error-code",
  "x-ms-request-id",
];
const headerSets = fc.dictionary(fc.constantFrom(...names), values);

function responseWith(headers: Readonly<Record<string, string>>, status = 200): PipelineResponse {
  const request = createPipelineRequest({ url: "https://dev.devcenter.azure.com" });
  return { request, status, headers: createHttpHeaders(headers), bodyAsText: "" };
}

test("a Retry-After is a finite number of milliseconds above zero, or none", () =>
  fuzz(
    fc.property(headerSets, fc.double({ min: 0, max: 8e15, noNaN: true }), (headers, receivedAt) => {
      const delay = parseRetryAfter((name) => headers[name], receivedAt);
      if (delay === undefined) return;
      expect(delay).toBeGreaterThan(0);
      expect(delay).toBeLessThan(Infinity);
    }),
  ));

test("a Retry-After in whole seconds is that many, up to a day, unless a header has milliseconds", () =>
  fuzz(
    fc.property(headerSets, fc.integer({ min: 1, max: 1e9 }), (headers, seconds) => {
      const { "retry-after-ms": _, "x-ms-retry-after-ms": __, ...others } = headers;
      const response = responseWith({ ...others, "retry-after": String(seconds) });
      expect(metadataOf(response).retryAfterInMs).toBe(Math.min(seconds * 1000, maxRetryAfterInMs));
    }),
  ));

test("a Retry-After that is a date counts from the response's own Date, up to a day", () =>
  fuzz(
    fc.property(fc.integer({ min: 0, max: 4e9 }), fc.integer({ min: 1, max: 1e7 }), (start, seconds) => {
      const text = (atInS: number): string => new Date(atInS * 1000).toUTCString();
      const headers = createHttpHeaders({ date: text(start), "retry-after": text(start + seconds) });
      const expected = Math.min(seconds * 1000, maxRetryAfterInMs);
      expect(parseRetryAfter((name) => headers.get(name), 0)).toBe(expected);
    }),
  ));

test("the metadata of a response is in range, and its error is a RequestError", () =>
  fuzz(
    fc.property(headerSets, fc.integer({ min: 100, max: 599 }), (headers, status) => {
      const response = responseWith(headers, status);
      const { rateLimit, statusCode } = metadataOf(response);
      expect(statusCode).toBe(status);
      expect(rateLimit?.remaining ?? 0).toBeGreaterThanOrEqual(0);
      expect(rateLimit?.resetInMs ?? 1).toBeGreaterThan(0);
      expect(rateLimit?.resetInMs ?? 1).toBeLessThan(Infinity);
      expect(ageOf(new Date(0), response)).not.toBeNaN();
      const error = errorOfResponse(response);
      expect(error).toBeInstanceOf(RequestError);
      expect(error.message).toMatch(new RegExp(`^HTTP ${status}: .`));
    }),
  ));

test("an error code that is empty counts as none", () => {
  const error = errorOfResponse(responseWith({ "x-ms-error-code": "" }, 503));
  expect(error).toMatchObject({
    code: "RequestFailed",
    message: "HTTP 503: neither a status nor an error in the response",
  });
});

const hints = fc.array(
  fc.record({ headers: headerSets, gapInMs: fc.nat(100_000), isThrottled: fc.boolean() }),
  { maxLength: 20 },
);

test("the rate limit in headers never spaces requests by more than a minute", () =>
  fuzz(
    fc.property(hints, (list) => {
      const estimator = new RateEstimator();
      let now = 0;
      for (const { headers, gapInMs, isThrottled } of list) {
        now += gapInMs;
        estimator.record(now, { ...metadataOf(responseWith(headers)), isThrottled });
        expect(estimator.intervalInMs(now)).toBeGreaterThanOrEqual(0);
        expect(estimator.intervalInMs(now)).toBeLessThanOrEqual(60_000);
      }
    }),
  ));
