export { RequestBudget } from "./budget.ts";
export type { Receipt, RequestBudgetOptions } from "./budget.ts";
export { systemClock } from "./clock.ts";
export type { Clock } from "./clock.ts";
export {
  ContractError,
  LroError,
  OperationCanceledError,
  OperationFailedError,
  OperationNotFoundError,
  OperationStartError,
  PollingError,
  PollingTimeoutError,
  ReadError,
} from "./errors.ts";
export type {
  ContractErrorContext,
  LroErrorContext,
  Observed,
  ReadErrorDetails,
  ReadErrorKind,
} from "./errors.ts";
export { createPollerGroup, pollAll } from "./group.ts";
export type { FinishedOperation } from "./group-member.ts";
export type { PollAllOptions, PollerGroup, PollerGroupOptions } from "./group.ts";
export type { GroupProgress } from "./group-progress.ts";
export { isTerminal } from "./operation.ts";
export type {
  InnerError,
  LogLevel,
  Operation,
  OperationError,
  OperationState,
  OperationStatus,
  PollLogger,
  ReadFailure,
  ReadOptions,
  Reading,
  StatusFields,
  TerminalState,
  TracingContext,
  TracingOptions,
  WaitEnd,
  WaitFacts,
  WaitObserver,
} from "./operation.ts";
export type { PollOptions } from "./options.ts";
export { parseOperationStatus } from "./parse.ts";
export { createPoller, pollUntilDone } from "./create-poller.ts";
export type { CallOptions, Poller } from "./poller.ts";
export type { FailedRead, Progress } from "./progress.ts";
export type { RateLimit } from "./rate-meter.ts";
export { pricedSchedule } from "./schedule/priced.ts";
export type { PricedScheduleOptions } from "./schedule/priced.ts";
export type { ProgressPoint, ProgressRecord } from "./schedule/progress-record.ts";
export { parseRetryAfter } from "./schedule/retry-after.ts";
export type { GetHeader } from "./schedule/retry-after.ts";
export type { PollHistory, RemainingEstimate, Schedule } from "./schedule/schedule.ts";
export { exponential, fixed } from "./schedule/simple.ts";
export type { ResumeToken } from "./token.ts";
export type { ProgressToken } from "./token-progress.ts";
export { OperationStatusesClient } from "./azure/operation-statuses-client.ts";
export type {
  GetOperationStatusOptions,
  OperationStatusesClientOptions,
  ResumeOptions,
  ResumePoint,
} from "./azure/operation-statuses-client.ts";
export type { AdditionalPolicy, TransportOptions } from "./azure/transport.ts";
export type {
  CustomizationTask,
  CustomizationTasksValidation,
  DevBox,
  DevBoxCreation,
  Environment,
  EnvironmentCreation,
  StopDevBoxOptions,
} from "./azure/dev-center.ts";
export type { FinalStateVia } from "./azure/course.ts";
export { fromPollerLike, toPollerLike } from "./azure/core-lro.ts";
export type { AzurePoller, LegacyAzurePoller, LegacyAzureState } from "./azure/core-lro.ts";
export type { StartedOperation } from "./azure/lro-operation.ts";
export { startOperation } from "./azure/start-operation.ts";
export type {
  InitialRequest,
  OperationSender,
  StartOperationOptions,
  StartedPoller,
} from "./azure/start-operation.ts";
export { durationHistory } from "./history/duration-history.ts";
export type { DurationHistory, DurationHistoryOptions } from "./history/duration-history.ts";
export type { DurationStore } from "./history/store.ts";
export type { OperationKind } from "./history/watched-options.ts";
