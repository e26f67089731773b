import type { TokenCredential } from "@azure/identity";
import type { PollOptions } from "../../index.ts";

/** Where text goes: a stream of `node:process`, or one of a test's. */
export type Output = NodeJS.WritableStream & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  hasColors?(env?: object): boolean;
};

/** The log of a CI system, which has groups and annotations. */
export interface CiLog {
  /** What is written from now on can be folded away under this title. */
  group(title: string): void;
  endGroup(): void;
  /** An error that the system shows beside its log too. */
  error(title: string, message: string): void;
  notice(title: string, message: string): void;
  /**
   * Shows this Markdown with the results of the step.
   *
   * @throws Error when it cannot be written
   */
  addSummary(markdown: string): void;
}

/** Everything that the command knows of the world around it. */
export interface CliContext {
  readonly stdin: AsyncIterable<string | Uint8Array>;
  readonly stdout: Output;
  readonly stderr: Output;
  /** None outside of CI systems that have one. */
  readonly ciLog?: CiLog;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Fires with an {@link Interruption} when nobody wants to wait any longer. */
  readonly interruption: AbortSignal;
  /** Asked for when the first request to an https endpoint is about to be sent. */
  readonly loadCredential: () => Promise<TokenCredential>;
  /** `process.platform` where it is left out. */
  readonly platform?: NodeJS.Platform;
  /** What tests replace: the clock, the schedule. */
  readonly pollOptions?: Omit<PollOptions, "onProgress" | "onFailedPoll">;
}

/** Why to stop, and the exit code that says so. */
export class Interruption extends Error {
  override readonly name = "Interruption" as const;
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** A wrong argument: the message names it. */
export class UsageError extends Error {
  override readonly name = "UsageError" as const;
}
