import type { FailedRead, Progress } from "../../index.ts";
import type { Ending } from "../ending.ts";

/** Who is told how the waits go. An operation goes by its place on the command line. */
export interface Reporter {
  progress(place: number, progress: Progress): void;
  failedRead(place: number, failedRead: FailedRead): void;
  ended(place: number, ending: Ending): void;
  /** Called once, when every wait has ended. */
  close(): void;
}
