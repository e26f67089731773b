import DocumentIntelligence, {
  getLongRunningPoller,
  isUnexpected,
} from "@azure-rest/ai-document-intelligence";
import type {
  AnalyzeDocument202Response,
  DocumentIntelligenceClient,
} from "@azure-rest/ai-document-intelligence";
import { createHttpHeaders, createPipelineRequest } from "@azure/core-rest-pipeline";
import { clientOptions, credential } from "../client.ts";
import type { SdkClient } from "../client.ts";
import { resultMark } from "../service.ts";
import { dates, monitorService } from "../services.ts";

const path = "/documentintelligence/documentModels/prebuilt-read";

async function analyze(client: DocumentIntelligenceClient): Promise<AnalyzeDocument202Response> {
  const body = { urlSource: "https://documents.example/a.pdf" };
  const initial = await client
    .path("/documentModels/{modelId}:analyze", "prebuilt-read")
    .post({ contentType: "application/json", body });
  if (isUnexpected(initial)) throw new Error(initial.body.error.code);
  return initial;
}

/** A process that continues has no initial response. The SDK's function wants one, but only for its URL. */
function initialResponseOf(endpoint: string): AnalyzeDocument202Response {
  const request = createPipelineRequest({ url: `${endpoint}${path}:analyze`, headers: createHttpHeaders() });
  return { status: "202", headers: { "operation-location": "" }, body: undefined, request };
}

export const documentIntelligence: SdkClient = {
  name: "@azure-rest/ai-document-intelligence",
  method: "path(…).post",
  generation: "rest",
  service: monitorService(
    `POST ${path}:analyze`,
    `${path}/analyzeResults/r1`,
    { analyzeResult: { modelId: resultMark, content: "", pages: [] } },
    { common: dates },
  ),
  async start(endpoint, restoreFrom) {
    const client = DocumentIntelligence(endpoint, credential, clientOptions);
    const poller = restoreFrom
      ? getLongRunningPoller(client, initialResponseOf(endpoint), { intervalInMs: 1, restoreFrom })
      : getLongRunningPoller(client, await analyze(client), { intervalInMs: 1 });
    return { poller, pipeline: client.pipeline, serialize: () => poller.serialize() };
  },
};
