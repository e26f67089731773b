import { OperationStatusesClient, PollingError, createPoller } from "lro-poller";

const { ENDPOINT = "", PROJECT = "", OPERATION_ID = "" } = process.env;

const poller = createPoller(new OperationStatusesClient(ENDPOINT).operation(PROJECT, OPERATION_ID));
const pending = poller.pollUntilDone();
await poller[Symbol.asyncDispose]();
await pending.catch((error: unknown) => {
  if (error instanceof PollingError && error.code === "Disposed") console.log("the poller was disposed of");
  else throw error;
});
