import {
  agentPolicy,
  createEmptyPipeline,
  decompressResponsePolicy,
  logPolicy,
  proxyPolicy,
  setClientRequestIdPolicy,
  tlsPolicy,
  tracingPolicy,
  userAgentPolicy,
} from "@azure/core-rest-pipeline";
import type { LogPolicyOptions, Pipeline, PipelineOptions } from "@azure/core-rest-pipeline";
import { isNodeLike } from "@azure/core-util";

/** Options of the policies. core-rest-pipeline takes `loggingOptions` too, although its public options have none. */
interface PolicyOptions extends Omit<PipelineOptions, "retryOptions" | "redirectOptions"> {
  readonly loggingOptions?: LogPolicyOptions;
}

/**
 * Creates core-rest-pipeline's pipeline, without the policies that no request here needs: its retries and redirects,
 * which this library decides on, and its forms, because bodies are JSON. They are a quarter of it in a page.
 *
 * @param hasProxy - whether requests may go through a proxy
 */
export function createPipeline(options: PolicyOptions, hasProxy: boolean): Pipeline {
  const {
    agent,
    tlsOptions,
    proxyOptions,
    userAgentOptions = {},
    telemetryOptions,
    loggingOptions,
  } = options;
  const pipeline = createEmptyPipeline();
  // Their versions for browsers throw.
  if (isNodeLike) {
    if (agent) pipeline.addPolicy(agentPolicy(agent));
    if (tlsOptions) pipeline.addPolicy(tlsPolicy(tlsOptions));
    if (hasProxy) pipeline.addPolicy(proxyPolicy(proxyOptions));
    pipeline.addPolicy(decompressResponsePolicy());
  }
  pipeline.addPolicy(userAgentPolicy(userAgentOptions));
  pipeline.addPolicy(setClientRequestIdPolicy(telemetryOptions?.clientRequestIdHeaderName));
  pipeline.addPolicy(tracingPolicy({ ...userAgentOptions, ...loggingOptions }), { afterPhase: "Retry" });
  pipeline.addPolicy(logPolicy(loggingOptions), { afterPhase: "Sign" });
  return pipeline;
}
