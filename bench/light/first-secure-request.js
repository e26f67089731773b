import {
  bearerTokenAuthenticationPolicy,
  createDefaultHttpClient,
  createPipelineFromOptions,
  createPipelineRequest,
} from "@azure/core-rest-pipeline";
import { DefaultAzureCredential } from "@azure/identity";

const [, , url = ""] = process.argv;
const pipeline = createPipelineFromOptions({});
const credential = new DefaultAzureCredential();
const scopes = "https://management.azure.com/.default";
pipeline.addPolicy(bearerTokenAuthenticationPolicy({ credential, scopes }));
const response = await pipeline.sendRequest(createDefaultHttpClient(), createPipelineRequest({ url }));
if (response.status !== 200) process.exitCode = 1;
console.log(response.bodyAsText);
