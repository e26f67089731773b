import DocumentIntelligence, {
  getLongRunningPoller,
  isUnexpected,
} from "@azure-rest/ai-document-intelligence";
import type {
  AnalyzeDocument202Response,
  DocumentIntelligenceClient,
} from "@azure-rest/ai-document-intelligence";
import { expect, test } from "vitest";
import { fromPollerLike, pollUntilDone, startOperation } from "lro-poller";
import type { OperationServer } from "lro-poller/testing";
import { CountingCredential } from "../../support/credential.ts";
import { clientOptions, responsesOf, serve, withoutLimits } from "./support.ts";

const analyzeResult = { modelId: "prebuilt-read", content: "Hello", pages: [] };
const succeeded = { status: "Succeeded", result: analyzeResult } as const;
const responses = ["POST 202", "poll 1 200", "poll 2 200", "poll 3 200"];
const body = { urlSource: "https://documents.example/a.pdf" };

function clientOf({ endpoint }: OperationServer): DocumentIntelligenceClient {
  return DocumentIntelligence(endpoint, new CountingCredential(), clientOptions);
}

async function analyze(client: DocumentIntelligenceClient): Promise<AnalyzeDocument202Response> {
  const path = "/documentModels/{modelId}:analyze";
  const initial = await client.path(path, "prebuilt-read").post({ contentType: "application/json", body });
  if (isUnexpected(initial)) throw new Error(initial.body.error.code);
  return initial;
}

test("analyzes a document by the client's own poller", async () => {
  const server = await serve("operation-location", succeeded);
  const client = clientOf(server);
  const poller = getLongRunningPoller(client, await analyze(client), { intervalInMs: 1 });
  const { body: result } = await poller.pollUntilDone();
  expect(result).toMatchObject({ status: "succeeded", analyzeResult });
  expect(responsesOf(server)).toEqual(responses);
});

test("analyzes a document by fromPollerLike", async () => {
  const server = await serve("operation-location", succeeded);
  const client = clientOf(server);
  const operation = fromPollerLike(getLongRunningPoller(client, await analyze(client)));
  const { body: result } = await pollUntilDone(operation, withoutLimits());
  expect(result).toMatchObject({ status: "succeeded", analyzeResult });
  expect(responsesOf(server)).toEqual(responses);
});

test("analyzes a document by startOperation, over the client's pipeline", async () => {
  const server = await serve("operation-location", succeeded);
  const { pipeline } = clientOf(server);
  const url = `${server.endpoint}/documentintelligence/documentModels/prebuilt-read:analyze?api-version=2024-11-30`;
  const request = { method: "POST", url, body } as const;
  const result = await startOperation(request, { pipeline, ...withoutLimits() }).pollUntilDone();
  expect(result).toMatchObject({ analyzeResult });
  expect(responsesOf(server)).toEqual(responses);
});

test("an unknown api-version is rejected", async () => {
  const server = await serve("operation-location", succeeded);
  const client = DocumentIntelligence(server.endpoint, new CountingCredential(), {
    ...clientOptions,
    apiVersion: "1999-01-01",
  });
  await expect(analyze(client)).rejects.toThrow("UnsupportedApiVersionValue");
});
