import { DefaultAzureCredential } from "@azure/identity";
import { OperationFailedError, OperationStartError, OperationStatusesClient } from "lro-poller";
import pRetry from "p-retry";

const { ENDPOINT = "", PROJECT = "" } = process.env;

const client = new OperationStatusesClient(ENDPOINT, new DefaultAzureCredential());

function lacksCapacity(error: unknown): boolean {
  const isOver = error instanceof OperationFailedError || error instanceof OperationStartError;
  return isOver && error.hasCode("ZonalAllocationFailed");
}

const { provisioningState } = await pRetry(
  () => client.createDevBox(PROJECT, "me", "my-dev-box", { poolName: "myPool" }).pollUntilDone(),
  { retries: 5, minTimeout: 60_000, shouldRetry: ({ error }) => lacksCapacity(error) },
);
console.log("created:", provisioningState);
