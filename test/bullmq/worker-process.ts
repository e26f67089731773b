import { OperationStatusesClient } from "lro-poller";
import type { OperationStatusesClientOptions } from "lro-poller";
import { createOperationWorker } from "lro-poller/bullmq";

// A worker in a process of its own, which a test can kill. Each request has the process id in a header. `ENDPOINT` may
// name several, with a comma between them.
const { REDIS_PORT, ENDPOINT = "", CLOCK_OFF_BY_IN_MS = "0", ...settings } = process.env;

const offByInMs = Number(CLOCK_OFF_BY_IN_MS);
const realNow = Date.now;
Date.now = () => realNow() + offByInMs;

const options: OperationStatusesClientOptions = {
  additionalPolicies: [
    {
      position: "perCall",
      policy: {
        name: "processId",
        sendRequest: (request, next) => {
          request.headers.set("x-process", String(process.pid));
          return next(request);
        },
      },
    },
    {
      position: "perCall",
      policy: {
        name: "withoutRateHeaders",
        sendRequest: async (request, next) => {
          const response = await next(request);
          if (settings["WITHOUT_RATE_HEADERS"] === undefined) return response;
          for (const name of ["limit", "remaining", "reset"]) response.headers.delete(`x-rate-limit-${name}`);
          return response;
        },
      },
    },
  ],
};
const worker = createOperationWorker({
  connection: { host: "127.0.0.1", port: Number(REDIS_PORT) },
  clients: ENDPOINT.split(",").map((endpoint) => new OperationStatusesClient(endpoint, undefined, options)),
  concurrency: Number(settings["CONCURRENCY"] ?? 16),
  lockDurationInMs: Number(settings["LOCK_IN_MS"] ?? 2000),
  stalledIntervalInMs: Number(settings["STALLED_IN_MS"] ?? 1000),
});
await worker.started;
process.send?.("started");
process.on("disconnect", () => process.exit());
