export {
  deployment,
  parseDeploymentToken,
  resumeDeployment,
  startDeployment,
  validateDeployment,
} from "./deployment.ts";
export type {
  DeploymentOptions,
  NewDeployment,
  StartDeploymentOptions,
  ValidatedDeployment,
} from "./deployment.ts";
export type { DeployedResource, DeploymentResult } from "./deployment-documents.ts";
export type { DeploymentName } from "./deployment-id.ts";
export type { DeploymentStatus } from "./deployment-operation.ts";
export { failedPartsOf, skippedPartsOf } from "./failed-parts.ts";
export { withDurationHistory } from "./past-durations.ts";
export type { PartDurationHistory, PastDurationsOptions } from "./past-durations.ts";
