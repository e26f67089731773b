import { createHttpPoller } from "@azure/core-lro";
import { DefaultAzureCredential } from "@azure/identity";
import { fromPollerLike, pollUntilDone } from "lro-poller";

const { ENDPOINT = "", PROJECT = "" } = process.env;

// Stands for `client.beginCreate…()` of any Azure SDK.
const url = `${ENDPOINT}/projects/${PROJECT}/users/me/devboxes/my-dev-box?api-version=2025-02-01`;
const azurePoller = createHttpPoller({
  sendInitialRequest: () => send("PUT", url, JSON.stringify({ poolName: "myPool" })),
  sendPollRequest: (path) => send("GET", path),
});

await pollUntilDone(fromPollerLike(azurePoller), {
  timeoutInMs: 1_800_000,
  onProgress: ({ status, changed }) => changed && console.log(status),
});

async function send(method: string, path: string, requestBody?: string) {
  const { token } = await new DefaultAzureCredential().getToken("https://devcenter.azure.com/.default");
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(path, { method, headers, ...(requestBody && { body: requestBody }) });
  const body: unknown = await response.json();
  const rawResponse = {
    statusCode: response.status,
    headers: Object.fromEntries(response.headers),
    body,
    request: { method, url: path },
  };
  return { flatResponse: body, rawResponse };
}
