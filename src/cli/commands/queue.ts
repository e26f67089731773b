import { once } from "node:events";
import type { OperationHandle, OperationQueue, OperationWorker, QueueLocation } from "../../bullmq/index.ts";
import type { Operation, PollLogger, ResumeToken } from "../../index.ts";
import { UsageError } from "../input/context.ts";
import type { CliContext } from "../input/context.ts";
import { exitCodeOf, toError, withCommandOptions } from "../output/wait-outcome.ts";
import type { WaitOutcome } from "../output/wait-outcome.ts";
import { exitCodes, combinedExitCode } from "../output/exit-codes.ts";
import { ResultPrinter } from "../output/result-printer.ts";
import { clientOfToken, clientsFor } from "../input/clients.ts";
import type { ClientOptions } from "../input/clients.ts";
import { placeIn } from "../input/resume-token.ts";
import { named, resolveTargets } from "../input/targets.ts";
import type { Target, TargetOptions } from "../input/targets.ts";
import { terminalStatesOf } from "../input/terminal-states.ts";
import type { TerminalStateOptions } from "../input/terminal-states.ts";
import { holdLine } from "../output/hold-line.ts";
import { writeError, writeWarning } from "../output/terminal.ts";
import { toJson } from "../output/text.ts";

/** The options that locate a queue. */
export interface QueueOptions {
  readonly redis?: string;
  readonly queue?: string;
}

/** The options of `lro queue add`. Durations are milliseconds. */
export interface QueueAddOptions extends QueueOptions, TargetOptions, TerminalStateOptions {
  readonly timeout?: number;
  readonly stallTimeout?: number;
  readonly wait?: boolean;
}

/** The options of `lro queue worker`. */
export interface QueueWorkerOptions extends QueueOptions, Omit<ClientOptions, "apiVersion"> {
  readonly concurrency?: number;
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
  return withQueue(options, context, async (queue) => {
    const handles: OperationHandle[] = [];
    for (const { operation } of targets) {
      if (operation) handles.push(await queue.add(operation, addOptions));
    }
    if (options.wait === true) return waitFor(handles, targets, context);
    context.stdout.write(handles.map(({ jobId }) => `${jobId}\n`).join(""));
    return exitCodes.succeeded;
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
  const { concurrency, scope, allowHost } = options;
  if (scope !== undefined && allowHost === undefined) {
    throw new UsageError("--scope: expected --allow-host too, because a job may name any host");
  }
  const worker = createOperationWorker({
    ...locationOf(options, context),
    ...(concurrency !== undefined && { concurrency }),
    resolveOperation: resolverOf(context, options),
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
function resolverOf(context: CliContext, options: ClientOptions): (token: ResumeToken) => Operation {
  const clients = clientsFor(context, options);
  const resolve = (token: ResumeToken): Operation =>
    clientOfToken(clients, placeIn(JSON.stringify(token))).parseResumeToken(token).operation;
  return (token) => named({ scopes: "--scope and --allow-host" }, () => resolve(token));
}

/**
 * Prints how many operations are in each state of a queue.
 *
 * @returns the exit code
 */
export async function queueStatus(options: QueueStatusOptions, context: CliContext): Promise<number> {
  return withQueue(options, context, async (queue) => {
    const [counts, holds] = [await queue.counts(), await queue.holds()];
    const lines = Object.entries(counts).map(([state, count]) => `${state.padEnd(9)}${count}\n`);
    lines.push(...holds.map(holdLine));
    context.stdout.write(options.output === "json" ? `${toJson({ ...counts, holds })}\n` : lines.join(""));
    return exitCodes.succeeded;
  });
}

/** Uses a queue until it is interrupted: without Redis, BullMQ would wait forever. */
export async function withQueue(
  options: QueueOptions,
  context: CliContext,
  use: (queue: OperationQueue) => Promise<number>,
): Promise<number> {
  const { createOperationQueue } = await loadQueue();
  const queue = createOperationQueue({ ...locationOf(options, context), logger: loggerOf(context) });
  const { interruption } = context;
  const interrupted = once(interruption, "abort").then(() => exitCodes.interrupted);
  try {
    return await Promise.race([use(queue), interrupted]);
  } finally {
    // Otherwise its attempts to reach Redis would keep the process alive.
    await queue.close();
  }
}

async function loadQueue(): Promise<typeof import("../../bullmq/index.ts")> {
  try {
    // BullMQ imports it only when it connects.
    await import("ioredis");
    return await import("../../bullmq/index.ts");
  } catch (cause) {
    throw new UsageError("queue: expected bullmq and ioredis to be installed (npm install bullmq ioredis)", {
      cause,
    });
  }
}

const localRedis = "redis://127.0.0.1:6379";

function locationOf({ redis, queue }: QueueOptions, { env }: CliContext): QueueLocation {
  const url = redis ?? env["REDIS_URL"] ?? localRedis;
  if (!/^rediss?:/.test(url) || !URL.canParse(url)) {
    throw new UsageError("--redis: expected a URL that starts with redis:// or rediss://, got another text");
  }
  return { connection: { url }, ...(queue !== undefined && { queueName: queue }) };
}

/** Prints each message once: while Redis is away, every attempt logs the same. */
function loggerOf(context: CliContext): PollLogger {
  const printed = new Set<string>();
  const eachOnce =
    (print: (line: string) => void) =>
    (...message: unknown[]): void => {
      const line = message.map(String).join(" ");
      if (!printed.has(line)) print(line);
      printed.add(line);
    };
  const warn = (line: string): void => writeWarning(context, withCommandOptions(line));
  const fail = (line: string): void => writeError(context, line);
  const disabled = Object.assign(() => {}, { enabled: false });
  return { verbose: disabled, info: disabled, warning: eachOnce(warn), error: eachOnce(fail) };
}
