import { once } from "node:events";
import type { OperationStatusServer, RecordedRequest } from "../../testing/index.ts";
import { UsageError } from "../input/context.ts";
import type { CliContext } from "../input/context.ts";
import { exitCodes } from "../output/exit-codes.ts";
import { toError } from "../output/wait-outcome.ts";
import { scenarios } from "./scenarios.ts";
import type { Scenario } from "./scenarios.ts";

/** The options of `lro emulate`. */
export interface EmulateOptions {
  readonly port?: number;
  readonly speed?: number;
  readonly scenario?: readonly string[];
  readonly verbose?: boolean;
}

/**
 * Serves operations like DevCenter's until it is interrupted, which is its normal end.
 *
 * @returns the exit code
 * @throws UsageError if the port cannot be used
 */
export async function emulate(options: EmulateOptions, context: CliContext): Promise<number> {
  const { port = 0, speed = 1, scenario: names } = options;
  const chosen = names === undefined ? scenarios : scenarios.filter(({ name }) => names.includes(name));
  const { startOperationStatusServer } = await import("../../testing/index.ts");
  const server = await startOperationStatusServer({ port, speed }).catch((error: unknown) => {
    throw new UsageError(`--port: ${toError(error).message}`);
  });
  const stopLog = options.verbose === true ? logRequests(server, context) : () => {};
  context.stdout.write(welcome(server, chosen));
  if (!context.interruption.aborted) await once(context.interruption, "abort");
  stopLog();
  await server.close();
  return exitCodes.succeeded;
}

function welcome(server: OperationStatusServer, chosen: readonly Scenario[]): string {
  const added = chosen.map(({ name, title, plan }) => {
    return { name, title, ...server.addOperation({ ...plan, startsAtFirstPoll: true }) };
  });
  const lines = added.map(
    ({ name, title, operationLocation }) => `  ${name}: ${title}\n    ${operationLocation}\n`,
  );
  const [first] = added;
  const usage =
    first === undefined
      ? ""
      : `
Wait for one or more of them:
  npx lro wait '${first.operationLocation}'
or set these for a program of yours:
  ENDPOINT=${server.endpoint} PROJECT=${first.projectName} OPERATION_ID=${first.operationId}
`;
  return `Emulating DevCenter at ${server.endpoint}

Operations; each starts at its first poll:
${lines.join("")}${usage}
Start another:
  curl -i -X PUT '${server.endpoint}/projects/myProject/users/me/devboxes/myBox?api-version=2025-02-01' -d '{}'

Ctrl-C stops the server.
`;
}

const logIntervalInMs = 100;

/** Logs each request after its response. Returns a function that stops the log. */
function logRequests({ requests }: OperationStatusServer, { stderr }: CliContext): () => void {
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
