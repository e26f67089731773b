import { createClientLogger } from "@azure/logger";
import type { AzureLogger } from "@azure/logger";
import type { PollLogger } from "../operation.ts";

/** Shown with `AZURE_LOG_LEVEL=info` or `setLogLevel` of `@azure/logger`. */
export const logger: AzureLogger = createClientLogger("lro-poller");

/** The same for the engine. */
export const pollLogger: PollLogger = {
  info: (...message) => logger.info(...message),
  warning: (...message) => logger.warning(...message),
  error: (...message) => logger.error(...message),
};
