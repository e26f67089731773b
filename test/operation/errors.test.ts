import { createHttpHeaders } from "@azure/core-rest-pipeline";
import { describe, expect, test } from "vitest";
import {
  OperationCanceledError,
  OperationFailedError,
  OperationNotFoundError,
  OperationStartError,
  OperationStatusesClient,
  PollingError,
  RequestError,
} from "lro-poller";
import type { OperationError } from "lro-poller";

const id = "fa067167-e49d-41bd-8dd8-de719b9de3b3";
const policy = { type: "PolicyViolation", info: { policyDefinitionName: "no-public-ip" } };
const sent: OperationError = {
  code: "InvalidTemplateDeployment",
  message: "Not valid.",
  target: "vm",
  details: [
    {
      code: "Conflict",
      message: JSON.stringify({ error: { code: "ZonalAllocationFailed", message: "Full." } }),
    },
    { code: "RequestDisallowedByPolicy", message: "No.", additionalInfo: [policy] },
  ],
  innererror: { code: "Inner", innererror: { code: "Innermost" } },
  additionalInfo: [policy],
  retryable: false,
};
const operation = { id: `/x/${id}`, name: id, status: "Failed", error: sent };

/** Creates a client whose requests all get this response. */
function clientOf(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): OperationStatusesClient {
  return new OperationStatusesClient(
    "https://x.devcenter.azure.com",
    {
      getToken: () => Promise.resolve({ token: "t", expiresOnTimestamp: Date.now() + 3_600_000 }),
    },
    {
      httpClient: {
        sendRequest: (request) =>
          Promise.resolve({
            request,
            status,
            headers: createHttpHeaders({ "x-ms-request-id": "request-7", ...headers }),
            bodyAsText: JSON.stringify(body),
          }),
      },
    },
  );
}

async function pollOnce(client: OperationStatusesClient): Promise<unknown> {
  return client.getOperationStatus("myProject", id).catch((error: unknown) => error);
}

async function start(client: OperationStatusesClient): Promise<unknown> {
  const request = { method: "PUT", url: "https://x.devcenter.azure.com/boxes/b" } as const;
  return client
    .startOperation(request)
    .pollUntilDone()
    .catch((error: unknown) => error);
}

const body = { error: sent };

describe("an error of the service", () => {
  test.each<[string, () => unknown]>([
    ["OperationFailedError", () => new OperationFailedError({ operation, requestId: "request-7" })],
    ["OperationCanceledError", () => new OperationCanceledError({ operation, requestId: "request-7" })],
    ["RequestError", () => new RequestError("m", { kind: "permanent", error: sent, requestId: "request-7" })],
    ["PollingError", () => pollOnce(clientOf(400, body))],
    ["OperationNotFoundError", () => pollOnce(clientOf(404, body))],
    ["OperationStartError", () => start(clientOf(400, body))],
  ])("is whole in %s", async (name, makeError) => {
    const error = await makeError();
    const isOne = [
      OperationFailedError,
      OperationCanceledError,
      RequestError,
      PollingError,
      OperationNotFoundError,
      OperationStartError,
    ].some((type) => error instanceof type);
    expect(isOne).toBe(true);
    const { target, innererror, additionalInfo } = sent;
    expect(error).toMatchObject({ name, target, innererror, additionalInfo, requestId: "request-7" });
    expect(error).toHaveProperty("error", sent);
    expect(error).toHaveProperty("details[0].details[0].code", "ZonalAllocationFailed");
    expect(error).toHaveProperty("details[1].additionalInfo", [policy]);
    expect(error).toHaveProperty("rootCause", { code: "ZonalAllocationFailed", message: "Full." });
  });

  test("has all codes of its tree, compared without case, and no other", () => {
    const error = new OperationFailedError({ operation });
    const codes = [
      "InvalidTemplateDeployment",
      "Conflict",
      "zonalallocationfailed",
      "RequestDisallowedByPolicy",
    ];
    expect([...codes, "INNER", "Innermost"].filter((code) => !error.hasCode(code))).toEqual([]);
    expect(["PolicyViolation", "Zonal", "Failed", "vm"].filter((code) => error.hasCode(code))).toEqual([]);
  });

  test("that is missing leaves the code of this library", () => {
    const error = new OperationFailedError({ operation: { ...operation, error: undefined } });
    expect(error).toMatchObject({ code: "Failed", details: [], additionalInfo: [] });
    expect([error.error, error.rootCause, error.hasCode("failed")]).toEqual([undefined, undefined, true]);
  });

  test("without a code has that of its root cause", () => {
    const error = new OperationFailedError({
      operation: {
        ...operation,
        error: { code: "", message: "", details: [{ code: "", message: "m" }, sent] },
      },
    });
    expect(error.code).toBe("ZonalAllocationFailed");
  });
});

describe("a failed request", () => {
  test.each<[string, Record<string, string>, unknown, string]>([
    [
      "Header",
      { "x-ms-error-code": "Header" },
      { error: { code: "Body", message: "m" } },
      "HTTP 400: Body: m",
    ],
    ["Header", { "x-ms-error-code": "Header" }, { message: "m" }, "HTTP 400: Header: m"],
    ["Header", { "x-ms-error-code": "Header" }, null, "HTTP 400: Header"],
    [
      "Public",
      { "x-ms-public-api-error-code": "Public" },
      { errorCode: "Body", message: "m" },
      "HTTP 400: Body: m",
    ],
    ["Body", {}, { errorCode: "Body", message: "m" }, "HTTP 400: Body: m"],
    ["B", {}, { errors: [{ code: "B" }, { code: "C" }] }, "HTTP 400: B (and 1 more)\n  - B\n  - C"],
    [
      "A",
      {},
      { Error: { Code: "A", InnerError: { Code: "B", Message: "b" } } },
      "HTTP 400: B: b (in A)\n  A → B: b",
    ],
  ])("has the code %s of %j and %j", async (code, headers, sentBody, text) => {
    const error = await start(clientOf(400, sentBody, headers));
    expect(error).toMatchObject({ code, message: expect.stringContaining(text) });
    expect(error).toHaveProperty("hasCode", expect.any(Function));
    expect(error instanceof OperationStartError && error.hasCode(code)).toBe(true);
  });
});
