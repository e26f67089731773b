import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { DefaultAzureCredential } from "@azure/identity";
import { OperationStatusesClient, PollingTimeoutError, createPoller } from "lro-poller";
import type { Poller } from "lro-poller";

const { ENDPOINT = "", PROJECT = "", OPERATION_ID = "", TOKEN_FILE = "token.json" } = process.env;
const timeoutInMs = 3_600_000;

const client = new OperationStatusesClient(ENDPOINT, new DefaultAzureCredential());
const poller = resumedPoller() ?? createPoller(client.operation(PROJECT, OPERATION_ID), { timeoutInMs });

/** Returns `undefined` if no token is saved, or that of another operation. */
function resumedPoller(): Poller | undefined {
  if (!existsSync(TOKEN_FILE)) return undefined;
  const { token, operation } = client.parseResumeToken(readFileSync(TOKEN_FILE, "utf8"));
  const wanted = client.operation(PROJECT, OPERATION_ID);
  if (JSON.stringify(operation) !== JSON.stringify(wanted)) return undefined;
  // After a crash, the rest of the hour counts. After a timeout the token has no deadline: a new hour starts.
  return client.resume(token, token.deadline === undefined ? { timeoutInMs } : {});
}

/** Writes to another file first, so that a process killed at any moment leaves a whole token. */
function save() {
  writeFileSync(`${TOKEN_FILE}.new`, JSON.stringify(poller), { flush: true });
  renameSync(`${TOKEN_FILE}.new`, TOKEN_FILE);
}
poller.onProgress(save);
poller.onFailedPoll(save);

try {
  console.log(await poller.pollUntilDone());
} catch (error) {
  // Saves the token without the deadline, which has passed.
  if (error instanceof PollingTimeoutError) save();
  throw error;
} finally {
  if (poller.isDone) rmSync(TOKEN_FILE, { force: true });
}
