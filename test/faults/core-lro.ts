import { isDeepStrictEqual } from "node:util";
import { createPipelineFromOptions } from "@azure/core-rest-pipeline";
import type { Pipeline, PipelinePolicy } from "@azure/core-rest-pipeline";
import { coreLroPoller } from "../support/core-lro.ts";
import type { CoreLroPoller } from "../support/core-lro.ts";
import type { StatusBody } from "lro-poller/testing";
import { maxSpeed } from "./event-loop-clock.ts";
import { countResults, inParallel, keepRestarting, setStage, within } from "./suite.ts";
import type { WaitResult, WaitResultCounts } from "./suite.ts";
import { ProcessWatch } from "./monitors.ts";

export interface PeerReport {
  readonly results: WaitResultCounts;
  readonly unhandledRejections: number;
  readonly uncaughtExceptions: number;
}

const defaultIntervalInMs = 2000;

/** Waits for the same operations, with the same faults, by core-lro and Azure's own pipeline. */
export async function runCoreLro(seed: number, waits: number): Promise<PeerReport> {
  const processWatch = new ProcessWatch();
  processWatch.start();
  const stage = await setStage(seed, waits);
  const { server, clock } = stage;
  const stopRestarting = keepRestarting(stage, seed);
  const pipeline = pipelineInFastTime();
  const abort = new AbortController();
  const results: WaitResult[] = [];
  await inParallel(waits, stage.mixes, async (mix) => {
    const { operationId, operationLocation } = server.addOperation({ ...mix, startsAtFirstPoll: true });
    const poller = coreLroPoller(operationLocation, pipeline, defaultIntervalInMs / maxSpeed);
    results.push(
      await within(
        clock,
        resultOf(poller, () => server.state(operationId), abort.signal),
      ),
    );
  });
  await stopRestarting();
  abort.abort();
  await stage.close();
  processWatch.stop();
  const { unhandledRejections, uncaughtExceptions } = processWatch;
  return { results: countResults(results), unhandledRejections, uncaughtExceptions };
}

/** Creates a pipeline with the retries of Azure's clients, whose delays are divided by the speed of the clock. */
function pipelineInFastTime(): Pipeline {
  const pipeline = createPipelineFromOptions({
    retryOptions: { retryDelayInMs: 1000 / maxSpeed, maxRetryDelayInMs: 64_000 / maxSpeed },
  });
  pipeline.addPolicy(fastRetryAfter, { afterPhase: "Retry" });
  return pipeline;
}

const fastRetryAfter: PipelinePolicy = {
  name: "fastRetryAfter",
  sendRequest: async (request, next) => {
    const response = await next(request);
    const { headers } = response;
    const seconds = headers.get("retry-after") ?? "";
    const delayInMs = Number(
      headers.get("retry-after-ms") ?? (/^\d+$/.test(seconds) ? Number(seconds) * 1000 : 0),
    );
    if (delayInMs > 0) {
      headers.delete("retry-after");
      headers.set("retry-after-ms", Math.ceil(delayInMs / maxSpeed));
    }
    return response;
  },
};

async function resultOf(
  poller: CoreLroPoller,
  currentStatus: () => StatusBody,
  abortSignal: AbortSignal,
): Promise<WaitResult> {
  try {
    const result = await poller.pollUntilDone({ abortSignal });
    const { status, properties } = currentStatus();
    const isRight = status === "Succeeded" && isDeepStrictEqual(propertiesOf(result), properties);
    return isRight ? "right" : "wrong";
  } catch {
    const reported = poller.operationState?.status;
    if (reported !== "failed" && reported !== "canceled") return "lost";
    return reported === currentStatus().status.toLowerCase() ? "right" : "wrong";
  }
}

function propertiesOf(result: unknown): unknown {
  return typeof result === "object" && result !== null && "properties" in result
    ? result.properties
    : undefined;
}
