import { createHttpHeaders, createPipelineRequest, logPolicyName } from "@azure/core-rest-pipeline";
import type {
  HttpHeaders,
  Pipeline,
  PipelinePolicy,
  PipelineRequest,
  PipelineResponse,
  SendRequest,
} from "@azure/core-rest-pipeline";
import { withoutUrlSecrets } from "../../redaction.ts";

/**
 * Shows a pipeline's log less than there is. It hides the headers of requests, but neither those of answers, cookies
 * and signed URLs among them, nor a client certificate's key or a proxy's password (core-rest-pipeline 1.25.0).
 */
export function redactLog(pipeline: Pipeline, isLogging: () => boolean = () => true): void {
  const policy = pipeline.getOrderedPolicies().find(({ name }) => name === logPolicyName);
  if (policy === undefined) return;
  pipeline.removePolicy({ name: logPolicyName });
  pipeline.addPolicy(redacting(policy, isLogging), { afterPhase: "Sign" });
}

function redacting(log: PipelinePolicy, isLogging: () => boolean): PipelinePolicy {
  return {
    name: log.name,
    sendRequest: (request, next) => (isLogging() ? sendAndLog(log, request, next) : next(request)),
  };
}

async function sendAndLog(
  log: PipelinePolicy,
  request: PipelineRequest,
  next: SendRequest,
): Promise<PipelineResponse> {
  const answers: PipelineResponse[] = [];
  await log.sendRequest(shownRequest(request), async () => {
    const response = await next(request);
    answers.push(response);
    return shownResponse(response);
  });
  const [response] = answers;
  if (response === undefined) throw new Error("The log policy has not sent the request.");
  return response;
}

/** Its headers and its query are the log's own to hide: it may have been told which to show. */
function shownRequest({ method, url, headers, requestId }: PipelineRequest): PipelineRequest {
  return createPipelineRequest({ method, url: url.replace(/\/\/[^/?#]*@/, "//"), headers, requestId });
}

/** Its headers are made when they are read: as a rule nobody logs. */
function shownResponse(response: PipelineResponse): PipelineResponse {
  return {
    ...response,
    get headers() {
      return shownHeaders(response.headers);
    },
  };
}

const harmlessHeader =
  /^(content-(encoding|language|length|type)|date|etag|(x-ms-)?retry-after(-ms)?|server|vary|www-authenticate|x-ms-(.*request-id|error-code|ratelimit-.*)|x-rate-limit-.*)$/;
const urlHeader = /location$|^azure-asyncoperation$|^link$/;

function shownHeaders(headers: HttpHeaders): HttpHeaders {
  const shown = createHttpHeaders();
  for (const [name, value] of headers) shown.set(name, shownValue(name, value));
  return shown;
}

function shownValue(name: string, value: string): string {
  if (urlHeader.test(name)) return withoutUrlSecrets(value);
  return harmlessHeader.test(name) ? value : "REDACTED";
}
