import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OperationStatusesClient, PollingTimeoutError, createPoller } from "lro-poller";
import type { Operation, Poller } from "lro-poller";
import { connect } from "./connect.ts";

const timeoutInMs = 3_600_000;

// With the emulator, it kills its own process. With Azure, kill it yourself, and start it again.
await (process.env["DEVCENTER_ENDPOINT"] === undefined ? crashMidway() : continueWait());

/** Continues the wait of the last process. */
async function continueWait(): Promise<void> {
  const { endpoint, credential, projectName, operationId, close } = await connect();
  const { TOKEN_FILE = join(tmpdir(), `${operationId}.json`) } = process.env;

  const client = new OperationStatusesClient(endpoint, credential);
  const operation = client.operation(projectName, operationId);
  const poller = resumedPoller(client, operation, TOKEN_FILE) ?? createPoller(operation, { timeoutInMs });

  /** Writes to another file first, so that a process killed at any moment leaves a whole token, or none yet. */
  const save = (): void => {
    writeFileSync(`${TOKEN_FILE}.new`, JSON.stringify(poller), { flush: true });
    renameSync(`${TOKEN_FILE}.new`, TOKEN_FILE);
  };
  save();
  poller.onProgress(save);
  poller.onFailedPoll(save);
  poller.onProgress(({ status, elapsedInMs }) =>
    console.log(`${Math.round(elapsedInMs / 1000)} s: ${status}`),
  );

  try {
    console.log(await poller.pollUntilDone());
  } catch (error) {
    // Without the deadline, which has passed: the next process has all of the timeout again.
    if (error instanceof PollingTimeoutError) save();
    throw error;
  } finally {
    // Only after the outcome is safe. If the process is killed before, the next one gets it from the service.
    if (poller.isDone) rmSync(TOKEN_FILE);
    await close();
  }
}

/** Returns `undefined` if no token is saved, or that of another operation. */
function resumedPoller(
  client: OperationStatusesClient,
  wanted: Operation,
  tokenFile: string,
): Poller | undefined {
  if (!existsSync(tokenFile)) return undefined;
  const { token, operation } = client.parseResumeToken(readFileSync(tokenFile, "utf8"));
  if (JSON.stringify(operation) !== JSON.stringify(wanted)) return undefined;
  // The token of a wait that was killed has a deadline; that of a wait that timed out has none.
  return client.resume(token, token.deadline === undefined ? { timeoutInMs } : {});
}

/** Starts a process that waits, kills it, and starts another one. */
async function crashMidway(): Promise<void> {
  const { endpoint, projectName, operationId, close } = await connect();
  const address = {
    DEVCENTER_ENDPOINT: endpoint,
    DEVCENTER_PROJECT: projectName,
    DEVCENTER_OPERATION_ID: operationId,
  };
  const env = { ...process.env, ...address };
  const first = fork(import.meta.filename, { env });
  setTimeout(() => first.kill("SIGKILL"), 2500);
  await once(first, "exit");
  console.log("killed; another process continues");
  await once(fork(import.meta.filename, { env }), "exit");
  await close();
}
