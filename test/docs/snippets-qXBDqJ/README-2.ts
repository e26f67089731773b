import { DefaultAzureCredential } from "@azure/identity";
import { OperationFailedError, OperationStatusesClient, PollingTimeoutError, createPoller } from "lro-poller";

const { ENDPOINT = "", OPERATION_LOCATION = "" } = process.env;

const client = new OperationStatusesClient(ENDPOINT, new DefaultAzureCredential());
const poller = createPoller(client.operationAt(OPERATION_LOCATION), { timeoutInMs: 30 * 60_000 });
const unsubscribe = poller.onProgress(({ status }) => console.log(status));
poller.onFailedPoll(({ error, nextPollInMs }) => console.warn(error.message, nextPollInMs));

try {
  await poller.pollUntilDone({ abortSignal: AbortSignal.timeout(60 * 60_000) });
} catch (error) {
  if (error instanceof OperationFailedError) console.log(error.code, error.details[0]?.code);
  else if (error instanceof PollingTimeoutError)
    console.log("continue with client.resume():", error.resumeToken);
  else throw error;
}
unsubscribe();
