import { durationHistory } from "../../index.ts";
import type { OperationStatus, PollOptions } from "../../index.ts";
import { UsageError } from "../input/context.ts";
import type { CliContext } from "../input/context.ts";
import { singleLine } from "../output/text.ts";

/** Where `lro wait` remembers durations, and under which name. */
export interface HistoryOptions {
  readonly history?: string;
  readonly kind?: string;
}

/** What earlier operations of the kind took, for waits. */
export interface WaitHistory {
  /** Whether there is one. */
  readonly isKept: boolean;
  /** The options of one wait, with the past in them. */
  options(options: PollOptions): Promise<PollOptions>;
  /** Resolves when everything is written, and says what did not work. */
  close(): Promise<void>;
}

const noHistory: WaitHistory = {
  isKept: false,
  options: (options) => Promise.resolve(options),
  close: () => Promise.resolve(),
};

/** @throws UsageError when a kind is given without a file */
export function openHistory({ history: file, kind }: HistoryOptions, { stderr }: CliContext): WaitHistory {
  if (file === undefined) {
    if (kind === undefined) return noHistory;
    throw new UsageError("--kind: expected --history too, because that is where kinds are looked up");
  }
  const warnings = new Set<string>();
  const history = durationHistory(file, { onWarning: (message) => warnings.add(message) });
  return {
    isKept: true,
    options: (options) => history.options(kind ?? kindOf, options),
    async close() {
      await history.settled();
      // Not at once: a line in between would spoil what is redrawn in place.
      for (const message of warnings) stderr.write(`warning: ${singleLine(message)}\n`);
    },
  };
}

/** `devboxes`, of `/projects/p/users/u/devboxes/d`. */
function kindOf({ resourceId }: OperationStatus): string {
  return resourceId?.split("/").filter(Boolean).at(-2)?.toLowerCase() ?? "operations";
}
