import { Interruption } from "./input/context.ts";
import { loadDefaultCredential } from "./input/credential.ts";
import { exitCodes } from "./output/exit-codes.ts";
import { run } from "./commands/program.ts";

/** Runs the command in this process, and sets its exit code. */
export async function runProcess(): Promise<void> {
  const { stdin, stdout, stderr, env } = process;
  const interruption = interruptionOf(process);
  process.exitCode = await run(process.argv.slice(2), {
    stdin,
    stdout,
    stderr,
    env,
    interruption,
    loadCredential: loadDefaultCredential,
  });
}

const signals = new Map<NodeJS.Signals, Interruption>([
  ["SIGINT", new Interruption("interrupted", exitCodes.interrupted)],
  ["SIGHUP", new Interruption("the terminal was closed", exitCodes.hungUp)],
  ["SIGTERM", new Interruption("terminated", exitCodes.terminated)],
]);

/** Returns a signal that fires on Ctrl-C, on SIGTERM and SIGHUP, and when the output is closed. */
function interruptionOf({ stdout, stderr }: NodeJS.Process): AbortSignal {
  const interruption = new AbortController();
  for (const signal of signals.keys()) process.on(signal, onSignal);

  // A second signal ends the process, as it does without a listener. This listener stays until the others have been
  // called: the library that shows the cursor again ends the process if its own is the only one.
  function onSignal(signal: NodeJS.Signals): void {
    interruption.abort(signals.get(signal));
    setImmediate(() => {
      for (const name of signals.keys()) process.off(name, onSignal);
    });
  }

  // The reader of the output has closed it (`lro wait … | head`), so the wait has no use.
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (!isClosed(error)) throw error;
    interruption.abort(new Interruption("the output was closed", exitCodes.outputClosed));
  });
  stderr.on("error", (error: NodeJS.ErrnoException) => {
    if (!isClosed(error)) throw error;
  });
  return interruption.signal;
}

/** Whether no one reads an output any more: a pipe was closed, or the terminal has gone. */
function isClosed({ code }: NodeJS.ErrnoException): boolean {
  return code === "EPIPE" || code === "EIO";
}
