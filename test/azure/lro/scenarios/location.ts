import { on } from "../support.ts";
import { box, impatient } from "./scenario.ts";
import type { Scenario } from "./scenario.ts";

const at = "/operations/7";
const moved = "/operations/7b";
const toAt = { headers: { location: at } };
const toMoved = { headers: { location: moved } };

const noProof =
  "core-lro goes by the 200 alone and resolves; here a body that reports a failure counts, so that a failure is not taken for a success";

/** Operations that are terminal at once, and those whose `Location` answers 202 until they are terminal. */
export const locationScenarios: readonly Scenario[] = [
  {
    name: "delete204Succeeded",
    exchanges: [on("DELETE /boxes/b1", 204)],
    expected: { result: undefined },
  },
  {
    name: "put201Succeeded",
    exchanges: [on("PUT /boxes/b1", 201, { body: box("Succeeded") })],
    expected: { result: box("Succeeded") },
  },
  {
    name: "post202Retry200",
    exchanges: [
      on("POST /boxes/b1", 202, { headers: { location: at, "retry-after": "0" } }),
      on(`GET ${at}`, 202, toMoved),
      on(`GET ${moved}`, 200, { body: box("Succeeded") }),
    ],
    expected: { result: box("Succeeded") },
  },
  {
    name: "post202NoRetry204",
    exchanges: [on("POST /boxes/b1", 202, toAt), on(`GET ${at}`, 202, toMoved), on(`GET ${moved}`, 204)],
    expected: { result: undefined },
  },
  {
    name: "deleteNoHeaderInRetry",
    exchanges: [on("DELETE /boxes/b1", 200, toAt), on(`GET ${at}`, 202), on(`GET ${at}`, 204)],
    expected: { result: undefined },
  },
  {
    name: "put202Retry200",
    exchanges: [on("PUT /boxes/b1", 202, toAt), on(`GET ${at}`, 200, { body: { id: "b1" } })],
    expected: { result: { id: "b1" } },
  },
  {
    name: "putNoHeaderInRetry",
    exchanges: [
      on("PUT /boxes/b1", 202, { ...toAt, body: box("Accepted") }),
      on(`GET ${at}`, 202),
      on(`GET ${at}`, 200, { body: box("Succeeded") }),
    ],
    expected: { result: box("Succeeded") },
  },
  {
    name: "putSubResource",
    exchanges: [
      on("PUT /boxes/b1/disks/d1", 202, { ...toAt, body: { id: "d1", provisioningState: "Accepted" } }),
      on(`GET ${at}`, 202),
      on(`GET ${at}`, 200, { body: { id: "d1", provisioningState: "Succeeded" } }),
    ],
    expected: { result: { id: "d1", provisioningState: "Succeeded" } },
  },
  {
    name: "putNonResource",
    exchanges: [
      on("PUT /prices/p1", 202, toAt),
      on(`GET ${at}`, 202),
      on(`GET ${at}`, 200, { body: { sku: "small", price: 3 } }),
    ],
    expected: { result: { sku: "small", price: 3 } },
  },
  {
    name: "delete202Retry200",
    exchanges: [
      on("DELETE /boxes/b1", 202, { headers: { location: at, "retry-after": "0" } }),
      on(`GET ${at}`, 202, { headers: { location: moved, "retry-after": "0" } }),
      on(`GET ${moved}`, 200),
    ],
    expected: { result: undefined },
  },
  {
    name: "delete202NoRetry204",
    exchanges: [on("DELETE /boxes/b1", 202, toAt), on(`GET ${at}`, 202, toMoved), on(`GET ${moved}`, 204)],
    expected: { result: undefined },
  },
  {
    name: "deleteProvisioning202Accepted200Succeeded",
    exchanges: [
      on("DELETE /boxes/b1", 202, { ...toAt, body: box("Accepted") }),
      on(`GET ${at}`, 200, { body: box("Succeeded") }),
    ],
    expected: { result: box("Succeeded") },
  },
  {
    name: "deleteProvisioning202DeletingFailed200",
    exchanges: [
      on("DELETE /boxes/b1", 202, { ...toAt, body: box("Deleting") }),
      on(`GET ${at}`, 200, {
        body: { ...box("Failed"), error: { code: "DiskInUse", message: "Detach it first." } },
      }),
    ],
    expected: {
      error: {
        name: "OperationFailedError",
        code: "DiskInUse",
        message: "Detach it first.",
        status: "Failed",
      },
    },
    differs: noProof,
  },
  {
    name: "deleteProvisioning202Deletingcanceled200",
    exchanges: [
      on("DELETE /boxes/b1", 202, { ...toAt, body: box("Deleting") }),
      on(`GET ${at}`, 200, {
        body: {
          properties: {
            provisioningState: "Canceled",
            error: { code: "Preempted", message: "By a lock." },
          },
        },
      }),
    ],
    expected: {
      error: {
        name: "OperationCanceledError",
        code: "Preempted",
        message: "By a lock.",
        status: "Canceled",
      },
    },
    differs: noProof,
  },
  {
    name: "an HTML page with 200 in place of the end",
    exchanges: [
      on("POST /boxes/b1", 202, toAt),
      on(`GET ${at}`, 200, { body: "<html>Signing in…</html>", headers: { "content-type": "text/html" } }),
    ],
    options: impatient,
    expected: { error: { name: "PollingError", code: "ContractError", statusCode: 200, status: "Running" } },
    differs:
      "core-lro goes by the 200 alone and resolves with the page; here it is a failed poll, which is retried",
  },
  {
    name: "an HTML page with 200, then the end",
    exchanges: [
      on("POST /boxes/b1", 202, toAt),
      on(`GET ${at}`, 200, { body: "<html>Signing in…</html>", headers: { "content-type": "text/html" } }),
      on(`GET ${at}`, 200, { body: { id: "b1" } }),
    ],
    expected: { result: { id: "b1" } },
  },
  {
    name: "a 202 with Accepted in plain text, before and during",
    exchanges: [
      on("POST /boxes/b1", 202, {
        headers: { location: at, "content-type": "text/plain" },
        body: "Accepted",
      }),
      on(`GET ${at}`, 202, { headers: { "content-type": "text/plain" }, body: "Still at it" }),
      on(`GET ${at}`, 200, { body: { id: "b1" } }),
    ],
    options: impatient,
    expected: { result: { id: "b1" } },
  },
  {
    name: "post with final-state-via original-uri",
    exchanges: [
      on("POST /boxes/b1", 202, toAt),
      on(`GET ${at}`, 200, { body: "" }),
      on("GET /boxes/b1", 200, { body: box("Succeeded") }),
    ],
    options: { finalStateVia: "original-uri" },
    expected: { result: box("Succeeded") },
    differs:
      "core-lro takes the last response of Location, whatever final-state-via is; here original-uri is used",
  },
];
