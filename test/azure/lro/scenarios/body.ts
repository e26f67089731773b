import { on } from "../support.ts";
import { box, brokenResponse, canceled, impatient } from "./scenario.ts";
import type { Scenario } from "./scenario.ts";

/** Operations that are polled at the resource itself, by its `provisioningState`. */
export const bodyScenarios: readonly Scenario[] = [
  {
    name: "put200Succeeded",
    exchanges: [on("PUT /boxes/b1", 200, { body: box("Succeeded") })],
    expected: { result: box("Succeeded") },
  },
  {
    name: "initial response with terminal state without provisioning state",
    exchanges: [on("PUT /boxes/b1", 200, { body: { id: "b1" } })],
    expected: { result: { id: "b1" } },
  },
  {
    name: "put201CreatingSucceeded200",
    exchanges: [
      on("PUT /boxes/b1", 201, { body: box("Creating") }),
      on("GET /boxes/b1", 200, { body: box("Creating") }),
      on("GET /boxes/b1", 200, { body: box("Succeeded") }),
    ],
    expected: { result: box("Succeeded") },
  },
  {
    name: "put200Acceptedcanceled200",
    exchanges: [
      on("PUT /boxes/b1", 200, { body: box("Accepted") }),
      on("GET /boxes/b1", 200, { body: box("Canceled") }),
    ],
    expected: canceled,
  },
  {
    name: "put200UpdatingSucceeded204",
    exchanges: [
      on("PUT /boxes/b1", 200, { body: box("Updating") }),
      on("GET /boxes/b1", 200, { body: box("Succeeded") }),
    ],
    expected: { result: box("Succeeded") },
  },
  {
    name: "put201CreatingFailed200",
    exchanges: [
      on("PUT /boxes/b1", 201, { body: box("Created") }),
      on("GET /boxes/b1", 200, {
        body: {
          properties: { provisioningState: "Failed", error: { code: "NoQuota", message: "8 needed." } },
        },
      }),
    ],
    expected: {
      error: { name: "OperationFailedError", code: "NoQuota", message: "8 needed.", status: "Failed" },
    },
    differs:
      "core-lro reads an error beside properties only; one within properties, where resources keep it, counts too",
  },
  {
    name: "post200WithPayload",
    exchanges: [
      on("POST /boxes/b1", 202, { headers: { location: "/boxes/b1", "retry-after": "0" } }),
      on("GET /boxes/b1", 200, { body: { id: "b1", size: 3 } }),
    ],
    expected: { result: { id: "b1", size: 3 } },
  },
  {
    name: "provisioningState directly in the body",
    exchanges: [
      on("PUT /devboxes/d1", 201, { body: { name: "d1", provisioningState: "Creating" } }),
      on("GET /devboxes/d1", 200, { body: { name: "d1", provisioningState: "Succeeded" } }),
    ],
    expected: { result: { name: "d1", provisioningState: "Succeeded" } },
  },
  {
    name: "patch with provisioningState",
    exchanges: [
      on("PATCH /boxes/b1", 200, { body: box("Updating") }),
      on("GET /boxes/b1", 200, { body: box("Succeeded") }),
    ],
    expected: { result: box("Succeeded") },
    differs:
      "core-lro follows the body of a PUT only, and takes the initial response to a PATCH for its result",
  },
  {
    name: "put 202 without a header or a body",
    exchanges: [
      on("PUT /boxes/b1", 202),
      on("GET /boxes/b1", 202),
      on("GET /boxes/b1", 200, { body: box("Succeeded") }),
    ],
    expected: { result: box("Succeeded") },
  },
  {
    name: "words that only contain those of an end",
    exchanges: [
      on("PUT /boxes/b1", 201, { body: box("NotSucceeded") }),
      on("GET /boxes/b1", 200, { body: box("FailedOver") }),
      on("GET /boxes/b1", 200, { body: box("PartiallySucceeded") }),
      on("GET /boxes/b1", 200, { body: box("VerificationFailed") }),
      on("GET /boxes/b1", 200, { body: box("succeeded") }),
    ],
    expected: { result: box("succeeded") },
    differs:
      "core-lro takes any word that contains succeeded or fail for an end; only the whole words end the wait",
  },
  {
    name: "a state that is no string",
    exchanges: [
      on("PUT /boxes/b1", 201, { body: box("Creating") }),
      on("GET /boxes/b1", 200, { body: { properties: { provisioningState: 7 } } }),
    ],
    options: impatient,
    expected: brokenResponse("Creating"),
  },
  {
    name: "a resource whose response is empty once",
    exchanges: [
      on("PUT /boxes/b1", 201, { body: box("Creating") }),
      on("GET /boxes/b1", 200),
      on("GET /boxes/b1", 200, { body: box("Succeeded") }),
    ],
    expected: { result: box("Succeeded") },
    differs: "core-lro takes an empty 200 for success; here it is a failed poll, because a state is missing",
  },
  {
    name: "a resource whose response stays empty",
    exchanges: [on("PUT /boxes/b1", 201, { body: box("Creating") }), on("GET /boxes/b1", 200)],
    options: impatient,
    expected: brokenResponse("Creating"),
    differs: "core-lro takes an empty 200 for success; here it is a failed poll, because a state is missing",
  },
];
