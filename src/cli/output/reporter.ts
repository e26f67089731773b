import type { FailedPoll, Progress } from "../../index.ts";
import type { WaitResult } from "./wait-result.ts";

/** Who is told how the waits go. An operation goes by its place on the command line. */
export interface Reporter {
  progress(place: number, progress: Progress): void;
  failedRead(place: number, failedRead: FailedPoll): void;
  ended(place: number, ending: WaitResult): void;
  /** Called once, when every wait has ended. */
  close(): void;
}

/** Tells all of them, in this order. */
export function combined(reporters: readonly Reporter[]): Reporter {
  const tell = (say: (reporter: Reporter) => void): void => reporters.forEach(say);
  return {
    progress: (place, progress) => tell((reporter) => reporter.progress(place, progress)),
    failedRead: (place, failedRead) => tell((reporter) => reporter.failedRead(place, failedRead)),
    ended: (place, ending) => tell((reporter) => reporter.ended(place, ending)),
    close: () => tell((reporter) => reporter.close()),
  };
}
