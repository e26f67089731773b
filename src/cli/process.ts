#!/usr/bin/env node
import { Interruption } from "./context.ts";
import { loadDefaultCredential } from "./credential.ts";
import { exitCodes } from "./exit-codes.ts";
import { run } from "./program.ts";

const interruption = new AbortController();

// The second Ctrl-C ends the process, as it does without a listener. This one stays until the others have been called:
// the library that shows the cursor again ends the process when it finds itself alone.
process.on("SIGINT", function onInterrupt() {
  interruption.abort(new Interruption("interrupted", exitCodes.interrupted));
  setImmediate(() => process.off("SIGINT", onInterrupt));
});

// The reader has gone (`lro wait … | head`), and with it the reason to wait.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  interruption.abort(new Interruption("the output was closed", exitCodes.outputClosed));
});
process.stderr.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

const { stdin, stdout, stderr, env } = process;
process.exitCode = await run(process.argv.slice(2), {
  stdin,
  stdout,
  stderr,
  env,
  interruption: interruption.signal,
  loadCredential: loadDefaultCredential,
});
