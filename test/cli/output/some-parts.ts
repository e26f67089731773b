import type { OperationPart, OperationStatus, Progress } from "lro-poller";

/** The time at which the deployments of the tests start, by the service's clock. */
export const startedAt: number = Date.UTC(2026, 0, 1);

/** A part that started so many seconds after the deployment. */
export function partOf(
  name: string,
  type: string,
  status: string,
  {
    start,
    seconds,
    ...rest
  }: Partial<OperationPart> & { readonly start?: number; readonly seconds?: number } = {},
): OperationPart {
  return {
    name,
    type,
    id: `/subscriptions/s/resourceGroups/g/providers/${type}/${name}`,
    status,
    startTime: start === undefined ? undefined : new Date(startedAt + start * 1000),
    durationInMs: seconds === undefined ? undefined : seconds * 1000,
    parts: [],
    ...rest,
  };
}

export const deployments = "Microsoft.Resources/deployments";

const quota = { code: "QuotaExceeded", message: "8 cores needed, 2 left." };

/** A deployment in which one part has failed, after 60 seconds. */
export const failedParts: readonly OperationPart[] = [
  partOf("logs", "Microsoft.OperationalInsights/workspaces", "Succeeded", { start: 1, seconds: 31 }),
  partOf("network", deployments, "Running", {
    start: 2,
    parts: [
      partOf("vnet", "Microsoft.Network/virtualNetworks", "Succeeded", { start: 3, seconds: 12 }),
      partOf("vpn-gateway", "Microsoft.Network/virtualNetworkGateways", "Running", { start: 16 }),
    ],
  }),
  partOf("cluster", deployments, "Failed", {
    start: 2,
    seconds: 45,
    error: { code: "DeploymentFailed", message: "", details: [quota] },
    parts: [
      partOf("aks", "Microsoft.ContainerService/managedClusters", "Failed", {
        start: 4,
        seconds: 37,
        error: quota,
      }),
      partOf("flux", "Microsoft.KubernetesConfiguration/extensions", "NotStarted", { wasSkipped: true }),
    ],
  }),
];

/** A status with these parts. */
export function statusWith(
  parts: readonly OperationPart[],
  fields: Partial<OperationStatus> = {},
): OperationStatus {
  return { id: "/deployments/web", name: "web", status: "Running", parts, ...fields };
}

/** The progress of a deployment with these parts. */
export function progressWith(
  parts: readonly OperationPart[],
  fields: Partial<OperationStatus> = {},
  elapsedInMs = 60_000,
): Progress {
  const operation = statusWith(parts, fields);
  return {
    operation,
    status: operation.status,
    previousStatus: "Running",
    changed: false,
    percentComplete: operation.percentComplete,
    elapsedInMs,
    estimatedRemainingInMs: undefined,
    estimatedRemainingRangeInMs: undefined,
    isOverdue: false,
    nextPollInMs: 5000,
    pollCount: 5,
    failedPollCount: 0,
  };
}

const types = [
  "Microsoft.Storage/storageAccounts",
  "Microsoft.Network/virtualNetworks/subnets",
  "Microsoft.Web/sites",
];
const states = ["Succeeded", "Running", "Succeeded", "Failed", "Succeeded", "NotStarted", "Succeeded"];

/** A deployment of this many resources, in nested deployments of ten. */
export function manyParts(count: number): readonly OperationPart[] {
  return Array.from({ length: Math.ceil(count / 10) }, (_, group) => {
    const parts = Array.from({ length: Math.min(10, count - group * 10) }, (_one, index) => {
      const number = group * 10 + index;
      const status = states[number % states.length] ?? "Running";
      const isOver = status === "Succeeded" || status === "Failed";
      return partOf(`resource-${number}`, types[number % types.length] ?? "", status, {
        ...(status !== "NotStarted" && { start: number % 40 }),
        ...(isOver && { seconds: 1 + (number % 17) }),
        ...(status === "Failed" && { error: quota }),
      });
    });
    return partOf(`module-${group}`, deployments, "Running", { start: 0, parts });
  });
}
