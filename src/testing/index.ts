export type { StatusBody } from "./styles/responses.ts";
export type { OperationAction, ReceivedInitialRequest } from "./data-plane.ts";
export { emulateDeployments } from "./deployment-emulator.ts";
export type { DeploymentEmulator, DeploymentEmulatorOptions } from "./deployment-emulator.ts";
export type {
  AddDeploymentOptions,
  AddedDeployment,
  DeploymentOptions,
  DeploymentRequestKind,
  ReceivedDeployment,
  ReceivedDeploymentRequest,
} from "./deployment-options.ts";
export type {
  DeploymentErrorShape,
  DeploymentPlan,
  DeploymentTiming,
  PartFailure,
  PlannedNestedDeployment,
  PlannedPart,
  PlannedPartBase,
  PlannedResource,
} from "./deployments/plan.ts";
export type { TokenBucketRule } from "./deployments/tokens.ts";
export type {
  BodyFault,
  DeliveryFault,
  Fault,
  FaultPoint,
  Faults,
  InitialRequestFault,
  OtherOperationFault,
  RedirectFault,
  StaleFault,
  StatusFault,
  UnauthorizedFault,
} from "./faults.ts";
export { scriptedOperation } from "./scripted-operation.ts";
export type {
  ScriptedOperation,
  ScriptedOperationOptions,
  ScriptedPoll,
  ScriptedReply,
  ScriptedResponse,
  ScriptedStatus,
} from "./scripted-operation.ts";
export type { OperationPlan } from "./served-operation.ts";
export type { OperationServerOptions } from "./server-options.ts";
export { startOperationServer } from "./server.ts";
export type { OperationServer, RecordedRequest } from "./server.ts";
export type { AddOperationOptions, AddedOperation, OperationStyle } from "./service.ts";
export type { PercentRamp, Phase, Timeline } from "./timeline.ts";
export { createVirtualClock } from "./virtual-clock.ts";
export type { VirtualClock } from "./virtual-clock.ts";
