import { app, output } from "@azure/functions";
import type { InvocationContext } from "@azure/functions";
import { DefaultAzureCredential } from "@azure/identity";
import { OperationStatusesClient, PollingTimeoutError } from "lro-poller";
import type { ResumeToken } from "lro-poller";

const { ENDPOINT = "" } = process.env;

const client = new OperationStatusesClient(ENDPOINT, new DefaultAzureCredential());
const queue = { queueName: "waits", connection: "AzureWebJobsStorage" };
const nextRun = output.storageQueue(queue);

/** The queue's message is a resume token. The program that started the operation sends `JSON.stringify(poller)`. */
export async function continueWait(token: ResumeToken, context: InvocationContext): Promise<void> {
  try {
    const poller = client.resume(token, { timeoutInMs: 240_000 });
    context.log("done:", await poller.pollUntilDone());
  } catch (error) {
    if (!(error instanceof PollingTimeoutError)) throw error;
    context.extraOutputs.set(nextRun, error.resumeToken);
  }
}

app.storageQueue("continueWait", { ...queue, extraOutputs: [nextRun], handler: continueWait });
