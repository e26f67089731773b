import { OperationPoller } from "./operation-poller.ts";
import type { Operation } from "../operation/operation.ts";
import { resolveOptions } from "./options.ts";
import type { PollOptions } from "./options.ts";
import type { Poller } from "./poller.ts";
import type { ResumeToken } from "../state/resume-token.ts";

/**
 * Makes a poller for an operation.
 *
 * @throws RangeError or TypeError that names the option that is wrong
 */
export function createPoller<P>(operation: Operation<P>, options: PollOptions<P> = {}): Poller<P> {
  return newPoller(operation, options);
}

/**
 * Like {@link createPoller}, but goes on where the poller that wrote the token stopped. A `timeoutInMs` is counted from
 * now; without one, what is left of the token's counts.
 */
export function resumePoller<P>(
  operation: Operation<P>,
  token: ResumeToken,
  options: PollOptions<P> = {},
): Poller<P> {
  return newPoller(operation, options, token);
}

function newPoller<P>(operation: Operation<P>, options: PollOptions<P>, token?: ResumeToken): Poller<P> {
  checkOperation(operation);
  const settings = resolveOptions(options);
  const poller = new OperationPoller(operation, settings, operation.budgetOn?.(settings.clock));
  if (options.onProgress) poller.onProgress(options.onProgress);
  if (options.onFailedRead) poller.onFailedRead(options.onFailedRead);
  if (token) poller.restore(options.timeoutInMs === undefined ? token : { ...token, deadline: undefined });
  return poller;
}

/** Waits for an operation: {@link createPoller} and {@link Poller.pollUntilDone} in one call. */
export async function pollUntilDone<P>(operation: Operation<P>, options: PollOptions<P> = {}): Promise<P> {
  return createPoller(operation, options).pollUntilDone();
}

/** In JavaScript a URL is easily taken for an operation. */
function checkOperation(operation: unknown): void {
  const parts = ["id", "read", "toJSON"];
  const isOperation =
    typeof operation === "object" && operation !== null && parts.every((part) => part in operation);
  if (!isOperation) {
    throw new TypeError(`operation: expected what client.operation() gives, got ${typeof operation}`);
  }
}
