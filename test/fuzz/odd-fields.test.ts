import { createHttpHeaders, createPipelineFromOptions } from "@azure/core-rest-pipeline";
import type { HttpClient } from "@azure/core-rest-pipeline";
import fc from "fast-check";
import { expect, test } from "vitest";
import { OperationStatusesClient, createPoller, fixed, startOperation } from "lro-poller";
import type { Poller, StartOperationOptions } from "lro-poller";
import { createVirtualClock } from "lro-poller/testing";
import { fuzz, operationId } from "./support.ts";

/** The fields that inform. `id` and `name` say whose status it is, and `resourceLocation` where the result is. */
const names = (
  "startTime endTime percentComplete percentCompleted percentageComplete resourceId error errors message code " +
  "details innererror createdDateTime lastActionDateTime kind targetResourceId statusDetail processingProgress " +
  "serviceStatus invalidFields __proto__"
).split(" ");

/** Values that services send in the wrong place, beside any JSON. */
const oddValue = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom("", "100", "100 %", "Failed", "Succeeded", "0001-01-01T00:00:00", "2099-01-01T00:00:00Z"),
  fc.constantFrom(-1, 0, 0.5, 1, 100.4, 1e308, 1_706_130_898, true, null, { code: "0" }, [
    { status: "Failed" },
  ]),
  fc.constantFrom({ status: "Succeeded" }, { code: 500, message: { lang: "en", value: "x" } }, [], {}),
);

const oddFields = fc.dictionary(
  fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...names) }, fc.string()),
  oddValue,
  {
    maxKeys: 5,
  },
);

const deciding = new Set([
  "status",
  "id",
  "name",
  "properties",
  "result",
  "resourcelocation",
  "targetresourcelocation",
]);

/** Removes what decides, however it is spelled. */
function informing(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !deciding.has(name.toLowerCase())));
}

const words = fc.constantFrom("NotStarted", "Running", "InProgress", "Updating");
const ends = fc.constantFrom("Succeeded", "Failed", "Canceled", "Completed", "Cancelled");
const waits = fc.record({
  style: fc.constantFrom("devCenter", "azure-asyncoperation", "operation-location", "location"),
  running: fc.array(words, { maxLength: 4 }),
  end: ends,
  odd: fc.array(oddFields, { minLength: 5, maxLength: 5 }),
});

type Style = "devCenter" | "azure-asyncoperation" | "operation-location" | "location";

const origin = "https://service.example";

function pollerOf(style: Style, httpClient: HttpClient, options: StartOperationOptions): Poller {
  if (style === "devCenter") {
    const client = new OperationStatusesClient(origin, undefined, { httpClient });
    return createPoller(client.operation("myProject", operationId), options);
  }
  const pipeline = createPipelineFromOptions({});
  return startOperation({ method: "POST", url: `${origin}/act` }, { ...options, pipeline, httpClient });
}

/** Waits for an operation that sends these bodies, and returns how and when the wait ended. */
async function endOf(style: Style, bodies: readonly object[]): Promise<object> {
  const clock = createVirtualClock();
  let pollCount = 0;
  const httpClient: HttpClient = {
    sendRequest(request) {
      if (request.method === "POST") {
        const headers = createHttpHeaders({ [style]: "/operations/7" });
        return Promise.resolve({ request, status: 202, headers, bodyAsText: "" });
      }
      const body = bodies[pollCount++] ?? {};
      const bodyAsText = JSON.stringify(body);
      return Promise.resolve({ request, status: 200, headers: createHttpHeaders(), bodyAsText });
    },
  };
  const poller = pollerOf(style, httpClient, { clock, schedule: fixed(1000), random: () => 0.5 });
  const end = await clock.runUntilSettled(
    poller.pollUntilDone().then(
      () => "resolved",
      (error: unknown) => (error instanceof Error ? error.name : "no error"),
    ),
  );
  return { end, status: poller.status, pollCount, atInMs: clock.now() };
}

test("no field but the status changes how or when a wait ends", () =>
  fuzz(
    fc.asyncProperty(waits, async ({ style, running, end, odd }) => {
      const identity = { id: `/projects/myProject/operationstatuses/${operationId}`, name: operationId };
      const plain = [...running, end].map((status) => ({ ...identity, status, properties: { size: 3 } }));
      const withOddFields = plain.map((body, index) => ({ ...informing(odd[index] ?? {}), ...body }));
      expect(await endOf(style, withOddFields)).toEqual(await endOf(style, plain));
    }),
  ));
