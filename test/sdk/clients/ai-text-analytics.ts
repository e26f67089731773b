import { TextAnalyticsClient } from "@azure/ai-text-analytics";
import { clientOptions, credential, pipelineIn } from "../client.ts";
import type { SdkClient } from "../client.ts";
import { nestedError, resultMark } from "../service.ts";
import { dates, monitorService } from "../services.ts";

const path = "/text/analytics/v3.1/entities/health/jobs";
const jobId = "00000000-0000-0000-0000-000000000000";
const document = { id: resultMark, entities: [], relations: [], warnings: [] };
const results = { documents: [document], errors: [], modelVersion: "1" };

export const textAnalytics: SdkClient = {
  name: "@azure/ai-text-analytics",
  method: "beginAnalyzeHealthcareEntities",
  generation: "handWritten",
  service: monitorService(
    `POST ${path}`,
    `${path}/${jobId}`,
    { results },
    { query: "", common: { jobId, ...dates, errors: [] }, failure: { errors: [nestedError] } },
  ),
  async start(endpoint, resumeFrom) {
    const client = new TextAnalyticsClient(endpoint, credential, clientOptions);
    const options = { updateIntervalInMs: 1, ...(resumeFrom && { resumeFrom }) };
    const poller = await client.beginAnalyzeHealthcareEntities([{ id: resultMark, text: "Hello" }], options);
    return { poller, pipeline: pipelineIn(client, "client"), serialize: () => poller.toString() };
  },
};
