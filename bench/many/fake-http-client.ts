import { createHttpHeaders } from "@azure/core-rest-pipeline";
import type { HttpClient } from "@azure/core-rest-pipeline";
import { statusText } from "./operations.ts";

const headers = createHttpHeaders({ "content-type": "application/json" });

/** Creates an HTTP client that responds in memory, for measurements without a network. */
export function createFakeHttpClient(statusOf: (id: string) => string = () => "Running"): HttpClient {
  return {
    sendRequest(request) {
      const id = /operationstatuses\/([^?]+)/.exec(request.url)?.[1] ?? "";
      return Promise.resolve({ request, status: 200, headers, bodyAsText: statusText(id, statusOf(id)) });
    },
  };
}
