import type { TokenCredential } from "@azure/identity";
import type { PollOptions } from "../../index.ts";

/** An output: a stream of `node:process`, or a test's. */
export type Output = NodeJS.WritableStream & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  hasColors?(env?: object): boolean;
};

/** The log of a CI system, with groups and annotations. */
export interface CiLog {
  /** Starts a group: the following lines can be folded away under this title. */
  group(title: string): void;
  endGroup(): void;
  /** Adds an error annotation, which the system also shows outside its log. */
  error(title: string, message: string): void;
  notice(title: string, message: string): void;
  /**
   * Adds Markdown to the step's summary. If the system needs a command for that, it goes to this output.
   *
   * @throws Error if it cannot be written
   */
  addSummary(markdown: string, output: "stdout" | "stderr"): void;
  /**
   * Sets an output of the step. If the system needs a command for that, it goes to this output.
   *
   * @throws Error if it cannot be written
   */
  setOutput(name: string, value: string, output: "stdout" | "stderr"): void;
}

/** A terminal with a person before it. */
export interface Prompt {
  /**
   * Calls back on Ctrl-C, in place of the interruption. While `isAsking()`, another Ctrl-C interrupts as ever. Returns a
   * function that ends that.
   */
  onInterrupt(callback: () => void, isAsking: () => boolean): () => void;
  /** Reads the next key that is one of these. Ctrl-C interrupts, and rejects like an abort of the signal. */
  readKey(keys: string, abortSignal: AbortSignal): Promise<string>;
  /** Interrupts the command as Ctrl-C does without a question. */
  interrupt(): void;
}

/** The environment of the command. */
export interface CliContext {
  readonly stdin: AsyncIterable<string | Uint8Array>;
  readonly stdout: Output;
  readonly stderr: Output;
  /** `undefined` outside of a known CI system. */
  readonly ciLog?: CiLog;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Fires with an {@link Interruption} when the command should stop waiting. */
  readonly interruption: AbortSignal;
  /** The terminal that can be asked; `undefined` where there is none. */
  readonly prompt?: Prompt;
  /** Called before the first request to an https endpoint. */
  readonly loadCredential: () => Promise<TokenCredential>;
  /** Returns the number of terminal columns of a text. Default: its length. Only a terminal needs it. */
  readonly widthOf?: (text: string) => number;
  /** Default: `process.platform`. */
  readonly platform?: NodeJS.Platform;
  /** Poll options for tests, such as the clock and the schedule. */
  readonly pollOptions?: Omit<PollOptions, "onProgress" | "onFailedPoll">;
  /** How long Redis may take to respond, for tests. Default: 5 seconds. */
  readonly redisTimeoutInMs?: number;
}

/** The reason to stop waiting, with its exit code. */
export class Interruption extends Error {
  override readonly name = "Interruption" as const;
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** A wrong argument. The message names it. */
export class UsageError extends Error {
  override readonly name = "UsageError" as const;
}
