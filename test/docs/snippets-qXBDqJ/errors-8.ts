import { DefaultAzureCredential } from "@azure/identity";
import { ContractError, OperationStatusesClient } from "lro-poller";

const { ENDPOINT = "" } = process.env;

const client = new OperationStatusesClient(ENDPOINT, new DefaultAzureCredential());
try {
  client.resume("{}");
} catch (error) {
  if (!(error instanceof ContractError)) throw error;
  console.log(error.path, "|", error.expected, "|", error.received);
}
