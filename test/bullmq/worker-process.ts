import { OperationStatusesClient } from "lro-poller";
import { createOperationWorker } from "lro-poller/bullmq";

// A worker in a process of its own, to be killed. It signs its requests with the process's number.
const { REDIS_PORT, ENDPOINT = "", CLOCK_OFF_BY_IN_MS = "0", ...rest } = process.env;

const offByInMs = Number(CLOCK_OFF_BY_IN_MS);
const realNow = Date.now;
Date.now = () => realNow() + offByInMs;

const client = new OperationStatusesClient(ENDPOINT, undefined, {
  additionalPolicies: [
    {
      position: "perCall",
      policy: {
        name: "signature",
        sendRequest: (request, next) => {
          request.headers.set("x-process", String(process.pid));
          return next(request);
        },
      },
    },
  ],
});
const worker = createOperationWorker({
  connection: { host: "127.0.0.1", port: Number(REDIS_PORT) },
  clients: [client],
  concurrency: Number(rest["CONCURRENCY"] ?? 16),
  lockDurationInMs: Number(rest["LOCK_IN_MS"] ?? 2000),
  stalledIntervalInMs: Number(rest["STALLED_IN_MS"] ?? 1000),
});
await worker.started;
process.send?.("started");
process.on("disconnect", () => process.exit());
