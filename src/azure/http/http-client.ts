import { RestError, createDefaultHttpClient } from "@azure/core-rest-pipeline";
import type { HttpClient } from "@azure/core-rest-pipeline";

/**
 * core-rest-pipeline's HTTP client for the runtime, but for the requests that its errors carry, token included: test
 * runners and error trackers walk through causes and print all that they find.
 */
export function createRedactingHttpClient(): HttpClient {
  const client = createDefaultHttpClient();
  return {
    sendRequest: (request) => {
      if (repeatsAborted) request.headers.set("connection", "close");
      return client.sendRequest(request).catch(rethrowWithoutRequest);
    },
  };
}

/** Deno sends an aborted request once more if its connection had been used before (denoland/deno#36786). */
const repeatsAborted = "Deno" in globalThis;

function rethrowWithoutRequest(error: unknown): never {
  if (!(error instanceof RestError)) throw error;
  const { message, code, stack } = error;
  const own = new RestError(message, code === undefined ? {} : { code });
  throw stack === undefined ? own : Object.assign(own, { stack });
}
