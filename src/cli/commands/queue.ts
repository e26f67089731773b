import { once } from "node:events";
import type { OperationHandle, OperationWorker } from "../../bullmq/index.ts";
import type { LroClient } from "../../index.ts";
import { UsageError } from "../input/context.ts";
import type { CliContext } from "../input/context.ts";
import { exitCodeOf } from "../output/wait-outcome.ts";
import { toError } from "../output/to-error.ts";
import type { WaitOutcome } from "../output/wait-outcome.ts";
import { combinedExitCode, exitCodes } from "../output/exit-codes.ts";
import { ResultPrinter } from "../output/result-printer.ts";
import { clientOfToken, clientsFor } from "../input/clients.ts";
import type { ClientOptions } from "../input/clients.ts";
import { placeIn } from "../input/resume-token.ts";
import { labelOf } from "../input/names.ts";
import { named, resolveTargets } from "../input/targets.ts";
import type { Target, TargetOptions } from "../input/targets.ts";
import { terminalStatesOf } from "../input/terminal-states.ts";
import type { TerminalStateOptions } from "../input/terminal-states.ts";
import { holdLine } from "../output/hold-line.ts";
import { singleLine, toJson } from "../output/text.ts";
import { loadQueue, locationOf, loggerOf, withQueue } from "./queue-connection.ts";
import type { QueueOptions } from "./queue-connection.ts";

/** The options of `lro queue add`. Durations are milliseconds. */
export interface QueueAddOptions extends QueueOptions, TargetOptions, TerminalStateOptions {
  readonly timeout?: number;
  readonly stallTimeout?: number;
  readonly wait?: boolean;
}

/** The options of `lro queue worker`. */
export interface QueueWorkerOptions extends QueueOptions, Omit<ClientOptions, "apiVersion"> {
  readonly concurrency?: number;
  readonly unclaimedTimeout?: number;
}

/** The options of `lro queue status`. */
export interface QueueStatusOptions extends QueueOptions {
  readonly output?: "text" | "json";
}

/**
 * Adds operations to a queue, and prints the ids of their jobs or waits for them.
 *
 * @returns the exit code
 * @throws UsageError that names the argument
 */
export async function queueAdd(
  locations: readonly string[],
  options: QueueAddOptions,
  context: CliContext,
): Promise<number> {
  const targets = await resolveTargets(locations, options, context);
  const { timeout, stallTimeout } = options;
  const addOptions = {
    ...terminalStatesOf(options),
    ...(timeout !== undefined && { timeoutInMs: timeout }),
    ...(stallTimeout !== undefined && { stallTimeoutInMs: stallTimeout }),
  };
  const { stdout, stderr } = context;
  return withQueue(options, context, async (queue, reach) => {
    const handles: OperationHandle[] = [];
    for (const target of targets) {
      if (target.operation === undefined) continue;
      const handle = await reach(queue.add(target.operation, addOptions));
      handles.push(handle);
      // At once: if the command is interrupted, this is how to find the job again.
      if (options.wait === true) stderr.write(`Job ${handle.jobId}: ${singleLine(labelOf(target))}\n`);
      else stdout.write(`${handle.jobId}\n`);
    }
    return options.wait === true ? waitFor(handles, targets, context) : exitCodes.succeeded;
  });
}

async function waitFor(
  handles: readonly OperationHandle[],
  targets: readonly Target[],
  context: CliContext,
): Promise<number> {
  const printer = new ResultPrinter(targets, context);
  const outcomes = handles.map(async (handle, index) => {
    const outcome = await outcomeOf(handle, context);
    printer.print(index, outcome);
    return exitCodeOf(outcome);
  });
  const codes = await Promise.all(outcomes);
  printer.finish();
  return combinedExitCode(codes);
}

async function outcomeOf(handle: OperationHandle, { interruption }: CliContext): Promise<WaitOutcome> {
  try {
    return { type: "succeeded", result: await handle.pollUntilDone({ abortSignal: interruption }) };
  } catch (error) {
    if (interruption.aborted) throw error;
    return { type: "error", error: toError(error) };
  }
}

/**
 * Polls the operations of a queue until it is interrupted, which is its normal end.
 *
 * @returns the exit code
 */
export async function queueWorker(options: QueueWorkerOptions, context: CliContext): Promise<number> {
  const { createOperationWorker } = await loadQueue();
  const { concurrency, unclaimedTimeout, scope, allowHost } = options;
  if (scope !== undefined && allowHost === undefined) {
    throw new UsageError("--scope: expected --allow-host too, because a job may name any host");
  }
  const worker = createOperationWorker({
    ...locationOf(options, context),
    ...(concurrency !== undefined && { concurrency }),
    ...(unclaimedTimeout !== undefined && { unclaimedTimeoutInMs: unclaimedTimeout }),
    clients: [clientOfAny(context, options)],
    logger: loggerOf(context),
  });
  await untilInterrupted(worker, context);
  await worker.close();
  return exitCodes.succeeded;
}

async function untilInterrupted(
  worker: OperationWorker,
  { stderr, interruption }: CliContext,
): Promise<void> {
  const interrupted = interruption.aborted ? Promise.resolve() : once(interruption, "abort");
  const started = worker.started.then(() =>
    stderr.write("Working. Ctrl-C stops this worker; its jobs stay in the queue.\n"),
  );
  await Promise.race([started, interrupted]);
  await interrupted;
}

/** Allows the same hosts as the other commands to get a token, whatever host a job names. */
function clientOfAny(context: CliContext, options: ClientOptions): Pick<LroClient, "parseResumeToken"> {
  const clients = clientsFor(context, options);
  return {
    parseResumeToken: <TResult>(token: string | object) =>
      named({ scopes: "--scope and --allow-host" }, () =>
        clientOfToken(clients, placeIn(JSON.stringify(token))).parseResumeToken<TResult>(token),
      ),
  };
}

/**
 * Prints how many operations are in each state of a queue.
 *
 * @returns the exit code
 */
export async function queueStatus(options: QueueStatusOptions, context: CliContext): Promise<number> {
  return withQueue(options, context, async (queue, reach) => {
    const [counts, holds] = [await reach(queue.counts()), await reach(queue.holds())];
    const lines = Object.entries(counts).map(([state, count]) => `${state.padEnd(10)}${count}\n`);
    lines.push(...holds.map(holdLine));
    context.stdout.write(options.output === "json" ? `${toJson({ ...counts, holds })}\n` : lines.join(""));
    return exitCodes.succeeded;
  });
}
