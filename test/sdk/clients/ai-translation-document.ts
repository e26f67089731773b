import { createRequire } from "node:module";
import type {
  DocumentTranslationClient,
  StartTranslation202Response,
} from "@azure-rest/ai-translation-document";
import { createHttpHeaders, createPipelineRequest } from "@azure/core-rest-pipeline";
import { clientOptions, credential } from "../client.ts";
import type { SdkClient } from "../client.ts";
import { innerCode, resultMark } from "../service.ts";
import { capitalWords, monitorService } from "../services.ts";

// The default import of this CommonJS package is not the same in Vitest as in Node.
const sdk: typeof import("@azure-rest/ai-translation-document") = createRequire(import.meta.url)(
  "@azure-rest/ai-translation-document",
);
const { default: createClient, getLongRunningPoller, isUnexpected } = sdk;

const path = "/translator/document/batches";
const summary = { total: 1, failed: 0, success: 0, inProgress: 1, notYetStarted: 0, cancelled: 0 };
const error = {
  code: "InvalidRequest",
  message: "The request is invalid.",
  innerError: { code: innerCode, message: "The container is not accessible." },
};

async function translate(client: DocumentTranslationClient): Promise<StartTranslation202Response> {
  const targets = [{ targetUrl: "https://account.example/target", language: "fr" }];
  const body = { inputs: [{ source: { sourceUrl: "https://account.example/source" }, targets }] };
  const initial = await client.path("/document/batches").post({ body });
  if (isUnexpected(initial)) throw new Error(initial.body.error.code);
  return initial;
}

/** A process that continues has no initial response. The SDK's function wants one, but only for its URL. */
function initialResponseOf(endpoint: string): StartTranslation202Response {
  const request = createPipelineRequest({ url: `${endpoint}${path}`, headers: createHttpHeaders() });
  return { status: "202", headers: { "operation-location": "" }, body: undefined, request };
}

export const documentTranslation: SdkClient = {
  name: "@azure-rest/ai-translation-document",
  method: "path(…).post",
  generation: "rest",
  service: monitorService(
    `POST ${path}`,
    `${path}/b1`,
    { id: resultMark },
    { common: { id: "b1", summary }, words: capitalWords, failure: { error } },
  ),
  async start(endpoint, restoreFrom) {
    const client = createClient(endpoint, credential, clientOptions);
    const poller = restoreFrom
      ? await getLongRunningPoller(client, initialResponseOf(endpoint), { intervalInMs: 1, restoreFrom })
      : await getLongRunningPoller(client, await translate(client), { intervalInMs: 1 });
    return { poller, pipeline: client.pipeline, serialize: () => poller.toString() };
  },
};
