import { once } from "node:events";
import type { AddedOperation, OperationServer, RecordedRequest } from "../../testing/index.ts";
import { UsageError } from "../input/context.ts";
import type { CliContext } from "../input/context.ts";
import { exitCodes } from "../output/exit-codes.ts";
import { toError } from "../output/to-error.ts";
import { emulatedService, sampleDeployments, scenariosOf } from "./scenarios.ts";
import type { EmulatedStyle, Scenario } from "./scenarios.ts";

/** The options of `lro emulate`. */
export interface EmulateOptions {
  readonly style?: EmulatedStyle;
  readonly port?: number;
  readonly speed?: number;
  readonly scenario?: readonly string[];
  readonly verbose?: boolean;
}

/**
 * Serves operations like those of DevCenter or another service until it is interrupted, which is its normal end.
 *
 * @returns the exit code
 * @throws UsageError if the port cannot be used
 */
export async function emulate(options: EmulateOptions, context: CliContext): Promise<number> {
  const { style = "devcenter", port = 0, speed = 1, scenario: names } = options;
  const scenarios = scenariosOf(style);
  const chosen = names === undefined ? scenarios : scenarios.filter(({ name }) => names.includes(name));
  const { startOperationServer } = await import("../../testing/index.ts");
  const server = await startOperationServer({
    style,
    port,
    speed,
    ...(style === "arm" && { deployments: {} }),
  }).catch((error: unknown) => {
    throw new UsageError(`--port: ${toError(error).message}`);
  });
  const stopLog = options.verbose === true ? logRequests(server, context) : () => {};
  context.stdout.write(welcome(style, server, chosen));
  if (!context.interruption.aborted) await once(context.interruption, "abort");
  stopLog();
  await server.close();
  return exitCodes.succeeded;
}

function welcome(style: EmulatedStyle, server: OperationServer, chosen: readonly Scenario[]): string {
  const { name: service, start } = emulatedService(style);
  const added = chosen.map(({ name, title, plan }) => {
    return { name, title, ...server.addOperation({ ...plan, startsAtFirstPoll: true }) };
  });
  const lines = added.map(
    ({ name, title, operationLocation }) => `  ${name}: ${title}\n    ${operationLocation}\n`,
  );
  const [first] = added;
  const usage = first === undefined ? "" : usageOf(server, first);
  return `Emulating ${service} at ${server.endpoint}

Operations; each starts at its first poll:
${lines.join("")}${usage}
Start another:
  curl -i -X ${start.method} '${server.endpoint}${start.path}' -d '{}'
${style === "arm" ? deploymentsOf(server) : ""}
Ctrl-C stops the server.
`;
}

const template = {
  resources: [
    { type: "Microsoft.Storage/storageAccounts", name: "files", metadata: { durationInMs: 20_000 } },
  ],
};

/** Adds the sample deployments. Returns what to type to watch them, and to start and cancel one. */
function deploymentsOf(server: OperationServer): string {
  const version = "?api-version=2025-04-01";
  const urls = sampleDeployments.map(({ title, ...plan }) => {
    const { id } = server.addDeployment({ ...plan, startsAtFirstPoll: true });
    return { title, url: `${server.endpoint}${id}` };
  });
  const [first] = urls;
  if (first === undefined) return "";
  const waits = urls.map(({ title, url }) => `  # ${title}\n  npx lro wait '${url}${version}'\n`);
  const another = first.url.replace(/[^/]*$/, "another");
  const body = JSON.stringify({ properties: { mode: "Incremental", template } });
  return `
Watch a deployment; each starts at its first poll:
${waits.join("")}or set these for a program of yours:
  ARM_ENDPOINT=${server.endpoint} DEPLOYMENT_ID=${new URL(first.url).pathname}
List its operations, and cancel it:
  curl '${first.url}/operations${version}'
  npx lro cancel '${first.url}${version}'
Start a deployment by a template:
  curl -X PUT '${another}${version}' -d '${body}'
`;
}

function usageOf(
  { endpoint }: OperationServer,
  { operationLocation, projectName, operationId, resourceUrl }: AddedOperation,
): string {
  const wait = `
Wait for one or more of them:
  npx lro wait '${operationLocation}'
`;
  if (projectName === "") {
    const resource = resourceUrl === undefined ? "" : ` RESOURCE_ID=${new URL(resourceUrl).pathname}`;
    return `${wait}or set these for a program of yours:
  ARM_ENDPOINT=${endpoint} ASYNC_OPERATION_URL='${operationLocation}'${resource}
`;
  }
  return `${wait}or set these for a program of yours:
  ENDPOINT=${endpoint} PROJECT=${projectName} OPERATION_ID=${operationId}
`;
}

const logIntervalInMs = 100;

/** Logs each request after its response. Returns a function that stops the log. */
function logRequests({ requests }: OperationServer, { stderr }: CliContext): () => void {
  const pending = new Set<number>();
  let seen = 0;
  const log = (): void => {
    while (seen < requests.length) pending.add(seen++);
    for (const index of pending) {
      const request = requests[index];
      if (request?.responseStatus === undefined) continue;
      stderr.write(requestLine(request));
      pending.delete(index);
    }
  };
  const timer = setInterval(log, logIntervalInMs);
  return () => {
    clearInterval(timer);
    log();
  };
}

function requestLine({ method, path, responseStatus, pollNumber }: RecordedRequest): string {
  const poll = pollNumber === undefined ? "" : ` (poll ${pollNumber})`;
  return `${responseStatus} ${method} ${path}${poll}\n`;
}
