import { DefaultAzureCredential } from "@azure/identity";
import { OperationStatusesClient, createPollerGroup } from "lro-poller";

const { ENDPOINT = "", OPERATION_LOCATION = "", PROJECT = "", OPERATION_ID = "" } = process.env;

const client = new OperationStatusesClient(ENDPOINT, new DefaultAzureCredential());
const group = createPollerGroup({ maxConcurrency: 16, timeoutInMs: 3_600_000 });
group.add(client.operation(PROJECT, OPERATION_ID));
group.add(client.operationAt(OPERATION_LOCATION));

const finished: string[] = [];
for await (const { result } of group) finished.push(result.status);
console.log(finished.toSorted(), group.progress.states);
