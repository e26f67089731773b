import type { PipelineResponse } from "@azure/core-rest-pipeline";
import { sleep } from "../../clock.ts";
import { RequestError } from "../../operation/errors.ts";
import type { CancelRequestOptions } from "../../operation/operation.ts";
import type { Attempt, BoundRequest, OriginBoundPipeline } from "../http/origin-bound-pipeline.ts";
import { errorOfRequest, errorOfResponse } from "../http/response.ts";
import { mayHaveStarted, sendOnce } from "./initial-request.ts";

const maxRetries = 3;

/**
 * Sends a request to cancel. It is sent again only where not a byte of it was sent before: a service could take the second
 * one for another operation.
 *
 * @throws {@link RequestError} as `Operation.cancel` does
 */
export async function sendCancelRequest(
  pipeline: OriginBoundPipeline,
  request: Omit<BoundRequest, "attempt" | "abortSignal">,
  { clock, requestTimeoutInMs }: CancelRequestOptions,
): Promise<void> {
  for (let retries = 0; ; retries++) {
    const attempt: Attempt = { wasSent: false };
    const failure = await failureOf(() =>
      sendOnce((abortSignal) => pipeline.send({ ...request, attempt, abortSignal }), {
        clock,
        startTimeoutInMs: requestTimeoutInMs,
        abortSignal: undefined,
      }),
    );
    if (failure === undefined) return;
    if (failure.statusCode !== undefined) throw failure;
    if (mayHaveStarted(failure, attempt)) throw withKind(failure, "transient");
    if (failure.kind !== "transient" || retries === maxRetries) throw withKind(failure, "permanent");
    await sleep(clock, 1000 * 2 ** retries);
  }
}

async function failureOf(send: () => Promise<PipelineResponse>): Promise<RequestError | undefined> {
  try {
    const response = await send();
    return response.status < 300 ? undefined : errorOfResponse(response);
  } catch (error) {
    return errorOfRequest(error);
  }
}

function withKind(failure: RequestError, kind: "transient" | "permanent"): RequestError {
  const wasSent = kind === "transient";
  const text = wasSent ? "The response to the cancel request was lost" : "The cancel request was not sent";
  const { code, message } = failure;
  return new RequestError(`${text}: ${message}`, { kind, code, cause: failure });
}
