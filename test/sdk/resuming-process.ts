import { once } from "node:events";
import { inspect } from "node:util";
import { clients } from "./clients.ts";
import { textOf, waiterBy } from "./waits.ts";
import type { Way } from "./waits.ts";

// A process that continues operations which another process has started. It sends what came of them to its parent.

/** An operation by the token of another process. */
export interface ResumedWait {
  /** The client's package. */
  readonly name: string;
  readonly way: Way;
  readonly endpoint: string;
  readonly token: string;
}

/** The result, or the error. */
export interface ResumedResult {
  readonly text?: string;
  readonly error?: string;
}

async function resume({ name, way, endpoint, token }: ResumedWait): Promise<ResumedResult> {
  const client = clients.find((one) => one.name === name);
  const started = await client?.start(endpoint, token);
  if (started === undefined) throw new Error(`There is no client ${name}.`);
  const controller = new AbortController();
  let eventCount = 0;
  // The operation needs five polls at most.
  const count = (): void => void (++eventCount === 50 && controller.abort());
  const waiter = waiterBy(way, started, { onFailedPoll: count, onProgress: count });
  return { text: await textOf(await waiter.pollUntilDone({ abortSignal: controller.signal })) };
}

const [waits]: readonly (readonly ResumedWait[])[] = await once(process, "message");
const results = (waits ?? []).map((wait) =>
  resume(wait).catch((error: unknown) => ({ error: inspect(error, { depth: 1 }) })),
);
process.send?.(await Promise.all(results));
