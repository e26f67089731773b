import { RestError, createDefaultHttpClient } from "@azure/core-rest-pipeline";
import type { HttpClient } from "@azure/core-rest-pipeline";

/**
 * core-rest-pipeline's HTTP client for the runtime, but for the requests that its errors carry, token included: test
 * runners and error trackers walk through causes and print all that they find.
 */
export function createDiscreetHttpClient(): HttpClient {
  const client = createDefaultHttpClient();
  return { sendRequest: (request) => client.sendRequest(request).catch(rethrowWithoutRequest) };
}

function rethrowWithoutRequest(error: unknown): never {
  if (!(error instanceof RestError)) throw error;
  const { message, code, stack } = error;
  const own = new RestError(message, code === undefined ? {} : { code });
  throw stack === undefined ? own : Object.assign(own, { stack });
}
