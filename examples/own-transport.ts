import { RequestError, createPoller, parseOperationStatus, parseRetryAfter } from "lro-poller";
import type { Operation, StatusResponse } from "lro-poller";
import { connect } from "./connect.ts";

const { endpoint, credential, projectName, operationId, close } = await connect();

/** An operation of your own, for the poller. This one polls DevCenter by `fetch` alone. */
const operation: Operation = {
  id: operationId,
  getStatus,
  // The fields by which your code finds the operation again, for the resume token.
  toJSON: () => ({ projectName, operationId }),
};

const poller = createPoller(operation);
poller.onProgress(({ status, percentComplete }) => console.log(status, percentComplete));
console.log(await poller.pollUntilDone());

await close();

/** Polls once. The poller decides when to poll next and whether to retry. */
async function getStatus({ abortSignal }: { readonly abortSignal: AbortSignal }): Promise<StatusResponse> {
  const url = new URL(
    `projects/${projectName}/operationstatuses/${operationId}?api-version=2025-02-01`,
    endpoint,
  );
  const token = await credential?.getToken("https://devcenter.azure.com/.default", { abortSignal });
  const headers: HeadersInit = token ? { authorization: `Bearer ${token.token}` } : {};
  const response = await fetch(url, { headers, redirect: "error", signal: abortSignal });
  const retryAfterInMs = parseRetryAfter((name) => response.headers.get(name) ?? undefined, Date.now());
  if (!response.ok) throw failedPoll(response.status, retryAfterInMs);
  // A body without a status throws, which counts as a failed poll.
  return { status: parseOperationStatus(await response.json(), operationId), retryAfterInMs };
}

/** Returns an error that says whether a retry is worth it. A permanent one ends the wait at once. */
function failedPoll(statusCode: number, retryAfterInMs: number | undefined): RequestError {
  const isTransient = statusCode === 408 || statusCode === 429 || statusCode >= 500;
  const kind = statusCode === 404 ? "notFound" : isTransient ? "transient" : "permanent";
  const isThrottled = statusCode === 429 || statusCode === 503;
  return new RequestError(`HTTP ${statusCode}`, { kind, statusCode, retryAfterInMs, isThrottled });
}
