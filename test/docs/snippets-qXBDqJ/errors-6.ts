import { OperationStartError, OperationStatusesClient } from "lro-poller";

const { ENDPOINT = "", PROJECT = "" } = process.env;

const client = new OperationStatusesClient(ENDPOINT); // without a credential
try {
  await client.createDevBox(PROJECT, "me", "my-dev-box", { poolName: "myPool" }).pollUntilDone();
} catch (error) {
  if (!(error instanceof OperationStartError)) throw error;
  console.log(error.statusCode, error.mayHaveStarted);
}
