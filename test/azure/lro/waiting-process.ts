import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { LroClient, createPoller } from "lro-poller";
import type { InitialRequest, PollOptions, Poller } from "lro-poller";

// A process that waits and saves its tokens, which a test can kill at any moment. The next one continues.

/** A wait of the process: its operation has a URL, or is started by the request. */
export type Wait = { readonly tokenFile: string } & (
  | { readonly url: string }
  | { readonly request: InitialRequest }
);

/** The content of the variable `WAITS`. */
export interface Waits {
  readonly waits: readonly Wait[];
  readonly options?: Pick<PollOptions, "minDelayInMs" | "maxDelayInMs">;
}

const { waits, options = {} }: Waits = JSON.parse(process.env["WAITS"] ?? "");

function pollerOf(wait: Wait): Poller {
  const { origin } = new URL("url" in wait ? wait.url : wait.request.url);
  const client = new LroClient(origin);
  if (existsSync(wait.tokenFile)) return client.resume(readFileSync(wait.tokenFile, "utf8"), options);
  if ("url" in wait) return createPoller(client.operationAt(wait.url), options);
  return client.startOperation(wait.request, options);
}

async function perform(wait: Wait): Promise<unknown> {
  const { tokenFile } = wait;
  const poller = pollerOf(wait);
  const save = (): void => {
    writeFileSync(`${tokenFile}.new`, JSON.stringify(poller), { flush: true });
    renameSync(`${tokenFile}.new`, tokenFile);
  };
  // The token of an operation without an initial response cannot be resumed.
  if ("url" in wait) save();
  poller.onProgress(save);
  poller.onFailedPoll(save);
  const result = await poller.pollUntilDone();
  rmSync(tokenFile);
  return result;
}

const results = await Promise.all(waits.map(perform));
console.log(JSON.stringify(results));
