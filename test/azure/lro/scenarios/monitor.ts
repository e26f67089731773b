import { on } from "../support.ts";
import { box, canceled, failed } from "./scenario.ts";
import type { Scenario } from "./scenario.ts";

const at = "/operations/7";
const result = "/results/7";
const statusRequest = `GET ${at}`;
const askForResult = `GET ${result}`;
const is = (status: string): { readonly body: object } => ({ body: { status } });

export type MonitorHeader = "Azure-AsyncOperation" | "Operation-Location";

/** Operations with a status monitor, which this header names. */
export function monitorScenarios(header: MonitorHeader): readonly Scenario[] {
  const monitor = { headers: { [header]: at } };
  const both = { headers: { [header]: at, location: result } };
  const bothTheSame = { headers: { [header]: at, location: at, "retry-after": "0" } };
  const misleading = { headers: { [header]: at, location: "somewhereElse" } };
  return [
    {
      name: "postDoubleHeadersFinalLocationGet",
      exchanges: [
        on("POST /boxes/b1", 202, both),
        on(statusRequest, 200, is("succeeded")),
        on(askForResult, 200, { body: { id: "b1" } }),
      ],
      expected: { result: { id: "b1" } },
    },
    {
      name: "getDoubleHeadersFinalLocationGet",
      exchanges: [
        on("GET /boxes/b1", 202, both),
        on(statusRequest, 200, is("running")),
        on(statusRequest, 200, is("succeeded")),
        on(askForResult, 200, { body: { id: "b1" } }),
      ],
      expected: { result: { id: "b1" } },
    },
    {
      name: "getDoubleHeaders",
      exchanges: [
        on("GET /boxes/b1", 202, monitor),
        on(statusRequest, 200, is("running")),
        on(statusRequest, 200, { body: { status: "succeeded", id: "7", score: 3 } }),
      ],
      expected: { result: { status: "succeeded", id: "7", score: 3 } },
    },
    {
      name: "get200",
      exchanges: [on("GET /boxes/b1", 200, { body: { id: "b1" } })],
      expected: { result: { id: "b1" } },
    },
    {
      name: "postUpdatedPollingUrl",
      exchanges: [
        on("POST /boxes/b1", 200, { headers: { [header]: "/first" } }),
        on("GET /first", 200, { ...is("running"), headers: { [header]: "/second" } }),
        on("GET /second", 200, { body: { status: "succeeded", properties: { id: "b1" } } }),
      ],
      expected: { result: { id: "b1" } },
    },
    {
      name: "postDoubleHeadersFinalAzureHeaderGet",
      exchanges: [
        on("POST /boxes/b1", 202, both),
        on(statusRequest, 200, { body: { status: "succeeded", id: "7" } }),
      ],
      options: { finalStateVia: "azure-async-operation" },
      expected: { result: { status: "succeeded", id: "7" } },
    },
    {
      name: "PUT with final-state-via",
      exchanges: [
        on("PUT /boxes/b1", 202, both),
        on(statusRequest, 200, is("succeeded")),
        on("GET /boxes/b1", 200, { body: box("Succeeded") }),
      ],
      options: { finalStateVia: "azure-async-operation" },
      expected: { result: box("Succeeded") },
    },
    {
      name: "POST with final-state-via: operation-location",
      exchanges: [
        on("POST /boxes/b1", 202, both),
        on(statusRequest, 200, { body: { status: "succeeded", result: { id: "b1" } } }),
      ],
      options: { finalStateVia: "operation-location" },
      expected: { result: { id: "b1" } },
      differs:
        "core-lro resolves with the whole status monitor; here with its properties or result, where it has one",
    },
    {
      name: "POST with final-state-via: location",
      exchanges: [
        on("POST /boxes/b1", 202, both),
        on(statusRequest, 200, is("succeeded")),
        on(askForResult, 200, { body: { id: "b1" } }),
      ],
      options: { finalStateVia: "location" },
      expected: { result: { id: "b1" } },
    },
    {
      name: "postDoubleHeadersFinalAzureHeaderGetDefault",
      exchanges: [
        on("POST /boxes/b1", 202, { ...both, body: "" }),
        on(statusRequest, 200, is("succeeded")),
        on(askForResult, 200, { body: { id: "b1", size: 3 } }),
      ],
      expected: { result: { id: "b1", size: 3 } },
    },
    ...["deleteAsyncRetrySucceeded", "deleteAsyncNoRetrySucceeded"].map((name): Scenario => {
      const headers = name.includes("NoRetry") ? { [header]: at, location: at } : bothTheSame.headers;
      return {
        name,
        exchanges: [
          on("DELETE /boxes/b1", 202, { headers }),
          on(statusRequest, 202, { headers, ...is("Accepted") }),
          on(statusRequest, 200, is("Succeeded")),
        ],
        expected: { result: { status: "Succeeded" } },
      };
    }),
    {
      name: "deleteAsyncRetrycanceled",
      exchanges: [
        on("DELETE /boxes/b1", 202, bothTheSame),
        on(statusRequest, 202, is("Accepted")),
        on(statusRequest, 200, {
          body: { status: "Canceled", error: { code: "Preempted", message: "By a lock." } },
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
      differs: "core-lro drops the error of a canceled operation; here it is kept",
    },
    {
      name: "deleteAsyncRetryFailed",
      exchanges: [
        on("DELETE /boxes/b1", 202, bothTheSame),
        on(statusRequest, 202, { ...bothTheSame, ...is("Accepted") }),
        on(statusRequest, 200, is("Failed")),
      ],
      expected: failed,
    },
    ...["putAsyncRetrySucceeded", "putAsyncNoRetrySucceeded"].map((name): Scenario => ({
      name,
      exchanges: [
        on("PUT /boxes/b1", 200, { ...bothTheSame, body: box("Accepted") }),
        on(statusRequest, 202, { ...bothTheSame, ...is("Accepted") }),
        on(statusRequest, 200, is("Succeeded")),
        on("GET /boxes/b1", 200, { body: box("Succeeded") }),
      ],
      expected: { result: box("Succeeded") },
    })),
    {
      name: "post202List",
      exchanges: [
        on("POST /boxes", 200, both),
        on(statusRequest, 200, is("Succeeded")),
        on(askForResult, 200, { body: [{ id: "b1" }, { id: "b2" }] }),
      ],
      expected: { result: [{ id: "b1" }, { id: "b2" }] },
    },
    {
      name: "putAsyncRetryFailed",
      exchanges: [
        on("PUT /boxes/b1", 200, { ...bothTheSame, body: box("Accepted") }),
        on(statusRequest, 202, { ...bothTheSame, ...is("Accepted") }),
        on(statusRequest, 200, is("Failed")),
      ],
      expected: failed,
    },
    {
      name: "putAsyncNonResource",
      exchanges: [
        on("PUT /prices/p1", 202, misleading),
        on(statusRequest, 200, is("InProgress")),
        on(statusRequest, 200, is("Succeeded")),
        on("GET /prices/p1", 200, { body: { sku: "small" } }),
      ],
      expected: { result: { sku: "small" } },
    },
    {
      name: "patchAsyncLocationHeader",
      exchanges: [
        on("PATCH /boxes/b1", 202, both),
        on(statusRequest, 200, { ...monitor, ...is("InProgress") }),
        on(statusRequest, 200, is("Succeeded")),
        on(askForResult, 200, { body: box("Succeeded") }),
      ],
      expected: { result: box("Succeeded") },
    },
    {
      name: "patchAsyncNoLocationHeader",
      exchanges: [
        on("PATCH /boxes/b1", 201, { ...monitor, body: box("Updating") }),
        on(statusRequest, 200, is("InProgress")),
        on(statusRequest, 200, is("Succeeded")),
        on("GET /boxes/b1", 200, { body: box("Succeeded") }),
      ],
      expected: { result: box("Succeeded") },
    },
    {
      name: "putAsyncNoHeaderInRetry",
      exchanges: [
        on("PUT /boxes/b1", 201, { ...misleading, body: box("Accepted") }),
        on(statusRequest, 200, is("InProgress")),
        on(statusRequest, 200, is("Succeeded")),
        on("GET /boxes/b1", 200, { body: box("Succeeded") }),
      ],
      expected: { result: box("Succeeded") },
    },
    {
      name: "putAsyncNoRetrycanceled",
      exchanges: [
        on("PUT /boxes/b1", 200, { ...monitor, body: box("Accepted") }),
        on(statusRequest, 202, { ...monitor, ...is("Accepted") }),
        on(statusRequest, 200, { ...monitor, ...is("Canceled") }),
      ],
      expected: canceled,
    },
    {
      name: "putAsyncSubResource",
      exchanges: [
        on("PUT /boxes/b1/disks/d1", 202, { ...misleading, body: box("Accepted") }),
        on(statusRequest, 200, is("InProgress")),
        on(statusRequest, 200, is("Succeeded")),
        on("GET /boxes/b1/disks/d1", 200, { body: { id: "d1" } }),
      ],
      expected: { result: { id: "d1" } },
    },
    {
      name: "deleteAsyncNoHeaderInRetry",
      exchanges: [
        on("DELETE /boxes/b1", 202, misleading),
        on(statusRequest, 200, is("InProgress")),
        on(statusRequest, 200, is("Succeeded")),
      ],
      expected: { result: { status: "Succeeded" } },
    },
    {
      name: "postAsyncNoRetrySucceeded: the monitor ends as a resource",
      exchanges: [
        on("POST /boxes/b1", 202, { ...both, body: box("Accepted") }),
        on(statusRequest, 202, { ...both, ...is("Accepted") }),
        on(statusRequest, 200, { body: box("Succeeded") }),
        on(askForResult, 200, { body: box("Succeeded") }),
      ],
      expected: { result: box("Succeeded") },
    },
    {
      name: "postAsyncNoRetrySucceeded: the monitor ends as one",
      exchanges: [
        on("POST /boxes/b1", 202, { ...both, body: box("Accepted") }),
        on(statusRequest, 202, { ...both, ...is("Accepted") }),
        on(statusRequest, 200, is("Succeeded")),
        on(askForResult, 200, { body: box("Succeeded") }),
      ],
      expected: { result: box("Succeeded") },
    },
    {
      name: "postAsyncRetryFailed",
      exchanges: [
        on("POST /boxes/b1", 202, { ...both, body: box("Accepted") }),
        on(statusRequest, 200, is("Failed")),
      ],
      expected: failed,
    },
    {
      name: "postAsyncRetrySucceeded: the monitor ends as a resource",
      exchanges: [
        on("POST /boxes/b1", 202, { headers: { ...both.headers, "retry-after": "0" } }),
        on(statusRequest, 202, { headers: { ...both.headers, "retry-after": "0" }, ...is("Accepted") }),
        on(statusRequest, 200, { body: box("Succeeded") }),
        on(askForResult, 200, { body: box("Succeeded") }),
      ],
      expected: { result: box("Succeeded") },
    },
    {
      name: "postAsyncRetrySucceeded: the monitor ends as one",
      exchanges: [
        on("POST /boxes/b1", 202, { headers: { ...both.headers, "retry-after": "0" } }),
        on(statusRequest, 202, { headers: { ...both.headers, "retry-after": "0" }, ...is("Accepted") }),
        on(statusRequest, 200, is("Succeeded")),
        on(askForResult, 200, { body: box("Succeeded") }),
      ],
      expected: { result: box("Succeeded") },
    },
    {
      name: "postAsyncResourceLocation",
      exchanges: [
        on("POST /boxes/b1", 202, { ...monitor, ...is("Accepted") }),
        on(statusRequest, 202, { ...both, ...is("Accepted") }),
        on(statusRequest, 200, { body: { status: "Succeeded", resourceLocation: "/boxes/b2" } }),
        on("GET /boxes/b2", 200, { body: { id: "b2" } }),
      ],
      expected: { result: { id: "b2" } },
    },
    {
      name: "resourceLocation being null",
      exchanges: [
        on("POST /boxes/b1", 202, { ...monitor, ...is("Accepted") }),
        on(statusRequest, 202, { ...both, ...is("Accepted") }),
        on(statusRequest, 200, { body: { status: "Succeeded", resourceLocation: null } }),
      ],
      expected: { result: { status: "Succeeded", resourceLocation: null } },
    },
    {
      name: "postAsyncRetrycanceled",
      exchanges: [
        on("POST /boxes/b1", 202, { ...both, body: box("Accepted") }),
        on(statusRequest, 200, {
          body: { status: "cancelled", error: { code: "Preempted", message: "By a lock." } },
        }),
      ],
      expected: {
        error: { name: "OperationCanceledError", code: "Preempted", status: "Canceled" },
      },
      differs: "core-lro drops the error of a canceled operation; here it is kept",
    },
    {
      name: "resourceLocation being empty",
      exchanges: [
        on("POST /boxes/b1", 202, monitor),
        on(statusRequest, 200, {
          body: { status: "Succeeded", resourceLocation: "", properties: { id: "b1" } },
        }),
      ],
      expected: { result: { id: "b1" } },
    },
    {
      name: "a status monitor with properties, which are the result",
      exchanges: [
        on("POST /boxes/b1:start", 202, { headers: { [header]: at, location: `${at}?monitor=true` } }),
        on(statusRequest, 200, { body: { status: "Succeeded", properties: ["Started 1 box."] } }),
      ],
      expected: { result: ["Started 1 box."] },
      differs:
        "core-lro resolves with the whole status monitor; here with its properties or result, where it has one",
    },
    {
      name: "a Location that is the status monitor itself",
      exchanges: [
        on("POST /boxes/b1:start", 202, { headers: { [header]: at, location: `${at}?monitor=true` } }),
        on(statusRequest, 200, { body: { status: "Succeeded", id: "7" } }),
      ],
      expected: { result: { status: "Succeeded", id: "7" } },
      differs: "core-lro requests a resource at such a Location; here no request is spent on it",
    },
    {
      name: "an initial response that is terminal already",
      exchanges: [
        on("POST /boxes/b1:start", 202, { ...monitor, body: { status: "Succeeded", result: { ok: true } } }),
      ],
      expected: { result: { ok: true } },
      differs: "core-lro ignores the status in the initial response, and polls once more",
    },
    {
      name: "words that only contain those of an end",
      exchanges: [
        on("POST /boxes/b1", 202, monitor),
        on(statusRequest, 200, is("NotSucceeded")),
        on(statusRequest, 200, is("HasSucceeded")),
        on(statusRequest, 200, is("FailedOver")),
        on(statusRequest, 200, is("VerificationFailed")),
        on(statusRequest, 200, { body: { status: "SUCCEEDED", properties: 3 } }),
      ],
      expected: { result: 3 },
      differs:
        "core-lro takes any word that contains succeeded or fail for an end; only the whole words end the wait",
    },
  ];
}
