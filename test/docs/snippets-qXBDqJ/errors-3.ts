import { DefaultAzureCredential } from "@azure/identity";
import { OperationNotFoundError, OperationStatusesClient } from "lro-poller";

const { ENDPOINT = "", PROJECT = "" } = process.env;

const client = new OperationStatusesClient(ENDPOINT, new DefaultAzureCredential());
try {
  await client.getOperationStatus(PROJECT, "00000000-0000-0000-0000-000000000000");
} catch (error) {
  if (!(error instanceof OperationNotFoundError)) throw error;
  console.log(error.code);
}
