import { OperationFailedError, OperationStatusesClient, createPollerGroup } from "lro-poller";
import type { Timeline } from "lro-poller/testing";
import { connectToMany } from "./connect.ts";

const timelines = Array.from({ length: 20 }, (_, index): Timeline => {
  const error = { code: "QuotaExceeded", message: "8 cores needed, 2 left." };
  return [
    { status: "Running", durationInMs: 500 + 150 * index },
    index === 7 ? { status: "Failed", error } : { status: "Succeeded", properties: { number: index } },
  ];
});
const { endpoint, credential, projectName, operationIds, close } = await connectToMany(timelines);

// One rate limiter serves all polls of the client: after a 429 all of them wait.
const client = new OperationStatusesClient(endpoint, credential);
const group = createPollerGroup({
  onProgress: ({ finished, total, states }) => console.log(`${finished} of ${total}`, states),
});
for (const id of operationIds) group.add(client.operation(projectName, id));

// Yields operations as they finish. `group.pollUntilDone()`, or `pollAll(operations)`, waits for all of them.
for await (const { operation, result } of group) {
  if (result.status === "fulfilled") console.log(operation.id, result.value);
  else if (result.reason instanceof OperationFailedError) console.log(operation.id, result.reason.code);
  else throw result.reason;
}

await close();
