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
  let failedPollCount = 0;
  const onFailedPoll = (): void => void (++failedPollCount === 5 && controller.abort());
  const waiter = waiterBy(way, started, { onFailedPoll });
  return { text: await textOf(await waiter.pollUntilDone({ abortSignal: controller.signal })) };
}

const waits: readonly ResumedWait[] = JSON.parse(process.env["WAITS"] ?? "[]");
const results = await Promise.all(
  waits.map((wait) => resume(wait).catch((error: unknown) => ({ error: inspect(error, { depth: 1 }) }))),
);
process.send?.(results, () => process.exit());
