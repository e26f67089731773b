import { DefaultAzureCredential } from "@azure/identity";
import { OperationStatusesClient, durationHistory } from "lro-poller";
import type { DevBox } from "lro-poller";

const { ENDPOINT = "", PROJECT = "", HISTORY = "durations.json" } = process.env;

const client = new OperationStatusesClient(ENDPOINT, new DefaultAzureCredential());
const history = durationHistory(HISTORY);
const options = await history.options<DevBox>("createDevBox/myPool");
await client.createDevBox(PROJECT, "me", "my-dev-box", { poolName: "myPool" }, options).pollUntilDone();

const past = await history.pastDurations("createDevBox/myPool");
console.log(past.length, "remembered");
