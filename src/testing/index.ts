export type { StatusBody } from "./responses.ts";
export type { BeginAction, BeginRequest } from "./data-plane.ts";
export type {
  BodyFault,
  DeliveryFault,
  Fault,
  FaultPoint,
  Faults,
  OtherOperationFault,
  RedirectFault,
  StaleFault,
  StatusFault,
  UnauthorizedFault,
} from "./faults.ts";
export { scriptedOperation } from "./scripted-operation.ts";
export type {
  ScriptedAnswer,
  ScriptedOperation,
  ScriptedOperationOptions,
  ScriptedRead,
  ScriptedReply,
  ScriptedStatus,
} from "./scripted-operation.ts";
export type { OperationPlan } from "./served-operation.ts";
export type { OperationStatusServerOptions } from "./server-options.ts";
export { startOperationStatusServer } from "./server.ts";
export type {
  AddedOperation,
  AddOperationOptions,
  OperationStatusServer,
  RecordedRequest,
} from "./server.ts";
export type { PercentRamp, Phase, Timeline } from "./timeline.ts";
export { createVirtualClock } from "./virtual-clock.ts";
export type { VirtualClock } from "./virtual-clock.ts";
