import type { OperationPlan, Timeline } from "lro-poller/testing";

/** The only token that the emulator accepts. */
export const token = "token-of-the-runtimes";

/** The timeline for the first snippet of README.md. */
export const succeeding: Timeline = [
  { status: "NotStarted", polls: 1 },
  { status: "Running", polls: 1, percentComplete: 40 },
  { status: "Succeeded", percentComplete: 100, properties: { uri: "https://devbox.example/my-dev-box" } },
];

/** The plan of an operation of Azure Resource Manager. */
export const armPlan: OperationPlan = {
  timeline: [
    { status: "Running", polls: 2 },
    { status: "Succeeded", properties: { size: 3 } },
  ],
  retryAfter: null,
};

/** The timeline of an operation that fails with every field of an error. */
export const failing: Timeline = [
  { status: "Running", polls: 1 },
  {
    status: "Failed",
    error: {
      code: "DeploymentFailed",
      message: "The dev box could not be created.",
      target: "my-dev-box",
      details: [{ code: "QuotaExceeded", message: "8 cores needed, 2 left.", target: "Standard_D8" }],
      innererror: { code: "ComputeQuota", innererror: { code: "CoresInRegion" } },
    },
  },
];
