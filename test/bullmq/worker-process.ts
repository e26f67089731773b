import { existsSync } from "node:fs";
import { OperationStatusesClient } from "lro-poller";
import type { Operation, OperationStatusesClientOptions, ResumeToken } from "lro-poller";
import { createOperationWorker } from "lro-poller/bullmq";
import { silent } from "./loggers.ts";

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
const clients = ENDPOINT.split(",").map(
  (endpoint) => new OperationStatusesClient(endpoint, undefined, options),
);

let jobs = 0;
const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** From the second job on, nothing of this process runs until the test writes the file, as if it was suspended. */
function whenGoneOn(goOnFile: string, token: ResumeToken): Operation | undefined {
  if (++jobs > 1) {
    process.send?.("suspended");
    while (!existsSync(goOnFile)) Atomics.wait(sleeper, 0, 0, 50);
  }
  return clients[0]?.parseResumeToken(token).operation;
}

const goOnFile = settings["SUSPENDED_UNTIL_FILE"];
const worker = createOperationWorker({
  connection: { host: "127.0.0.1", port: Number(REDIS_PORT) },
  ...(goOnFile === undefined
    ? { clients }
    : {
        resolveOperation: (token) => whenGoneOn(goOnFile, token),
        logger: { ...silent, error: (line: unknown) => process.send?.(line) },
      }),
  concurrency: Number(settings["CONCURRENCY"] ?? 16),
  lockDurationInMs: Number(settings["LOCK_IN_MS"] ?? 2000),
  stalledIntervalInMs: Number(settings["STALLED_IN_MS"] ?? 1000),
});
await worker.started;
process.send?.("started");
process.on("disconnect", () => process.exit());
