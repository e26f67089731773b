import {
  createDefaultHttpClient,
  createPipelineFromOptions,
  createPipelineRequest,
} from "@azure/core-rest-pipeline";

const [, , url = ""] = process.argv;
const request = createPipelineRequest({ url, allowInsecureConnection: true });
const response = await createPipelineFromOptions({}).sendRequest(createDefaultHttpClient(), request);
console.log(response.bodyAsText);
