import { OperationStatusesClient, pollUntilDone } from "lro-poller";
import type { Progress } from "lro-poller";
import { connect } from "./connect.ts";

const { endpoint, credential, projectName, operationId, close } = await connect();

const client = new OperationStatusesClient(endpoint, credential);
const properties = await pollUntilDone(client.operation(projectName, operationId), {
  pollCostInMs: 200,
  onProgress: draw,
});
console.log(properties);

await close();

/** Redraws one line in a terminal, and prints a line for each change in a log. */
function draw({ status, percentComplete, estimatedRemainingInMs, changed }: Progress): void {
  const filled = Math.round((percentComplete ?? 0) / 5);
  const left =
    estimatedRemainingInMs === undefined ? "" : ` ${Math.round(estimatedRemainingInMs / 1000)} s left`;
  const line = `${"█".repeat(filled)}${"░".repeat(20 - filled)} ${status}${left}`;
  if (!process.stdout.isTTY) return changed ? console.log(line) : undefined;
  process.stdout.write(`\r\u001B[K${line}${status === "Succeeded" ? "\n" : ""}`);
}
