import { createClientLogger } from "@azure/logger";
import type { AzureLogger } from "@azure/logger";

/** Shown with `AZURE_LOG_LEVEL=info` or `setLogLevel` of `@azure/logger`. */
export const logger: AzureLogger = createClientLogger("lro-poller");
