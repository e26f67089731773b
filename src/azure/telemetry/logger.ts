import { createClientLogger } from "@azure/logger";
import type { AzureLogger } from "@azure/logger";

/** The library's logger. `AZURE_LOG_LEVEL=info` or `setLogLevel` of `@azure/logger` enables it. */
export const logger: AzureLogger = createClientLogger("lro-poller");
