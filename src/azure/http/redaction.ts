import {
  RestError,
  createDefaultHttpClient,
  createHttpHeaders,
  createPipelineRequest,
  logPolicyName,
} from "@azure/core-rest-pipeline";
import type {
  HttpClient,
  HttpHeaders,
  Pipeline,
  PipelinePolicy,
  PipelineRequest,
  PipelineResponse,
  SendRequest,
} from "@azure/core-rest-pipeline";
import { withoutUrlSecrets } from "../../redaction.ts";

/**
 * Hides secrets from a pipeline's log. The log policy of core-rest-pipeline 1.25.0 hides headers of requests only: it
 * shows cookies and signed URLs in responses, a client certificate's key and a proxy's password.
 */
export function redactLog(pipeline: Pipeline, isLogging: () => boolean = () => true): void {
  const policy = pipeline.getOrderedPolicies().find(({ name }) => name === logPolicyName);
  if (policy === undefined) return;
  pipeline.removePolicy({ name: logPolicyName });
  const redacting: PipelinePolicy = {
    name: logPolicyName,
    sendRequest: (request, next) => (isLogging() ? sendAndLog(policy, request, next) : next(request)),
  };
  pipeline.addPolicy(redacting, { afterPhase: "Sign" });
}

async function sendAndLog(
  log: PipelinePolicy,
  request: PipelineRequest,
  next: SendRequest,
): Promise<PipelineResponse> {
  const responses: PipelineResponse[] = [];
  await log.sendRequest(redactedRequest(request), async () => {
    const response = await next(request);
    responses.push(response);
    return redactedResponse(response);
  });
  const [response] = responses;
  if (response === undefined) throw new Error("The log policy has not sent the request.");
  return response;
}

/** Leaves the headers and the query to the log policy to hide: it may have been configured to show some. */
function redactedRequest({ method, url, headers, requestId }: PipelineRequest): PipelineRequest {
  return createPipelineRequest({ method, url: url.replace(/\/\/[^/?#]*@/, "//"), headers, requestId });
}

/** Redacts the headers when they are read: as a rule nothing is logged. */
function redactedResponse(response: PipelineResponse): PipelineResponse {
  return {
    ...response,
    get headers() {
      return redactedHeaders(response.headers);
    },
  };
}

const harmlessHeader =
  /^(content-(encoding|language|length|type)|date|etag|(x-ms-)?retry-after(-ms)?|server|vary|www-authenticate|x-ms-(.*request-id|error-code|ratelimit-.*)|x-rate-limit-.*)$/;
const urlHeader = /location$|^azure-asyncoperation$|^link$/;

function redactedHeaders(headers: HttpHeaders): HttpHeaders {
  const redacted = createHttpHeaders();
  for (const [name, value] of headers) redacted.set(name, redactedValue(name, value));
  return redacted;
}

function redactedValue(name: string, value: string): string {
  if (urlHeader.test(name)) return withoutUrlSecrets(value);
  return harmlessHeader.test(name) ? value : "REDACTED";
}

/**
 * Creates core-rest-pipeline's HTTP client for the runtime, without the requests that its errors carry, token included:
 * test runners and error trackers walk through causes and print all that they find.
 */
export function createRedactingHttpClient(): HttpClient {
  const client = createDefaultHttpClient();
  return {
    sendRequest: (request) => {
      if (resendsAborted) request.headers.set("connection", "close");
      return client.sendRequest(request).catch(rethrowWithoutRequest);
    },
  };
}

/** Deno sends an aborted request once more if its connection had been used before (denoland/deno#36786). */
const resendsAborted = "Deno" in globalThis;

function rethrowWithoutRequest(error: unknown): never {
  if (!(error instanceof RestError)) throw error;
  const { message, code, stack } = error;
  const own = new RestError(message, code === undefined ? {} : { code });
  throw stack === undefined ? own : Object.assign(own, { stack });
}
