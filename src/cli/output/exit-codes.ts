import { OperationCanceledError, OperationFailedError, PollingTimeoutError } from "../../index.ts";
import { Interruption } from "../input/context.ts";

/** What the exit code says. */
export const exitCodes = {
  succeeded: 0,
  failed: 1,
  usage: 2,
  canceled: 3,
  timedOut: 4,
  pollingFailed: 5,
  interrupted: 130,
  /** What the shell reports of a program that SIGPIPE ended. */
  outputClosed: 141,
} as const;

/** For `--help`. */
export const exitCodesHelp = `
Exit codes:
  0    the operation succeeded
  1    it failed
  2    the command line is wrong
  3    it was canceled
  4    --timeout is over; the operation goes on
  5    its status could not be read
  130  interrupted (Ctrl-C); the operation goes on
Of several operations the first of these counts: 1, 3, 5, 4.`;

const { interrupted, outputClosed, failed, canceled, pollingFailed, timedOut } = exitCodes;
const byWeight: readonly number[] = [interrupted, outputClosed, failed, canceled, pollingFailed, timedOut];

/** The exit code for what a wait or a read rejected with. */
export function exitCodeOfError(error: unknown): number {
  if (error instanceof Interruption) return error.exitCode;
  if (error instanceof OperationFailedError) return failed;
  if (error instanceof OperationCanceledError) return canceled;
  return error instanceof PollingTimeoutError ? timedOut : pollingFailed;
}

/** The exit code for several operations. */
export function heaviest(codes: readonly number[]): number {
  return byWeight.find((code) => codes.includes(code)) ?? exitCodes.succeeded;
}
