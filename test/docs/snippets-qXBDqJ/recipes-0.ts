import { DefaultAzureCredential } from "@azure/identity";
import { LroError, OperationStatusesClient } from "lro-poller";

const { ENDPOINT = "", PROJECT = "" } = process.env;

const stopped = new AbortController();
process.once("SIGTERM", () => stopped.abort(new Error("stopped by SIGTERM")));

const client = new OperationStatusesClient(ENDPOINT, new DefaultAzureCredential());
const box = { poolName: "myPool" };
const poller = client.createDevBox(PROJECT, "me", "my-dev-box", box, {
  abortSignal: stopped.signal,
  timeoutInMs: 3_600_000,
  onProgress: ({ status, changed }) => changed && console.log(status),
  onFailedPoll: ({ error }) => console.warn(`poll failed: ${error.message}`),
});

try {
  const { provisioningState } = await poller.pollUntilDone();
  console.log("created:", provisioningState);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = poller.isDone ? 1 : 2;
  // An abort rejects with the signal's reason, which has no token.
  const token = error instanceof LroError ? error.resumeToken : JSON.stringify(poller);
  if (!poller.isDone && token !== undefined) console.error("resume token:", token);
}
