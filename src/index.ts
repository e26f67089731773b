export { RequestBudget } from "./limiter/request-limiter.ts";
export type { Receipt, RequestBudgetOptions } from "./limiter/request-limiter.ts";
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
} from "./operation/errors.ts";
export type {
  ContractErrorContext,
  LroErrorContext,
  Observed,
  ReadErrorDetails,
  ReadErrorKind,
} from "./operation/errors.ts";
export { createPollerGroup, pollAll } from "./group/group.ts";
export type { FinishedOperation } from "./group/member.ts";
export type { PollAllOptions, PollerGroup, PollerGroupOptions } from "./group/group.ts";
export type { GroupProgress } from "./group/progress.ts";
export { isTerminal } from "./operation/operation.ts";
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
} from "./operation/operation.ts";
export type { PollOptions } from "./poller/options.ts";
export { parseOperationStatus } from "./operation/parse-status.ts";
export { createPoller, pollUntilDone } from "./poller/create-poller.ts";
export type { CallOptions, Poller } from "./poller/poller.ts";
export type { FailedRead, Progress } from "./state/progress.ts";
export type { RateLimit } from "./limiter/rate-estimator.ts";
export { pricedSchedule } from "./schedule/adaptive.ts";
export type { PricedScheduleOptions } from "./schedule/adaptive.ts";
export type { ProgressPoint, ProgressRecord } from "./schedule/progress-history.ts";
export { parseRetryAfter } from "./operation/retry-after.ts";
export type { GetHeader } from "./operation/retry-after.ts";
export type { PollHistory, RemainingEstimate, Schedule } from "./schedule/schedule.ts";
export { exponential, fixed } from "./schedule/backoff.ts";
export type { ResumeToken } from "./state/resume-token.ts";
export type { ProgressToken } from "./state/progress-token.ts";
export { OperationStatusesClient } from "./azure/operation-statuses-client.ts";
export type {
  GetOperationStatusOptions,
  OperationStatusesClientOptions,
  ResumeOptions,
  ResumePoint,
} from "./azure/operation-statuses-client.ts";
export type { AdditionalPolicy, TransportOptions } from "./azure/http/origin-bound-pipeline.ts";
export type {
  CustomizationTask,
  CustomizationTasksValidation,
  DevBox,
  DevBoxCreation,
  Environment,
  EnvironmentCreation,
  StopDevBoxOptions,
} from "./azure/dev-center.ts";
export type { FinalStateVia } from "./azure/lro/protocol.ts";
export { fromPollerLike, toPollerLike } from "./azure/core-lro.ts";
export type { AzurePoller, LegacyAzurePoller, LegacyAzureState } from "./azure/core-lro.ts";
export type { StartedOperation } from "./azure/lro/lro-operation.ts";
export { startOperation } from "./azure/lro/start-operation.ts";
export type {
  InitialRequest,
  OperationSender,
  StartOperationOptions,
  StartedPoller,
} from "./azure/lro/start-operation.ts";
export { durationHistory } from "./history/duration-history.ts";
export type { DurationHistory, DurationHistoryOptions } from "./history/duration-history.ts";
export type { DurationStore } from "./history/store.ts";
export type { OperationKind } from "./history/watched-options.ts";
