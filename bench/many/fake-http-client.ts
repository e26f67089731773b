import { createHttpHeaders } from "@azure/core-rest-pipeline";
import type { HttpClient } from "@azure/core-rest-pipeline";
import { statusText } from "./operations.ts";

const headers = createHttpHeaders({ "content-type": "application/json" });

/** Answers every status request in memory, where the network is not what is measured. */
export function createFakeHttpClient(statusOf: (id: string) => string = () => "Running"): HttpClient {
  return {
    sendRequest(request) {
      const id = /operationstatuses\/([^?]+)/.exec(request.url)?.[1] ?? "";
      return Promise.resolve({ request, status: 200, headers, bodyAsText: statusText(id, statusOf(id)) });
    },
  };
}
