import { once } from "node:events";
import type { OperationStatusServer, RecordedRequest } from "../../testing/index.ts";
import { UsageError } from "../input/context.ts";
import type { CliContext } from "../input/context.ts";
import { exitCodes } from "../output/exit-codes.ts";
import { scenarios } from "./scenarios.ts";
import type { Scenario } from "./scenarios.ts";

/** What `lro emulate` is told. */
export interface EmulateOptions {
  readonly port?: number;
  readonly speed?: number;
  readonly scenario?: readonly string[];
  readonly verbose?: boolean;
}

/**
 * Serves operations as DevCenter does until it is interrupted, which is its proper end.
 *
 * @returns the exit code
 * @throws UsageError that names the argument
 */
export async function emulate(options: EmulateOptions, context: CliContext): Promise<number> {
  const chosen = chosenScenarios(options.scenario);
  const { port = 0, speed = 1 } = options;
  const { startOperationStatusServer } = await import("../../testing/index.ts");
  const server = await startOperationStatusServer({ port, speed }).catch(refuse);
  const stopLog = options.verbose === true ? logRequests(server, context) : () => {};
  context.stdout.write(welcome(server, chosen));
  if (!context.interruption.aborted) await once(context.interruption, "abort");
  stopLog();
  await server.close();
  return exitCodes.succeeded;
}

function chosenScenarios(names: readonly string[] | undefined): readonly Scenario[] {
  return names === undefined ? scenarios : scenarios.filter(({ name }) => names.includes(name));
}

function refuse(error: unknown): never {
  throw new UsageError(`--port: ${error instanceof Error ? error.message : String(error)}`);
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
or with a program that reads these:
  ENDPOINT=${server.endpoint} PROJECT=${first.projectName} OPERATION_ID=${first.operationId}
`;
  return `Emulating DevCenter at ${server.endpoint}

Operations, each of which begins at its first read:
${lines.join("")}${usage}
Begin another:
  curl -i -X PUT '${server.endpoint}/projects/myProject/users/me/devboxes/myBox?api-version=2025-02-01' -d '{}'

Ctrl-C ends it.
`;
}

const logIntervalInMs = 100;

/** Logs each request once it has been answered. Returns how to stop. */
function logRequests({ requests }: OperationStatusServer, { stderr }: CliContext): () => void {
  const unanswered = new Set<number>();
  let seen = 0;
  const log = (): void => {
    while (seen < requests.length) unanswered.add(seen++);
    for (const index of unanswered) {
      const request = requests[index];
      if (request?.responseStatus === undefined) continue;
      stderr.write(requestLine(request));
      unanswered.delete(index);
    }
  };
  const timer = setInterval(log, logIntervalInMs);
  return () => {
    clearInterval(timer);
    log();
  };
}

function requestLine({ method, path, responseStatus, pollNumber }: RecordedRequest): string {
  const read = pollNumber === undefined ? "" : ` (read ${pollNumber})`;
  return `${responseStatus} ${method} ${path}${read}\n`;
}
