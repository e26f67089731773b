import { on } from "../support.ts";
import type { Route } from "../../../support/route-server.ts";
import { box, brokenResponse, impatient } from "./scenario.ts";
import type { ExpectedError, Scenario } from "./scenario.ts";

const at = "/operations/7";
const statusRequest = `GET ${at}`;
const both = { "azure-asyncoperation": at, location: at, "retry-after": "0" };
const badRequest = { body: { error: { code: "NotNow", message: "Ask somebody else." } } };

const pollIsNotTheOperation =
  "core-lro marks the operation as failed for good after a 400; here the poll failed, and the operation's last status stays";
const noStatus =
  "core-lro takes a status monitor without a status for success; here it is a failed poll, which is retried";
const notJson = "core-lro ends with the parser's SyntaxError; here it is a failed poll, which is retried";
const notFound =
  "core-lro ends at the first 404; here it is retried for notFoundGraceInMs, because a new operation may not be replicated yet";

const notStarted = { name: "OperationStartError", code: "NotNow", statusCode: 400 } as const;
const permanentFailure = { name: "PollingError", code: "NotNow", statusCode: 400 } as const;

function startFails(name: string, initialRequest: string): Scenario {
  return {
    name,
    exchanges: [on(initialRequest, 400, badRequest)],
    expected: { error: { ...notStarted, message: "Ask somebody else.", status: undefined } },
  };
}

function pollFails(name: string, first: Route, poll: string, status: string): Scenario {
  return {
    name,
    exchanges: [first, on(poll, 400, badRequest)],
    expected: { error: { ...permanentFailure, message: "Ask somebody else.", status } },
    differs: pollIsNotTheOperation,
  };
}

/** A broken response: once with a valid one after it, once as the only one, so that it ends the wait. */
function broken(
  name: string,
  differs: string,
  exchanges: readonly [Route, ...Route[]],
  recovery: readonly Route[],
  status: string,
): Scenario[] {
  const last = recovery.at(-1);
  const result = last?.body;
  return [
    { name, exchanges, options: impatient, expected: brokenResponse(status), differs },
    { name: `${name}, once`, exchanges: [...exchanges, ...recovery], expected: { result } },
  ];
}

/** A URL that leads nowhere, beside a Retry-After that is none. */
function lost(name: string, method: string, headers: Record<string, string>, status: string): Scenario[] {
  const first = on(`${method} /boxes/b1`, 202, { headers: { ...headers, "retry-after": "/bar" } });
  const nowhere = on("GET /foo", 404, {
    body: { error: { code: "NoSuchPath", message: "Look elsewhere." } },
  });
  const isMonitor = "azure-asyncoperation" in headers;
  const found = on("GET /foo", 200, { body: { status: "Succeeded", properties: 3 } });
  const resource = on("GET /boxes/b1", 200, { body: box("Succeeded") });
  const recovery = method === "PUT" ? [found, resource] : [found];
  const result = isMonitor ? 3 : found.body;
  const error: ExpectedError = { name: "OperationNotFoundError", code: "NoSuchPath", status };
  return [
    { name, exchanges: [first, nowhere], options: impatient, expected: { error }, differs: notFound },
    {
      name: `${name}, once`,
      exchanges: [first, nowhere, ...recovery],
      expected: { result: method === "PUT" ? resource.body : result },
    },
  ];
}

const putAsync = on("PUT /boxes/b1", 200, { headers: both, body: box("Creating") });
const deleteAsync = on("DELETE /boxes/b1", 202, { headers: both });
const postAsync = on("POST /boxes/b1", 202, { headers: both });
const putEnds = [
  on(statusRequest, 200, { body: { status: "Succeeded" } }),
  on("GET /boxes/b1", 200, { body: box("Succeeded") }),
];
const ends = [on(statusRequest, 200, { body: { status: "Succeeded" } })];
const halfResource = on("PUT /boxes/b1", 200, {
  body: '{ "properties": { "provisioningState": "Creating" }',
});
const truncated = on(statusRequest, 200, { body: '{ "status": "Accepted"' });
const withoutStatus = on(statusRequest, 200, { body: {} });
const empty = on(statusRequest, 200);
const withNumber = on(statusRequest, 200, { body: { status: 200 } });

/** What goes wrong. */
export const sadScenarios: readonly Scenario[] = [
  startFails("putNonRetry400", "PUT /boxes/b1"),
  pollFails(
    "putNonRetry201Creating400",
    on("PUT /boxes/b1", 201, { body: box("Creating") }),
    "GET /boxes/b1",
    "Creating",
  ),
  {
    name: "putNonRetry201Creating400InvalidJson",
    exchanges: [
      on("PUT /boxes/b1", 201, { body: box("Creating") }),
      on("GET /boxes/b1", 400, { body: '{ "error": ' }),
    ],
    expected: {
      error: {
        name: "PollingError",
        code: "RequestFailed",
        statusCode: 400,
        message: "HTTP 400",
        status: "Creating",
      },
    },
    differs: pollIsNotTheOperation,
  },
  pollFails("putAsyncRelativeRetry400", putAsync, statusRequest, "NotStarted"),
  pollFails(
    "delete202NonRetry400",
    on("DELETE /boxes/b1", 202, { headers: { location: at, "retry-after": "0" }, body: box("Deleting") }),
    statusRequest,
    "Running",
  ),
  startFails("deleteNonRetry400", "DELETE /boxes/b1"),
  {
    ...pollFails("deleteAsyncRelativeRetry400", deleteAsync, statusRequest, "NotStarted"),
    exchanges: [
      deleteAsync,
      on(statusRequest, 400, { body: { code: "NotNow", message: "Ask somebody else.", status: 200 } }),
    ],
  },
  startFails("postNonRetry400", "POST /boxes/b1"),
  pollFails(
    "post202NonRetry400",
    on("POST /boxes/b1", 202, { headers: { location: at, "retry-after": "0" }, body: box("Creating") }),
    statusRequest,
    "Running",
  ),
  {
    ...pollFails("postAsyncRelativeRetry400", postAsync, statusRequest, "NotStarted"),
    exchanges: [
      postAsync,
      on(statusRequest, 400, { body: { code: "NotNow", message: "Ask somebody else.", status: 400 } }),
    ],
  },
  ...broken(
    "a status that is no string",
    "core-lro ends with an error of its own; here it is a failed poll, which is retried",
    [postAsync, withNumber],
    ends,
    "NotStarted",
  ),
  {
    name: "putError201NoProvisioningStatePayload",
    exchanges: [on("PUT /boxes/b1", 201), on("GET /boxes/b1", 200, { body: box("Succeeded") })],
    expected: { result: box("Succeeded") },
    differs:
      "core-lro takes an empty 201 for the end; here the resource is requested, as Azure's SDKs for Go and Python do",
  },
  ...broken("putAsyncRelativeRetryNoStatusPayload", noStatus, [putAsync, empty], putEnds, "NotStarted"),
  ...broken("putAsyncRelativeRetryNoStatus", noStatus, [putAsync, withoutStatus], putEnds, "NotStarted"),
  { name: "delete204Succeeded", exchanges: [on("DELETE /boxes/b1", 204)], expected: { result: undefined } },
  ...broken("deleteAsyncRelativeRetryNoStatus", noStatus, [deleteAsync, withoutStatus], ends, "NotStarted"),
  {
    name: "post202NoLocation",
    exchanges: [on("POST /boxes/b1", 202)],
    expected: brokenResponse(undefined, 202),
    differs:
      "core-lro takes a 202 without a URL to poll for success; here the outcome is unknown, and the wait ends with an error",
  },
  {
    name: "post202NoLocation, though the body has a status",
    exchanges: [on("POST /boxes/b1", 202, { body: { status: "Running" } })],
    expected: brokenResponse(undefined, 202),
    differs:
      "core-lro takes a 202 without a URL to poll for success; here the outcome is unknown, and the wait ends with an error",
  },
  {
    name: "post202NoLocation, but the body is terminal",
    exchanges: [on("POST /boxes/b1", 202, { body: { status: "Failed", error: { code: "NoQuota" } } })],
    expected: { error: { name: "OperationFailedError", code: "NoQuota", status: "Failed" } },
    differs: "core-lro takes it for success unread",
  },
  ...broken("postAsyncRelativeRetryNoPayload", noStatus, [postAsync, empty], ends, "NotStarted"),
  {
    name: "put200InvalidJson",
    exchanges: [halfResource, halfResource, halfResource, halfResource],
    expected: { error: { ...brokenResponse(undefined).error, name: "OperationStartError" } },
    differs:
      "core-lro ends with the parser's SyntaxError; here the PUT is repeated, and the error names what came",
  },
  ...lost(
    "putAsyncRelativeRetryInvalidHeader",
    "PUT",
    { "azure-asyncoperation": "/foo", location: "/foo" },
    "NotStarted",
  ),
  ...broken("putAsyncRelativeRetryInvalidJsonPolling", notJson, [putAsync, truncated], putEnds, "NotStarted"),
  ...lost("delete202RetryInvalidHeader", "DELETE", { location: "/foo" }, "Running"),
  ...lost(
    "deleteAsyncRelativeRetryInvalidHeader",
    "DELETE",
    { "azure-asyncoperation": "/foo", location: "/foo" },
    "NotStarted",
  ),
  ...broken(
    "deleteAsyncRelativeRetryInvalidJsonPolling",
    notJson,
    [deleteAsync, truncated],
    ends,
    "NotStarted",
  ),
  ...lost("post202RetryInvalidHeader", "POST", { location: "/foo" }, "Running"),
  ...lost(
    "postAsyncRelativeRetryInvalidHeader",
    "POST",
    { "azure-asyncoperation": "/foo", location: "/foo" },
    "NotStarted",
  ),
  ...broken("postAsyncRelativeRetryInvalidJsonPolling", notJson, [postAsync, truncated], ends, "NotStarted"),
  ...broken(
    "an HTML page of a gateway",
    "core-lro takes an HTML page with 200 for success; here it is a failed poll, which is retried",
    [postAsync, on(statusRequest, 200, { body: "<html>maintenance</html>" })],
    ends,
    "NotStarted",
  ),
  ...[408, 429, 500, 501, 503].map((status): Scenario => ({
    name: `a poll with a ${status}, once`,
    exchanges: [postAsync, on(statusRequest, status), ...ends] as [Route, ...Route[]],
    expected: { result: { status: "Succeeded" } },
    differs:
      "core-lro marks the operation as failed for good when a poll fails; here passing faults are tried again until outageToleranceInMs is over",
  })),
];
