export { RequestLimiter } from "./limiter/request-limiter.ts";
export type { RequestLimiterOptions } from "./limiter/request-limiter.ts";
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
  RequestError,
} from "./operation/errors.ts";
export type {
  ContractErrorContext,
  LroErrorContext,
  RequestErrorDetails,
  RequestErrorKind,
  ResponseCounts,
} from "./operation/errors.ts";
export { createPollerGroup, pollAll } from "./group/group.ts";
export type { FinishedOperation } from "./group/member.ts";
export type { PollAllOptions, PollerGroup, PollerGroupOptions } from "./group/group.ts";
export type { GroupProgress } from "./group/progress.ts";
export { isTerminal } from "./operation/status.ts";
export type {
  CancelRequestOptions,
  GetStatusOptions,
  LogFunction,
  Operation,
  PollFailure,
  PollLogger,
  PollMetrics,
  PollerEnd,
  PollerObserver,
  PollerSnapshot,
  StatusResponse,
  StatusUpdate,
  TracingContext,
  TracingOptions,
} from "./operation/operation.ts";
export type {
  ErrorAdditionalInfo,
  InnerError,
  OperationError,
  OperationPart,
  OperationState,
  OperationStatus,
  PercentageKind,
  RootCause,
  StatusFields,
  TerminalState,
  TerminalStates,
} from "./operation/status.ts";
export type { PollOptions } from "./poller/options.ts";
export { parseOperationStatus } from "./operation/parse-status.ts";
export type { ParseStatusOptions } from "./operation/parse-status.ts";
export { createPoller, pollUntilDone } from "./poller/poller.ts";
export type { CallOptions, Poller } from "./poller/poller.ts";
export type { CancelResult } from "./poller/cancel.ts";
export type { FailedPoll, Progress } from "./state/progress.ts";
export type { Limiter, RateLimit, RequestResult } from "./operation/limiter.ts";
export { adaptive } from "./schedule/adaptive.ts";
export type { AdaptiveScheduleOptions } from "./schedule/adaptive.ts";
export type { PastDuration } from "./schedule/past-durations.ts";
export type { ProgressHistory } from "./schedule/progress-history.ts";
export { parseRetryAfter } from "./operation/retry-after.ts";
export type { GetHeader } from "./operation/retry-after.ts";
export type { PollHistory, RemainingEstimate, Schedule } from "./schedule/schedule.ts";
export { exponential, fixed } from "./schedule/backoff.ts";
export type { ResumeToken } from "./state/resume-token.ts";
export { signOfEnd } from "./state/sign-of-end.ts";
export { OperationStatusesClient } from "./azure/operation-statuses-client.ts";
export type {
  GetOperationStatusOptions,
  OperationStatusesClientOptions,
} from "./azure/operation-statuses-client.ts";
export { LroClient, startOperation } from "./azure/lro-client.ts";
export type {
  ConditionOptions,
  LroClientOptions,
  OperationAtOptions,
  OperationSender,
  ParsedResumeToken,
  ResumeOptions,
} from "./azure/lro-client.ts";
export type { CancelRequest, CancelRequestOrFunction } from "./azure/lro/cancel-request.ts";
export type { Condition } from "./azure/lro/condition.ts";
export type {
  AdditionalPolicyConfig,
  CommonClientOptions,
  SdkPipeline,
} from "./azure/http/origin-bound-pipeline.ts";
export type {
  CustomizationTask,
  CustomizationTasksValidation,
  DeleteEnvironmentOptions,
  DevBox,
  DevBoxAddOn,
  DevBoxAddOnCreation,
  DevBoxCreation,
  Environment,
  EnvironmentCreation,
  PoolAlignTarget,
  StopDevBoxOptions,
} from "./azure/dev-center.ts";
export type { FinalStateVia, PollingKind } from "./azure/lro/protocol.ts";
export { fromPollerLike } from "./azure/sdk/from-poller-like.ts";
export type { FromPollerLikeOptions } from "./azure/sdk/from-poller-like.ts";
export type { AzurePoller, LegacyAzurePoller, LegacyAzureState } from "./azure/sdk/sdk-poller.ts";
export { toPollerLike } from "./azure/sdk/to-poller-like.ts";
export type {
  AzureCallOptions,
  LegacyPollerLike,
  LegacyPollerState,
  ToPollerLikeOptions,
} from "./azure/sdk/to-poller-like.ts";
export type { InitialResponse } from "./azure/lro/lro-operation.ts";
export type { InitialRequest } from "./azure/lro/initial-request.ts";
export type { StartOperationOptions, StartedPoller } from "./azure/lro/start-operation.ts";
export { durationHistory } from "./history/duration-history.ts";
export type { DurationHistory, DurationHistoryOptions } from "./history/duration-history.ts";
export type { DurationStore } from "./history/store.ts";
export type { OperationKind } from "./history/watched-options.ts";
