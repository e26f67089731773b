import { LroClient } from "lro-poller";
import type { Clock } from "lro-poller";
import { createStepper } from "lro-poller/durable";
import { holdAt, isSecondDelivery, tell } from "./disturbed-stepper.ts";
import { engines } from "./engines.ts";
import { workerOptions } from "./worker-options.ts";

// A worker in a process of its own, which the kit kills.
const { engine: name, connection, folder, slot, endpoint, clockOffByInMs } = workerOptions;

const engine = engines.find((candidate) => candidate.name === name);
if (engine === undefined) throw new RangeError(`engine: expected one of the kit's, got ${name}`);

const realNow = Date.now;
if (engine.skewsProcess) Date.now = () => realNow() + clockOffByInMs;

const clock: Clock = {
  now: () => performance.now(),
  timestamp: () => realNow() + clockOffByInMs,
  setTimer: (callback, delayInMs) => {
    const timer = setTimeout(() => callback(), delayInMs);
    return () => clearTimeout(timer);
  },
};

const client = new LroClient(endpoint, undefined, {
  additionalPolicies: [
    {
      position: "perCall",
      policy: {
        name: "kit",
        async sendRequest(request, next) {
          request.headers.set("x-process", String(process.pid));
          if (isSecondDelivery.getStore()) request.headers.set("x-second-delivery", "true");
          const response = next(request);
          response.catch(() => {});
          await holdAt("in a step");
          return response;
        },
      },
    },
  ],
});

await engine.work({
  connection,
  folder,
  slot,
  client,
  createStepper: () => createStepper({ clients: [client], clock }),
});
tell({ type: "started" });
process.on("disconnect", () => process.exit());
