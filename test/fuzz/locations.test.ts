import { inspect } from "node:util";
import { createHttpHeaders } from "@azure/core-rest-pipeline";
import type { HttpClient } from "@azure/core-rest-pipeline";
import fc from "fast-check";
import { expect, test } from "vitest";
import { LroError, OperationStatusesClient, fixed } from "lro-poller";
import { createVirtualClock } from "lro-poller/testing";
import { fuzz, operationId, secret } from "./support.ts";

const endpoint = "https://dev.devcenter.azure.com";
const path = `/projects/myProject/operationstatuses/${operationId}`;

const origins = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(endpoint, "HTTPS://DEV.EXAMPLE:443", "", "https:") },
  fc.constantFrom(
    "https://evil.example",
    "http://dev.devcenter.azure.com",
    "//evil.example",
    "https://dev.devcenter.azure.com@evil.example",
    "https://dev.devcenter.azure.com.evil.example",
    "https://dev.devcenter.azure.com:8443",
    `https://me:${secret}@dev.devcenter.azure.com`,
    "\\\\evil.example",
    "https:\\evil.example",
    "javascript:",
    "file://",
    " https://evil.example",
    "https://dev.devcenter.azure.com\t.evil.example",
  ),
  fc.webUrl().map((url) => new URL(url).origin),
);
const paths = fc.oneof(
  { weight: 3, arbitrary: fc.constant(path) },
  fc.constantFrom(
    "",
    "/",
    "/..",
    path.toUpperCase(),
    `${path}/`,
    `/..${path}`,
    path.replace("/", "//"),
    "/results/7",
  ),
  fc.webPath(),
  fc.string(),
);
/** Values of `Operation-Location`: valid, hostile or garbage, and signed. */
const locations = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(origins, paths)
      .map(([origin, rest]) => `${origin}${rest}?api-version=1&sig=${secret}`),
  },
  fc.string(),
);

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function clientOf(httpClient?: HttpClient): OperationStatusesClient {
  const token = { token: secret, expiresOnTimestamp: Date.now() + 3_600_000 };
  const credential = { getToken: () => Promise.resolve(token) };
  return new OperationStatusesClient(endpoint, credential, httpClient ? { httpClient } : {});
}

test("an Operation-Location is at the client's own origin, or is rejected with the invalid part", () =>
  fuzz(
    fc.property(locations, (location) => {
      try {
        const { endpoint: own, pollingLocation } = fieldsOf(clientOf().operationAt(location).toJSON());
        const url = own ?? fieldsOf(pollingLocation)["monitorUrl"];
        expect(new URL(String(url)).origin).toBe(endpoint);
      } catch (error) {
        if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
        expect(error.message).toMatch(/^(operationLocation|projectName|operationId): expected /);
        expect(error.message).not.toContain(secret);
      }
    }),
  ));

interface Hop {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const headerName = fc.constantFrom("operation-location", "azure-asyncoperation", "location", "retry-after");
const headerValue = locations.map((location) => location.replaceAll(/[^\x20-\x7e]/g, "").trim());
const hops: fc.Arbitrary<Hop> = fc.record({
  status: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(200, 201, 202, 204) },
    fc.constantFrom(301, 302, 303, 307, 308, 404, 401, 503),
  ),
  headers: fc.dictionary(headerName, headerValue, { maxKeys: 3 }),
  body: fc.oneof(
    fc.constantFrom(
      "",
      "{",
      "{}",
      '{"status":"Running"}',
      '{"status":"Succeeded"}',
      '{"properties":{"provisioningState":"Creating"}}',
    ),
    locations.map((resourceLocation) => JSON.stringify({ status: "Succeeded", resourceLocation })),
  ),
});
const initialRequests = fc.record({
  method: fc.constantFrom("PUT", "POST", "DELETE", "PATCH"),
  finalStateVia: fc.constantFrom(
    undefined,
    "location",
    "original-uri",
    "operation-location",
    "azure-async-operation",
  ),
});

function httpClientOf(list: readonly Hop[], urls: string[]): HttpClient {
  return {
    sendRequest(request) {
      urls.push(request.url);
      const hop = list[urls.length - 1] ?? { status: 500, headers: {}, body: "" };
      return Promise.resolve({
        request,
        status: hop.status,
        headers: createHttpHeaders(hop.headers),
        bodyAsText: hop.body,
      });
    },
  };
}

test("for any URLs in responses, requests go to the client's origin only, and no error contains a secret", () =>
  fuzz(
    fc.asyncProperty(
      initialRequests,
      fc.array(hops, { minLength: 1, maxLength: 6 }),
      async (initial, list) => {
        const clock = createVirtualClock();
        const urls: string[] = [];
        const client = clientOf(httpClientOf(list, urls));
        const { method, finalStateVia } = initial;
        const poller = client.startOperation(
          { method, url: "/boxes/b1" },
          {
            clock,
            schedule: fixed(1000),
            timeoutInMs: 30_000,
            outageToleranceInMs: 5000,
            notFoundGraceInMs: 2000,
            requestTimeoutInMs: 1e9,
            ...(finalStateVia && { finalStateVia }),
          },
        );
        const outcome: unknown = await clock
          .runUntilSettled(poller.pollUntilDone())
          .catch((error: unknown) => error);
        for (const url of urls) expect(new URL(url).origin).toBe(endpoint);
        if (!(outcome instanceof Error)) return;
        if (!(outcome instanceof LroError)) throw outcome;
        expect(inspect(outcome, { depth: null }) + String(outcome) + JSON.stringify(outcome)).not.toContain(
          secret,
        );
      },
    ),
    0.1,
  ));
