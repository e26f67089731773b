import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OperationStatusesClient, createPoller } from "lro-poller";
import { connect } from "./connect.ts";

// With the emulator, it kills its own process. With Azure, kill it yourself, and start it again.
await (process.env["DEVCENTER_ENDPOINT"] === undefined ? crashMidway() : continueWait());

/** Continues the wait of the last process. */
async function continueWait(): Promise<void> {
  const { endpoint, credential, projectName, operationId, close } = await connect();
  const { TOKEN_FILE = join(tmpdir(), `${operationId}.json`) } = process.env;

  const client = new OperationStatusesClient(endpoint, credential);
  const poller = existsSync(TOKEN_FILE)
    ? client.resume(readFileSync(TOKEN_FILE, "utf8"))
    : createPoller(client.operation(projectName, operationId), { timeoutInMs: 3_600_000 });

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

  console.log(await poller.pollUntilDone());
  // Only after the result is safe. If the process is killed before, the next one gets the result from the service.
  rmSync(TOKEN_FILE);
  await close();
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
