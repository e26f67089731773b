import type { DeploymentPlan, OperationPlan, PlannedPart } from "lro-poller/testing";

/** An operation, and what the command line calls it. */
export interface NamedPlan extends OperationPlan {
  readonly name: string;
}

const networkError = {
  code: "DevBoxProvisioningFailed",
  message: "The dev box could not be created.",
  target: "gateway",
  details: [
    { code: "PoolHealthCheckFailed", message: "The pool's network connection is unhealthy.", target: "pool" },
  ],
  innererror: { code: "NetworkConnectionUnhealthy", innererror: { code: "DnsServerUnreachable" } },
};
const quotaError = { code: "QuotaExceeded", message: "8 cores needed, 2 left.", target: "Standard_D8" };

function succeeding(name: string, durationInMs: number): NamedPlan {
  const percentComplete = { from: 0, to: 99, step: 1 };
  return { name, timeline: [{ status: "Running", durationInMs, percentComplete }, { status: "Succeeded" }] };
}

function failing(name: string, durationInMs: number, error: typeof quotaError): NamedPlan {
  const percentComplete = { from: 0, to: 60, step: 1 };
  return {
    name,
    timeline: [
      { status: "Running", durationInMs, percentComplete },
      { status: "Failed", error },
    ],
  };
}

/** What goes on for long enough to be seen. */
const longInMs = 90_000;

/** A fleet: some are done, two have failed, one cannot be read, the others are on their way. Times are milliseconds. */
export const manyPlans: readonly NamedPlan[] = [
  ...Array.from({ length: 9 }, (_, index) => succeeding(`dev-box-${index + 1}`, 12_000)),
  failing("dev-box-10", 8000, quotaError),
  failing("dev-box-11", 10_000, networkError),
  { ...succeeding("dev-box-12", longInMs), faults: faultsFrom(2) },
  ...Array.from({ length: 22 }, (_, index) => succeeding(`dev-box-${index + 13}`, 30_000 + 3000 * index)),
  ...Array.from({ length: 4 }, (_, index) => ({
    name: `environment-${index + 1}`,
    timeline: [{ status: "Running", durationInMs: longInMs }, { status: "Succeeded" }],
  })),
  ...Array.from({ length: 10 }, (_, index) => ({
    name: `snapshot-${index + 1}`,
    timeline: [{ status: "NotStarted", durationInMs: longInMs }, { status: "Succeeded" }],
  })),
];

/** A few, one of each kind. Times are milliseconds. */
export const namedPlans: readonly NamedPlan[] = [
  succeeding("database", 6000),
  {
    name: "web",
    timeline: [
      { status: "NotStarted", durationInMs: 4000 },
      { status: "Running", durationInMs: 40_000, percentComplete: { from: 0, to: 99, step: 1 } },
      { status: "Succeeded" },
    ],
  },
  { name: "cache", timeline: [{ status: "Running", durationInMs: longInMs }, { status: "Succeeded" }] },
  { ...succeeding("worker", longInMs), faults: faultsFrom(4) },
  failing("gateway", 14_000, networkError),
];

function faultsFrom(read: number): NonNullable<OperationPlan["faults"]> {
  const reads = Array.from({ length: 50 }, (_, index) => read + index);
  return Object.fromEntries(reads.map((number) => [number, { kind: "status", status: 503 }]));
}

function resource(type: string, name: string, durationInMs: number, ...dependsOn: string[]): PlannedPart {
  return { type, name, durationInMs, dependsOn };
}

/** A deployment in three levels, one part of which fails while others run. Times are milliseconds. */
export const deploymentPlan: DeploymentPlan = {
  resources: [
    resource("Microsoft.OperationalInsights/workspaces", "logs", 6000),
    resource("Microsoft.KeyVault/vaults", "secrets", 9000),
    {
      name: "network",
      deployment: {
        resources: [
          resource("Microsoft.Network/virtualNetworks", "vnet", 7000),
          resource("Microsoft.Network/publicIPAddresses", "gateway-ip", 5000),
          resource("Microsoft.Network/virtualNetworkGateways", "vpn-gateway", 70_000, "vnet", "gateway-ip"),
        ],
      },
    },
    {
      name: "cluster",
      deployment: {
        resources: [
          resource("Microsoft.ContainerRegistry/registries", "images", 12_000),
          {
            type: "Microsoft.ContainerService/managedClusters",
            name: "aks",
            durationInMs: 24_000,
            failure: "quota",
          },
          resource("Microsoft.KubernetesConfiguration/extensions", "flux", 9000, "aks"),
          {
            name: "identities",
            deployment: {
              resources: ["app", "jobs", "metrics"].map((name, index) =>
                resource("Microsoft.ManagedIdentity/userAssignedIdentities", name, 4000 + 1500 * index),
              ),
            },
          },
        ],
      },
    },
    {
      name: "web",
      deployment: {
        resources: [
          resource("Microsoft.Web/serverfarms", "plan", 10_000),
          resource("Microsoft.Web/sites", "shop", 60_000, "plan"),
          resource("Microsoft.Cdn/profiles", "cdn", 55_000),
        ],
      },
    },
  ],
};
