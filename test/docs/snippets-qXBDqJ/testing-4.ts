import { createPipelineFromOptions } from "@azure/core-rest-pipeline";
import { startOperation } from "lro-poller";
import { startOperationServer } from "lro-poller/testing";

const server = await startOperationServer({
  style: "arm",
  onInitialRequest: ({ action }) => ({ timeline: [{ status: "Succeeded", result: { done: action } }] }),
});
const machine = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm";
const url = `${server.endpoint}${machine}/start?api-version=2024-07-01`;
const poller = startOperation({ method: "POST", url }, { pipeline: createPipelineFromOptions({}) });
console.log(await poller.pollUntilDone());
await server.close();
