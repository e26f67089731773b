import { DocumentAnalysisClient } from "@azure/ai-form-recognizer";
import { clientOptions, credential, pipelineIn } from "../client.ts";
import type { SdkClient } from "../client.ts";
import { resultMark } from "../service.ts";
import { dates, monitorService } from "../services.ts";

const path = "/formrecognizer/documentModels/prebuilt-read";
const analyzeResult = {
  apiVersion: "2023-07-31",
  modelId: resultMark,
  stringIndexType: "utf16CodeUnit",
  content: "",
  pages: [],
};

export const formRecognizer: SdkClient = {
  name: "@azure/ai-form-recognizer",
  method: "beginAnalyzeDocumentFromUrl",
  generation: "handWritten",
  service: monitorService(
    `POST ${path}:analyze`,
    `${path}/analyzeResults/r1`,
    { analyzeResult },
    { common: dates },
  ),
  async start(endpoint, resumeFrom) {
    const client = new DocumentAnalysisClient(endpoint, credential, clientOptions);
    const options = { updateIntervalInMs: 1, ...(resumeFrom && { resumeFrom }) };
    const url = "https://documents.example/a.pdf";
    const poller = await client.beginAnalyzeDocumentFromUrl("prebuilt-read", url, options);
    return { poller, pipeline: pipelineIn(client, "_restClient"), serialize: () => poller.toString() };
  },
};
