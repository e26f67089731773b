import { isDeepStrictEqual } from "node:util";
import { createPipelineFromOptions } from "@azure/core-rest-pipeline";
import type { Pipeline, PipelinePolicy } from "@azure/core-rest-pipeline";
import { coreLroPoller } from "../support/core-lro.ts";
import type { CoreLroPoller } from "../support/core-lro.ts";
import type { StatusBody } from "lro-poller/testing";
import { topSpeed } from "./paced-clock.ts";
import { countVerdicts, inParallel, keepRestarting, setStage, within } from "./suite.ts";
import type { Verdict, Verdicts } from "./suite.ts";
import { ProcessWatch } from "./monitors.ts";

export interface PeerReport {
  readonly verdicts: Verdicts;
  readonly unhandledRejections: number;
  readonly uncaughtExceptions: number;
}

const usualIntervalInMs = 2000;

/** The same operations through the same faults, waited for by core-lro over Azure's own pipeline. */
export async function runCoreLro(seed: number, waits: number): Promise<PeerReport> {
  const processWatch = new ProcessWatch();
  processWatch.start();
  const stage = await setStage(seed, waits);
  const { server, clock } = stage;
  const stopRestarting = keepRestarting(stage, seed);
  const pipeline = pipelineInFastTime();
  const leave = new AbortController();
  const verdicts: Verdict[] = [];
  await inParallel(waits, stage.mixes, async (mix) => {
    const { operationId, operationLocation } = server.addOperation({ ...mix, startsAtFirstPoll: true });
    const poller = coreLroPoller(operationLocation, pipeline, usualIntervalInMs / topSpeed);
    const verdict = verdictOf(poller, () => server.state(operationId), leave.signal);
    verdicts.push(await within(clock, verdict));
  });
  await stopRestarting();
  leave.abort();
  await stage.close();
  processWatch.stop();
  const { unhandledRejections, uncaughtExceptions } = processWatch;
  return { verdicts: countVerdicts(verdicts), unhandledRejections, uncaughtExceptions };
}

/** With the retries that Azure's clients have, their delays as short as the server's time is fast. */
function pipelineInFastTime(): Pipeline {
  const pipeline = createPipelineFromOptions({
    retryOptions: { retryDelayInMs: 1000 / topSpeed, maxRetryDelayInMs: 64_000 / topSpeed },
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
      headers.set("retry-after-ms", Math.ceil(delayInMs / topSpeed));
    }
    return response;
  },
};

async function verdictOf(
  poller: CoreLroPoller,
  truthNow: () => StatusBody,
  abortSignal: AbortSignal,
): Promise<Verdict> {
  try {
    const result = await poller.pollUntilDone({ abortSignal });
    const truth = truthNow();
    const isTrue = truth.status === "Succeeded" && isDeepStrictEqual(propertiesOf(result), truth.properties);
    return isTrue ? "right" : "wrong";
  } catch {
    const said = poller.operationState?.status;
    if (said !== "failed" && said !== "canceled") return "lost";
    return said === truthNow().status.toLowerCase() ? "right" : "wrong";
  }
}

function propertiesOf(result: unknown): unknown {
  return typeof result === "object" && result !== null && "properties" in result
    ? result.properties
    : undefined;
}
