import { RequestError, createPoller, parseOperationStatus, parseRetryAfter } from "lro-poller";
import type { Operation, StatusResponse } from "lro-poller";
import { connect } from "./connect.ts";

const { endpoint, credential, projectName, operationId, close } = await connect();

/** What the engine polls: anything that can be asked how an operation does. Here DevCenter, by `fetch` alone. */
const operation: Operation = {
  id: operationId,
  getStatus,
  // What a resume token has to hold so that your code finds the operation again.
  toJSON: () => ({ projectName, operationId }),
};

const poller = createPoller(operation);
poller.onProgress(({ status, percentComplete }) => console.log(status, percentComplete));
console.log(await poller.pollUntilDone());

await close();

/** Asks once. When to ask again, and how often to try, is the engine's business. */
async function getStatus({ abortSignal }: { readonly abortSignal: AbortSignal }): Promise<StatusResponse> {
  const url = new URL(
    `projects/${projectName}/operationstatuses/${operationId}?api-version=2025-02-01`,
    endpoint,
  );
  const token = await credential?.getToken("https://devcenter.azure.com/.default", { abortSignal });
  const headers: HeadersInit = token ? { authorization: `Bearer ${token.token}` } : {};
  const response = await fetch(url, { headers, redirect: "error", signal: abortSignal });
  const retryAfterInMs = parseRetryAfter((name) => response.headers.get(name) ?? undefined, Date.now());
  if (!response.ok) throw failedRead(response.status, retryAfterInMs);
  // A body that is no status throws, and counts as a failed read.
  return { status: parseOperationStatus(await response.json(), operationId), retryAfterInMs };
}

/** Says whether it is worth trying again: a refusal ends the wait at once. */
function failedRead(statusCode: number, retryAfterInMs: number | undefined): RequestError {
  const isPassing = statusCode === 408 || statusCode === 429 || statusCode >= 500;
  const kind = statusCode === 404 ? "notFound" : isPassing ? "transient" : "permanent";
  const isThrottled = statusCode === 429 || statusCode === 503;
  return new RequestError(`HTTP ${statusCode}`, { kind, statusCode, retryAfterInMs, isThrottled });
}
