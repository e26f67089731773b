import { OperationStatusesClient, createPoller } from "lro-poller";

const { ENDPOINT = "", PROJECT = "", OPERATION_ID = "" } = process.env;

const client = new OperationStatusesClient(ENDPOINT); // without a credential
const poller = createPoller(client.operation(PROJECT, OPERATION_ID));
poller.onFailedPoll(({ error, nextPollInMs }) => console.log(error.kind, error.statusCode, nextPollInMs));
await poller.pollUntilDone().catch(() => {});
