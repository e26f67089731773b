import type { CancelResult, FailedPoll, Progress } from "../../index.ts";
import type { WaitOutcome } from "./wait-outcome.ts";

/** The outcome of a request to cancel; `failed` where it was not sent, or the status cannot be read. */
export type CancelOutcome = CancelResult | { readonly outcome: "failed"; readonly error: Error };

/** Shows the events of waits. `index` is the operation's position on the command line. */
export interface Reporter {
  progress(index: number, progress: Progress): void;
  failedPoll(index: number, failedPoll: FailedPoll): void;
  ended(index: number, outcome: WaitOutcome): void;
  cancelEnded?(index: number, outcome: CancelOutcome): void;
  /** Called once, after every wait has ended. */
  close(): void;
}

/** Returns a reporter that passes each event to all of these, in this order. */
export function combined(reporters: readonly Reporter[]): Required<Reporter> {
  return {
    progress: (...event) => reporters.forEach((reporter) => reporter.progress(...event)),
    failedPoll: (...event) => reporters.forEach((reporter) => reporter.failedPoll(...event)),
    ended: (...event) => reporters.forEach((reporter) => reporter.ended(...event)),
    cancelEnded: (...event) => reporters.forEach((reporter) => reporter.cancelEnded?.(...event)),
    close: () => reporters.forEach((reporter) => reporter.close()),
  };
}
