import { isObject } from "../operation/json-fields.ts";
import type { ResumeToken } from "../state/resume-token.ts";

/**
 * Returns the URL to poll that a token has: that of an operation, or of the state of an Azure SDK's poller. An operation
 * of DevCenter has names instead.
 */
export function monitorUrlOf({ operation, state = {} }: ResumeToken): URL | undefined {
  const { pollingLocation }: { readonly pollingLocation?: unknown } = operation;
  const { config }: { readonly config?: unknown } = state;
  const urls = [
    isObject(pollingLocation) && pollingLocation["monitorUrl"],
    isObject(config) && config["operationLocation"],
  ];
  const url = urls.find((value): value is string => typeof value === "string" && URL.canParse(value));
  return url === undefined ? undefined : new URL(url);
}
