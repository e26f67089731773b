// Compiled like a user's file, with the package installed from its tarball.
import { DefaultAzureCredential } from "@azure/identity";
import { OperationFailedError, OperationStatusesClient, createPoller, pollAll } from "lro-poller";
import type { Progress } from "lro-poller";
import { createVirtualClock, startOperationServer } from "lro-poller/testing";

const server = await startOperationServer({ clock: createVirtualClock() });
const client = new OperationStatusesClient(server.endpoint, new DefaultAzureCredential());
const operation = client.operation<{ uri: string }>("myProject", "fa067167-e49d-41bd-8dd8-de719b9de3b3");
const poller = createPoller(operation, { onProgress: ({ status }: Progress) => console.log(status) });
const { uri }: { uri: string } = await poller.pollUntilDone();
const [result] = await pollAll([operation]);
if (result?.status === "rejected" && result.reason instanceof OperationFailedError) {
  console.log(result.reason.details[0]?.code, uri);
}
