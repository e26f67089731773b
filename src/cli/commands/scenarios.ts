import type { AddDeploymentOptions, OperationPlan, OperationStyle, Phase } from "../../testing/index.ts";

/** An operation that `lro emulate` serves. */
export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly plan: OperationPlan;
}

/** The first poll gets it, however late. */
const untilFirstPoll = { status: "NotStarted", polls: 1 } as const;

/** A service that `lro emulate` serves, and what its operations end with. */
interface EmulatedService {
  readonly name: string;
  /** The request that starts another operation. */
  readonly start: { readonly method: string; readonly path: string };
  /** The result of the operation with this number. */
  readonly result: (number: number) => object;
  readonly error: NonNullable<Phase["error"]>;
}

const image = "image-windows11-visualstudio-2025";

const devCenter: EmulatedService = {
  name: "DevCenter",
  start: { method: "PUT", path: "/projects/myProject/users/me/devboxes/myBox?api-version=2025-02-01" },
  result: (number) => ({ name: `dev-box-${number}`, provisioningState: "Succeeded", image }),
  error: {
    code: "DevBoxProvisioningFailed",
    message: "The dev box could not be created.",
    target: "dev-box-3",
    details: [
      {
        code: "PoolHealthCheckFailed",
        message: "The pool's network connection is unhealthy.",
        target: "pool",
      },
      { code: "ImageNotReplicated", message: "The image is not in this region.", target: image },
    ],
    innererror: { code: "NetworkConnectionUnhealthy", innererror: { code: "DnsServerUnreachable" } },
  },
};

const virtualMachine =
  "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/myGroup/providers/Microsoft.Compute/virtualMachines/myMachine";

const resourceManager: EmulatedService = {
  name: "Azure Resource Manager",
  start: { method: "PUT", path: `${virtualMachine}?api-version=2024-07-01` },
  result: (number) => ({ vmId: `machine-${number}` }),
  error: {
    code: "AllocationFailed",
    message: "The virtual machine could not be created.",
    details: [{ code: "SkuNotAvailable", message: "The size is not available in this region." }],
  },
};

const dataPlane: EmulatedService = {
  name: "a data plane",
  start: { method: "POST", path: "/jobs/myJob:run?api-version=2024-11-30" },
  result: (number) => ({ job: `job-${number}` }),
  error: {
    code: "JobFailed",
    message: "The job could not be completed.",
    details: [{ code: "InvalidInput", message: "A document has no pages." }],
  },
};

/** A style of operations that `lro emulate` serves. Not Key Vault's: its requests need a token. */
export type EmulatedStyle = Exclude<OperationStyle, "key-vault">;

const services: Readonly<Record<EmulatedStyle, EmulatedService>> = {
  devcenter: devCenter,
  arm: resourceManager,
  "operation-location": { ...dataPlane, name: "a data plane with Operation-Location" },
  location: { ...dataPlane, name: "a service with a polling Location" },
  resource: { ...resourceManager, name: "resources with a provisioningState" },
  fabric: {
    ...dataPlane,
    name: "Microsoft Fabric",
    start: { method: "POST", path: "/v1/workspaces/myWorkspace/items" },
  },
};

/** The styles of operations that `lro emulate` serves. */
export const emulatedStyles: readonly string[] = Object.keys(services);

/** Returns the service of a style. */
export function emulatedService(style: EmulatedStyle): Pick<EmulatedService, "name" | "start"> {
  return services[style];
}

/** Returns the operations of a style. Times are milliseconds. */
export function scenariosOf(style: EmulatedStyle): readonly Scenario[] {
  const { result, error } = services[style];
  return [
    {
      name: "percent",
      title: "succeeds, with a percentage",
      plan: {
        timeline: [
          untilFirstPoll,
          { status: "NotStarted", durationInMs: 2000 },
          { status: "Running", durationInMs: 28_000, percentComplete: { from: 0, to: 99, step: 1 } },
          { status: "Succeeded", percentComplete: 100, properties: result(1) },
        ],
      },
    },
    {
      name: "no-percent",
      title:
        style === "devcenter"
          ? "succeeds, without a percentage, like most operations of DevCenter"
          : "succeeds, without a percentage",
      plan: {
        timeline: [
          untilFirstPoll,
          { status: "Running", durationInMs: 20_000 },
          { status: "Succeeded", properties: result(2) },
        ],
      },
    },
    {
      name: "failing",
      title: "fails with a nested error",
      plan: {
        timeline: [
          untilFirstPoll,
          { status: "Running", durationInMs: 12_000, percentComplete: { from: 0, to: 60, step: 20 } },
          { status: "Failed", error },
        ],
      },
    },
    {
      name: "canceled",
      title: "is canceled by its user",
      plan: {
        timeline: [
          untilFirstPoll,
          { status: "Running", durationInMs: 10_000 },
          {
            status: "Canceled",
            error: { code: "OperationCanceled", message: "The user canceled the operation." },
          },
        ],
      },
    },
    {
      name: "flaky",
      title: "succeeds, although many polls fail",
      plan: {
        timeline: [
          untilFirstPoll,
          { status: "Running", durationInMs: 25_000, percentComplete: { from: 0, to: 100, step: 1 } },
          { status: "Succeeded", percentComplete: 100, properties: result(5) },
        ],
        faults: {
          2: { kind: "status", status: 503, retryAfter: 3 },
          3: { kind: "reset" },
          5: { kind: "body", text: "<html><body>Bad gateway</body></html>" },
          6: { kind: "status", status: 429 },
          8: { kind: "status", status: 500 },
        },
      },
    },
  ];
}

/** The operations of DevCenter: each creates a dev box. */
export const scenarios: readonly Scenario[] = scenariosOf("devcenter");

const storage = "Microsoft.Storage/storageAccounts";

/** The deployments that the style `arm` serves beside its operations. */
export const sampleDeployments: readonly (AddDeploymentOptions & { readonly title: string })[] = [
  {
    title: "succeeds, with nested deployments on three levels",
    name: "myDeployment",
    resources: [
      { type: "Microsoft.Network/networkSecurityGroups", name: "rules", durationInMs: 4000 },
      {
        type: "Microsoft.Network/virtualNetworks",
        name: "network",
        durationInMs: 9000,
        dependsOn: ["rules"],
      },
      {
        name: "data",
        deployment: {
          resources: [
            { type: storage, name: "files", durationInMs: 12_000 },
            { type: "Microsoft.KeyVault/vaults", name: "secrets", durationInMs: 18_000 },
            {
              name: "data-access",
              dependsOn: ["files", "secrets"],
              deployment: {
                resources: [
                  { type: "Microsoft.Authorization/roleAssignments", name: "reader", durationInMs: 2000 },
                ],
              },
            },
          ],
        },
      },
      { type: "Microsoft.Web/sites", name: "app", durationInMs: 25_000, dependsOn: ["network"] },
    ],
    outputs: { url: "https://app.example" },
  },
  {
    title: "fails, because a policy forbids a resource of a nested deployment",
    name: "myFailingDeployment",
    errorShape: "json",
    resources: [
      { type: "Microsoft.Network/virtualNetworks", name: "network", durationInMs: 15_000 },
      {
        name: "storage",
        deployment: { resources: [{ type: storage, name: "files", durationInMs: 8000, failure: "policy" }] },
      },
      { type: "Microsoft.Web/sites", name: "app", dependsOn: ["storage"] },
    ],
  },
];
