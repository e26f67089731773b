import { OperationStatusesClient } from "lro-poller";
import { startOperationServer } from "lro-poller/testing";
import { credentialFor } from "./connect.ts";

// In Azure if DEVCENTER_ENDPOINT, DEVCENTER_PROJECT and DEVCENTER_POOL are set; in an emulator otherwise.
const { DEVCENTER_ENDPOINT, DEVCENTER_PROJECT = "myProject", DEVCENTER_POOL = "myPool" } = process.env;
const emulator = DEVCENTER_ENDPOINT === undefined ? await startOperationServer({ speed: 4 }) : undefined;

const endpoint = DEVCENTER_ENDPOINT ?? emulator?.endpoint ?? "";
const client = new OperationStatusesClient(endpoint, await credentialFor(endpoint));
const poller = client.createDevBox(DEVCENTER_PROJECT, "me", "my-dev-box", { poolName: DEVCENTER_POOL });

const { statusCode } = await poller.started;
console.log(`started: HTTP ${statusCode}`);
for await (const { status, changed, elapsedInMs } of poller) {
  if (changed) console.log(`${Math.round(elapsedInMs / 1000)} s: ${status}`);
}
const devBox = await poller.pollUntilDone();
console.log(devBox.name, devBox.provisioningState);

await emulator?.close();
