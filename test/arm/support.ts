import { LroClient, createPoller } from "lro-poller";
import type { OperationPart, PollOptions, Poller, Progress } from "lro-poller";
import { deployment } from "lro-poller/arm";
import type { DeploymentOptions, DeploymentResult } from "lro-poller/arm";
import { createVirtualClock, emulateDeployments } from "lro-poller/testing";
import type {
  DeploymentEmulator,
  DeploymentEmulatorOptions,
  DeploymentPlan,
  PlannedPart,
  VirtualClock,
} from "lro-poller/testing";

export const group = "/subscriptions/s1/resourceGroups/g1";
export const deploymentType = "Microsoft.Resources/deployments";
export const root = `${group}/providers/${deploymentType}/d1`;
export const storage = "Microsoft.Storage/storageAccounts";

export interface Emulation extends DeploymentEmulator {
  readonly clock: VirtualClock;
  readonly client: LroClient;
  /** How many lists of operations were read. */
  readonly listCount: () => number;
}

export function emulate(options: DeploymentEmulatorOptions = {}): Emulation {
  const clock = createVirtualClock();
  const emulator = emulateDeployments({ clock, latencyInMs: 50, ...options });
  const client = new LroClient(emulator.endpoint, undefined, { httpClient: emulator.httpClient });
  const listCount = (): number => emulator.requests.filter((line) => line.includes("/operations?")).length;
  return { ...emulator, clock, client, listCount };
}

/** A wait for the deployment `d1`, and all that its listener was told. */
export interface Watch {
  readonly poller: Poller<DeploymentResult>;
  readonly progress: Progress<DeploymentResult>[];
  readonly result: Promise<DeploymentResult>;
}

export interface WatchOptions {
  readonly plan?: DeploymentPlan;
  readonly deployment?: DeploymentOptions;
  readonly poll?: PollOptions<DeploymentResult>;
  readonly isObserved?: boolean;
}

/** Adds the deployment `d1` and waits for it. */
export function watch(emulation: Emulation, options: WatchOptions = {}): Watch {
  const { clock, client, addDeployment } = emulation;
  if (options.plan) addDeployment({ scope: group, name: "d1", ...options.plan });
  const poller = createPoller(deployment(client, root, options.deployment), {
    clock,
    random: () => 0.5,
    ...options.poll,
  });
  const progress: Progress<DeploymentResult>[] = [];
  if (options.isObserved ?? true) poller.onProgress((latest) => progress.push(latest));
  return { poller, progress, result: clock.runUntilSettled(poller.pollUntilDone()) };
}

/** Waits for the deployment `d1` to fail, and returns the error. */
export async function failure(emulation: Emulation, options: WatchOptions = {}): Promise<unknown> {
  return watch(emulation, options).result.then(
    () => {
      throw new Error("The deployment has succeeded.");
    },
    (error: unknown) => error,
  );
}

export function resource(name: string, fields: Partial<PlannedPart> = {}): PlannedPart {
  return { type: storage, name, durationInMs: 20_000, ...fields };
}

export function nested(
  name: string,
  resources: readonly PlannedPart[],
  fields: Partial<PlannedPart> = {},
): PlannedPart {
  return { name, deployment: { resources }, ...fields };
}

/** Describes a tree: `name status`, the parts of a nested deployment indented. */
export function outline(parts: readonly OperationPart[] | undefined, indent = ""): readonly string[] {
  return (parts ?? []).flatMap((part) => [
    `${indent}${part.name} ${part.status}${part.wasSkipped ? " (skipped)" : ""}`,
    ...outline(part.parts, `${indent}  `),
  ]);
}

export function resourceId(name: string): string {
  return `${group}/providers/${storage}/${name}`;
}
