/** The exit codes of the command. */
export const exitCodes = {
  succeeded: 0,
  failed: 1,
  usage: 2,
  canceled: 3,
  timedOut: 4,
  pollingFailed: 5,
  hungUp: 129,
  interrupted: 130,
  /** The code that shells report for a program ended by SIGPIPE. */
  outputClosed: 141,
  terminated: 143,
} as const;

/** The exit codes as `--help` shows them. */
export const exitCodesHelp = `
Exit codes:
  0    the operation succeeded
  1    the operation failed
  2    the command line is wrong
  3    the operation was canceled
  4    --timeout or --stall-timeout passed; the operation continues
  5    the status could not be read; the operation may continue
  129  the terminal was closed (SIGHUP); the operation continues
  130  interrupted (Ctrl-C); the operation continues
  143  terminated (SIGTERM); the operation continues
Of several operations the first of these counts: 1, 3, 5, 4.`;

const { hungUp, interrupted, outputClosed, terminated, failed, canceled, pollingFailed, timedOut } =
  exitCodes;
const byPrecedence: readonly number[] = [
  interrupted,
  hungUp,
  outputClosed,
  terminated,
  failed,
  canceled,
  pollingFailed,
  timedOut,
];

/** Returns the exit code for several operations: the one that takes precedence. */
export function combinedExitCode(codes: readonly number[]): number {
  return byPrecedence.find((code) => codes.includes(code)) ?? exitCodes.succeeded;
}
