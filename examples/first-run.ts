/**
 * Creates two dev boxes on an emulated DevCenter and waits for both: with the `lro` command, as a person does, and with
 * the library, as a program does.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { OperationFailedError, OperationStatusesClient, pollUntilDone } from "lro-poller";
import { startOperationServer } from "lro-poller/testing";
import type { Timeline } from "lro-poller/testing";

const creation: Timeline = [
  { status: "NotStarted", durationInMs: 1500 },
  { status: "Running", durationInMs: 7000, percentComplete: { from: 0, to: 95, step: 5 } },
  {
    status: "Succeeded",
    percentComplete: 100,
    properties: { name: "dev-box-1", provisioningState: "Succeeded", osType: "Windows" },
  },
];

const failure: Timeline = [
  { status: "NotStarted", durationInMs: 500 },
  { status: "Running", durationInMs: 5000 },
  {
    status: "Failed",
    error: {
      code: "DevBoxProvisioningFailed",
      message: "The dev box could not be created.",
      target: "dev-box-2",
      details: [
        { code: "PoolHealthCheckFailed", message: "The pool's network is unhealthy.", target: "pool-1" },
      ],
      innererror: { code: "NetworkConnectionUnhealthy", innererror: { code: "DnsServerUnreachable" } },
    },
  },
];

const server = await startOperationServer();
try {
  const locations = [creation, failure].map(
    (timeline) => server.addOperation({ timeline }).operationLocation,
  );
  const [inLibrary, exitCode] = await Promise.all([waitWithLibrary(locations), waitWithCommand(locations)]);
  console.log(`\nlro wait ended with exit code ${String(exitCode)}: one of the two has failed.`);
  console.log("\nMeanwhile, in this program, pollUntilDone(operation)");
  inLibrary.forEach(printOutcome);
} finally {
  await server.close();
}

function waitWithLibrary(locations: readonly string[]): Promise<PromiseSettledResult<unknown>[]> {
  const client = new OperationStatusesClient(server.endpoint);
  const waits = locations.map((location) =>
    pollUntilDone(client.operationAt(location), { pollCostInMs: 200 }),
  );
  return Promise.allSettled(waits);
}

async function waitWithCommand(locations: readonly string[]): Promise<unknown> {
  console.log(`Two dev boxes are being created at ${server.endpoint} (an emulated DevCenter).\n`);
  console.log("$ lro wait <operation-location> <operation-location>\n");
  const command = fileURLToPath(new URL("cli/main.js", import.meta.resolve("lro-poller")));
  const lro = spawn(process.execPath, [command, "wait", "--poll-cost", "200ms", ...locations], {
    stdio: "inherit",
  });
  const [exitCode]: unknown[] = await once(lro, "exit");
  return exitCode;
}

function printOutcome(outcome: PromiseSettledResult<unknown>): void {
  if (outcome.status === "fulfilled") return console.log(`\nresolved with ${toJson(outcome.value)}`);
  const error: unknown = outcome.reason;
  if (!(error instanceof OperationFailedError)) throw error;
  const { name, message, code, target, details, innererror } = error;
  console.log(`\nrejected with ${name}: ${message}`);
  console.log(`\nwhich as data is ${toJson({ code, target, details, innererror })}`);
}

function toJson(value: unknown): string {
  return JSON.stringify(value, undefined, 2);
}
