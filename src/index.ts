export { systemClock } from "./clock.ts";
export type { Clock } from "./clock.ts";
export {
  ContractError,
  LroError,
  OperationCanceledError,
  OperationFailedError,
  OperationNotFoundError,
  PollingError,
  PollingTimeoutError,
  ReadError,
} from "./errors.ts";
export type { LroErrorContext, Observed, ReadErrorDetails, ReadErrorKind } from "./errors.ts";
export { isTerminal, parseOperationStatus } from "./operation.ts";
export type {
  InnerError,
  Operation,
  OperationError,
  OperationState,
  OperationStatus,
  PollLogger,
  Reading,
  TerminalState,
} from "./operation.ts";
export type { PollOptions } from "./options.ts";
export { createPoller, pollUntilDone } from "./poller.ts";
export type { CallOptions, Poller } from "./poller.ts";
export type { FailedRead, Progress } from "./progress.ts";
export { pricedSchedule } from "./schedule/priced.ts";
export type { PricedScheduleOptions } from "./schedule/priced.ts";
export type { ProgressPoint, ProgressRecord } from "./schedule/progress-record.ts";
export { parseRetryAfter } from "./schedule/retry-after.ts";
export type { GetHeader } from "./schedule/retry-after.ts";
export type { PollHistory, RemainingEstimate, Schedule } from "./schedule/schedule.ts";
export { exponential, fixed } from "./schedule/simple.ts";
export type { ResumeToken } from "./token.ts";
