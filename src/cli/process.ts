import { Interruption } from "./input/context.ts";
import type { Prompt } from "./input/context.ts";
import { loadDefaultCredential } from "./input/credential.ts";
import { exitCodes } from "./output/exit-codes.ts";
import { run } from "./commands/program.ts";

/** Runs the command in this process, and sets its exit code. */
export async function runProcess(): Promise<void> {
  leaveOutFetch();
  const { stdin, stdout, stderr, env } = process;
  const interrupts = new Interrupts();
  const exitCode = await run(process.argv.slice(2), {
    stdin,
    stdout,
    stderr,
    env,
    interruption: interrupts.signal,
    ...(stdin.isTTY && stderr.isTTY && { prompt: interrupts }),
    loadCredential: loadDefaultCredential,
  });
  // Else that of an output that could not be written.
  if (exitCode !== exitCodes.succeeded) process.exitCode = exitCode;
}

/**
 * Keeps Node from loading its `fetch` with `node:http`, whose import reads all its getters. No request here needs it, and
 * it takes half as long as the HTTP client.
 */
function leaveOutFetch(): void {
  const http = process.getBuiltinModule("node:http");
  for (const name of ["WebSocket", "CloseEvent", "MessageEvent"]) Reflect.deleteProperty(http, name);
}

const signals = new Map<NodeJS.Signals, Interruption>([
  ["SIGINT", new Interruption("interrupted", exitCodes.interrupted)],
  ["SIGHUP", new Interruption("the terminal was closed", exitCodes.hungUp)],
  ["SIGTERM", new Interruption("terminated", exitCodes.terminated)],
]);

/** Interrupts the command on Ctrl-C, on SIGTERM and SIGHUP, and when the output is closed. */
class Interrupts implements Prompt {
  readonly #interruption = new AbortController();
  #handler: { readonly callback: () => void; readonly isAsking: () => boolean } | undefined;
  readonly #onSignal = (signal: NodeJS.Signals): void => this.#handle(signal);

  constructor() {
    const { stdout, stderr } = process;
    for (const signal of signals.keys()) process.on(signal, this.#onSignal);
    // The reader of the output has closed it (`lro wait … | head`), or the disk is full: the wait has no use.
    stdout.on("error", (error: NodeJS.ErrnoException) => this.#interruption.abort(afterError(error)));
    // Nobody can be told of it, and the wait has its use.
    stderr.on("error", () => {});
  }

  get signal(): AbortSignal {
    return this.#interruption.signal;
  }

  onInterrupt(callback: () => void, isAsking: () => boolean): () => void {
    this.#handler = { callback, isAsking };
    return () => {
      this.#handler = undefined;
    };
  }

  interrupt(): void {
    this.#interrupt("SIGINT");
  }

  async readKey(keys: string, abortSignal: AbortSignal): Promise<string> {
    const { stdin } = process;
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const onData = (data: Buffer): void => {
      const typed = data.toString().toLowerCase();
      // In this mode the terminal makes no signal of it.
      if (typed.includes(ctrlC)) return this.interrupt();
      const key = Array.from(typed).find((character) => keys.includes(character));
      if (key !== undefined) resolve(key);
    };
    const onAbort = (): void => reject(abortSignal.reason);
    abortSignal.addEventListener("abort", onAbort);
    stdin.setRawMode(true);
    stdin.on("data", onData);
    stdin.resume();
    try {
      return await promise;
    } finally {
      abortSignal.removeEventListener("abort", onAbort);
      stdin.off("data", onData);
      stdin.setRawMode(false);
      // It would hold the process open.
      stdin.pause();
    }
  }

  #handle(signal: NodeJS.Signals): void {
    const handler = this.#handler;
    if (signal !== "SIGINT" || handler === undefined || handler.isAsking()) return this.#interrupt(signal);
    handler.callback();
  }

  // A second signal ends the process, as it does without a listener. This listener stays until the others have been
  // called: the library that shows the cursor again ends the process if its own is the only one.
  #interrupt(signal: NodeJS.Signals): void {
    this.#interruption.abort(signals.get(signal));
    setImmediate(() => {
      for (const name of signals.keys()) process.off(name, this.#onSignal);
    });
  }
}

const ctrlC = "\u0003";

/** Returns why to stop after an error of stdout. */
function afterError({ code, message }: NodeJS.ErrnoException): Interruption {
  // A pipe was closed, or the terminal has gone.
  if (code === "EPIPE" || code === "EIO")
    return new Interruption("the output was closed", exitCodes.outputClosed);
  const reason = `could not write the output: ${message}`;
  process.stderr.write(`error: ${reason}\n`);
  process.exitCode ||= exitCodes.pollingFailed;
  return new Interruption(reason, exitCodes.pollingFailed);
}
