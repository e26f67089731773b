import { Readable, Writable } from "node:stream";
import type { CliContext, Output } from "../../src/cli/input/context.ts";

/** A stream that keeps its last text, of a terminal with this size. */
export class KeptOutput extends Writable implements Output {
  readonly isTTY = true;
  readonly columns = 120;
  readonly rows: number;
  text = "";

  constructor(rows = 50) {
    super();
    this.rows = rows;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text = chunk.toString();
    done();
  }

  hasColors(): boolean {
    return true;
  }
}

/** A context with these outputs and the real clock. */
export function contextWith(stdout: Output, stderr: Output): CliContext {
  return {
    stdin: Readable.from([]),
    stdout,
    stderr,
    env: {},
    interruption: new AbortController().signal,
    loadCredential: () => Promise.reject(new Error("A credential was loaded.")),
  };
}
