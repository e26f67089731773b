import { TextAnalysisClient } from "@azure/ai-language-text";
import { clientOptions, credential, pipelineIn } from "../client.ts";
import type { SdkClient } from "../client.ts";
import { nestedError, resultMark } from "../service.ts";
import { dates, monitorService } from "../services.ts";

const path = "/language/analyze-text/jobs";
const item = {
  kind: "KeyPhraseExtractionLROResults",
  status: "succeeded",
  lastUpdateDateTime: dates.createdDateTime,
};
const document = { id: "0", keyPhrases: [resultMark], warnings: [] };
const items = [{ ...item, results: { documents: [document], errors: [], modelVersion: "1" } }];
const tasks = { completed: 0, failed: 0, inProgress: 1, total: 1, items: [] };

export const languageText: SdkClient = {
  name: "@azure/ai-language-text",
  method: "beginAnalyzeBatch",
  generation: "generated",
  service: monitorService(
    `POST ${path}`,
    `${path}/j1`,
    { tasks: { ...tasks, items } },
    { common: { jobId: "j1", ...dates, errors: [], tasks }, failure: { errors: [nestedError] } },
  ),
  async start(endpoint, serialized) {
    const client = new TextAnalysisClient(endpoint, credential, clientOptions);
    const options = { updateIntervalInMs: 1 };
    const poller = serialized
      ? await client.restoreAnalyzeBatchPoller(serialized, options)
      : await client.beginAnalyzeBatch([{ kind: "KeyPhraseExtraction" }], ["Hello"], "en", options);
    return { poller, pipeline: pipelineIn(client, "_client"), serialize: () => poller.toString() };
  },
};
