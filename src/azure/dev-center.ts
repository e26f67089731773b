import { checkName, checkProjectName, checkSupport, checkUserId } from "./http/validation.ts";
import { LroClient } from "./lro-client.ts";
import type { InitialRequest } from "./lro/initial-request.ts";
import type { StartOperationOptions, StartedPoller } from "./lro/start-operation.ts";

/** The description of a dev box to create. Fields beyond these are sent as they are. */
export interface DevBoxCreation {
  /** The pool that decides its image, size and network. */
  readonly poolName: string;
  /** Whether its user administers it. Default: the pool's setting. */
  readonly localAdministrator?: "Enabled" | "Disabled";
  /** Any other field that the service takes. */
  readonly [field: string]: unknown;
}

/** A dev box, as DevCenter's data plane returns it. Only the fields of every response are spelled out. */
export interface DevBox {
  /** The name, unique for its user in the project. */
  readonly name: string;
  /** The pool that it was created in. */
  readonly poolName: string;
  /** The project that it is in. */
  readonly projectName?: string;
  /** The state of its creation: `Creating`, `Succeeded`, `Failed`, and others of the service's. */
  readonly provisioningState?: string;
  /** The action under way, such as `Starting`. */
  readonly actionState?: string;
  /** The power state: `Running`, `Deallocated`, `Hibernated`, and others of the service's. */
  readonly powerState?: string;
  /** The service's UUID for it. */
  readonly uniqueId?: string;
  /** The UUID of the user it is for. */
  readonly user?: string;
  /** Any other field that the service returns. */
  readonly [field: string]: unknown;
}

/** The description of an environment to deploy. Fields beyond these are sent as they are. */
export interface EnvironmentCreation {
  /** One of the project's types, such as `Sandbox`. It decides the subscription. */
  readonly environmentType: string;
  /** The catalog of the definition. */
  readonly catalogName: string;
  /** The definition to deploy. */
  readonly environmentDefinitionName: string;
  /** The definition's parameters. Default: its own defaults. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** Any other field that the service takes. */
  readonly [field: string]: unknown;
}

/** An environment, as DevCenter's data plane returns it. */
export interface Environment extends EnvironmentCreation {
  /** The name, unique for its user in the project. */
  readonly name: string;
  /** The state of its creation: `Creating`, `Succeeded`, `Failed`, and others of the service's. */
  readonly provisioningState?: string;
  /** The Azure resource group that it was deployed to. */
  readonly resourceGroupId?: string;
  /** The UUID of the user it is for. */
  readonly user?: string;
}

/** A customization task to check before it is used. */
export interface CustomizationTask {
  /** The task's name in its catalog. */
  readonly name: string;
  /** The task's parameters. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Any other field that the service takes. */
  readonly [field: string]: unknown;
}

/** The result of the check. The operation succeeds also when the tasks are wrong. */
export interface CustomizationTasksValidation {
  /** Whether the tasks may be used. */
  readonly validationResult: "Succeeded" | "Failed";
  /** The errors of the tasks; absent if there are none. */
  readonly errors?: readonly { readonly target?: unknown; readonly details?: readonly unknown[] }[];
}

/** Options of `stopDevBox`. */
export interface StopDevBoxOptions extends StartOperationOptions<void> {
  /** Whether to keep the memory's content. Default: the service's. */
  readonly hibernate?: boolean;
}

/** Options of `deleteEnvironment`. */
export interface DeleteEnvironmentOptions extends StartOperationOptions<void> {
  /**
   * Whether to delete the environment also if its definition no longer exists. What the definition created outside the
   * resource group may remain. Default: the service's, `false`. Needs api-version 2024-09-01-preview or later.
   */
  readonly force?: boolean;
}

/**
 * A property of a pool that its dev boxes are aligned with. `HibernateSupport` and `SingleSignOnStatus` need
 * api-version 2025-07-01-preview or later.
 */
export type PoolAlignTarget = "NetworkProperties" | "HibernateSupport" | "SingleSignOnStatus" | (string & {});

/** The description of an add-on to create. Fields beyond these are sent as they are. */
export interface DevBoxAddOnCreation {
  /** The kind of add-on. */
  readonly kind: "DevBoxTunnel" | (string & {});
  /** The resource that hosts a tunnel. Default: the dev box. */
  readonly hostingResourceName?: string;
  /** Any other field that the service takes. */
  readonly [field: string]: unknown;
}

/** An add-on of a dev box, as DevCenter's data plane returns it. */
export interface DevBoxAddOn extends DevBoxAddOnCreation {
  /** The name, unique for its dev box. */
  readonly name: string;
  /** The state of its creation: `Creating`, `Succeeded`, `Failed`, and others of the service's. */
  readonly provisioningState?: string;
  /** The state of the latest action, such as `Disabling`. */
  readonly actionState?: string;
  /** The state of a tunnel: `Enabled`, `Disabled`, `Suspended`, and others of the service's. */
  readonly status?: string;
  /** The name of a tunnel. */
  readonly codeTunnelName?: string;
  /** The URL of a tunnel. */
  readonly codeTunnelUrl?: string;
}

/** The api-version that brought approvals, alignments and add-ons. */
const approvalsAndAddOns = "2025-04-01-preview";

/**
 * The operations of DevCenter's data plane, up to api-version 2026-01-01-preview. Each method sends its initial request
 * at once.
 *
 * Before that it checks names against the contract, and throws a TypeError or RangeError that names the argument. It
 * also throws a RangeError if the client's api-version is older than the method.
 */
export abstract class DevCenterOperations extends LroClient {
  /** The api-version of the requests. */
  abstract get apiVersion(): string;

  /**
   * Creates a dev box; the result is the dev box. `userId` is a UUID or `me`.
   *
   * @example
   * ```ts
   * const poller = client.createDevBox("my-project", "me", "my-dev-box", { poolName: "my-pool" });
   * const { provisioningState } = await poller.pollUntilDone();
   * ```
   */
  createDevBox(
    projectName: string,
    userId: string,
    devBoxName: string,
    devBox: DevBoxCreation,
    options?: StartOperationOptions<DevBox>,
  ): StartedPoller<DevBox> {
    const url = devBoxPath(projectName, userId, devBoxName);
    return this.startOperation({ method: "PUT", url, body: devBox }, options);
  }

  /** Deletes a dev box. Succeeds at once if there is none. */
  deleteDevBox(
    projectName: string,
    userId: string,
    devBoxName: string,
    options?: StartOperationOptions<void>,
  ): StartedPoller<void> {
    return this.#send({ method: "DELETE", url: devBoxPath(projectName, userId, devBoxName) }, options);
  }

  /** Approves the creation of a dev box. Needs api-version 2025-04-01-preview or later. */
  approveDevBox(
    projectName: string,
    userId: string,
    devBoxName: string,
    options?: StartOperationOptions<void>,
  ): StartedPoller<void> {
    checkSupport("approveDevBox", approvalsAndAddOns, this.apiVersion);
    return this.#act(devBoxPath(projectName, userId, devBoxName), "approve", options);
  }

  /** Starts a dev box. */
  startDevBox(
    projectName: string,
    userId: string,
    devBoxName: string,
    options?: StartOperationOptions<void>,
  ): StartedPoller<void> {
    return this.#act(devBoxPath(projectName, userId, devBoxName), "start", options);
  }

  /** Stops a dev box. */
  stopDevBox(
    projectName: string,
    userId: string,
    devBoxName: string,
    { hibernate, ...options }: StopDevBoxOptions = {},
  ): StartedPoller<void> {
    const action = hibernate === undefined ? "stop" : `stop?hibernate=${hibernate}`;
    return this.#act(devBoxPath(projectName, userId, devBoxName), action, options);
  }

  /** Restarts a dev box. */
  restartDevBox(
    projectName: string,
    userId: string,
    devBoxName: string,
    options?: StartOperationOptions<void>,
  ): StartedPoller<void> {
    return this.#act(devBoxPath(projectName, userId, devBoxName), "restart", options);
  }

  /** Tries to repair the connection to a dev box. */
  repairDevBox(
    projectName: string,
    userId: string,
    devBoxName: string,
    options?: StartOperationOptions<void>,
  ): StartedPoller<void> {
    return this.#act(devBoxPath(projectName, userId, devBoxName), "repair", options);
  }

  /** Aligns a dev box with the present configuration of its pool. Needs api-version 2025-04-01-preview or later. */
  alignDevBox(
    projectName: string,
    userId: string,
    devBoxName: string,
    targets: readonly PoolAlignTarget[],
    options?: StartOperationOptions<void>,
  ): StartedPoller<void> {
    checkSupport("alignDevBox", approvalsAndAddOns, this.apiVersion);
    const url = `${devBoxPath(projectName, userId, devBoxName)}:align`;
    return this.#send({ method: "POST", url, body: { targets } }, options);
  }

  /** Aligns all dev boxes of a pool with its present configuration. Needs api-version 2025-04-01-preview or later. */
  alignPool(
    projectName: string,
    poolName: string,
    targets: readonly PoolAlignTarget[],
    options?: StartOperationOptions<void>,
  ): StartedPoller<void> {
    checkSupport("alignPool", approvalsAndAddOns, this.apiVersion);
    const url = `projects/${checkProjectName(projectName)}/pools/${checkName("poolName", poolName)}:align`;
    return this.#send({ method: "POST", url, body: { targets } }, options);
  }

  /** Takes a snapshot of a dev box. */
  captureDevBoxSnapshot(
    projectName: string,
    userId: string,
    devBoxName: string,
    options?: StartOperationOptions<void>,
  ): StartedPoller<void> {
    return this.#act(devBoxPath(projectName, userId, devBoxName), "captureSnapshot", options);
  }

  /** Restores a dev box from a snapshot. */
  restoreDevBoxSnapshot(
    projectName: string,
    userId: string,
    devBoxName: string,
    snapshotId: string,
    options?: StartOperationOptions<void>,
  ): StartedPoller<void> {
    const action = `restoreSnapshot?snapshotId=${encodeURIComponent(snapshotId)}`;
    return this.#act(devBoxPath(projectName, userId, devBoxName), action, options);
  }

  /** Creates an add-on of a dev box; the result is the add-on. Needs api-version 2025-04-01-preview or later. */
  createOrReplaceDevBoxAddOn(
    projectName: string,
    userId: string,
    devBoxName: string,
    addOnName: string,
    addOn: DevBoxAddOnCreation,
    options?: StartOperationOptions<DevBoxAddOn>,
  ): StartedPoller<DevBoxAddOn> {
    checkSupport("createOrReplaceDevBoxAddOn", approvalsAndAddOns, this.apiVersion);
    const url = addOnPath(projectName, userId, devBoxName, addOnName);
    return this.startOperation({ method: "PUT", url, body: addOn }, options);
  }

  /** Deletes an add-on. Succeeds at once if there is none. Needs api-version 2025-04-01-preview or later. */
  deleteDevBoxAddOn(
    projectName: string,
    userId: string,
    devBoxName: string,
    addOnName: string,
    options?: StartOperationOptions<void>,
  ): StartedPoller<void> {
    checkSupport("deleteDevBoxAddOn", approvalsAndAddOns, this.apiVersion);
    return this.#send(
      { method: "DELETE", url: addOnPath(projectName, userId, devBoxName, addOnName) },
      options,
    );
  }

  /** Enables an add-on of a dev box. Needs api-version 2025-04-01-preview or later. */
  enableDevBoxAddOn(
    projectName: string,
    userId: string,
    devBoxName: string,
    addOnName: string,
    options?: StartOperationOptions<void>,
  ): StartedPoller<void> {
    checkSupport("enableDevBoxAddOn", approvalsAndAddOns, this.apiVersion);
    return this.#act(addOnPath(projectName, userId, devBoxName, addOnName), "enable", options);
  }

  /** Disables an add-on of a dev box. Needs api-version 2025-04-01-preview or later. */
  disableDevBoxAddOn(
    projectName: string,
    userId: string,
    devBoxName: string,
    addOnName: string,
    options?: StartOperationOptions<void>,
  ): StartedPoller<void> {
    checkSupport("disableDevBoxAddOn", approvalsAndAddOns, this.apiVersion);
    return this.#act(addOnPath(projectName, userId, devBoxName, addOnName), "disable", options);
  }

  /** Checks customization tasks. The operation succeeds also if they are wrong: see `validationResult`. */
  validateCustomizationTasks(
    projectName: string,
    tasks: readonly CustomizationTask[],
    options: StartOperationOptions<CustomizationTasksValidation> = {},
  ): StartedPoller<CustomizationTasksValidation> {
    const url = `projects/${checkProjectName(projectName)}/customizationTasks:validateGroup`;
    return this.startOperation({ method: "POST", url, body: { tasks } }, options);
  }

  /** Deploys an environment; the result is the environment. `userId` is a UUID or `me`. */
  createOrReplaceEnvironment(
    projectName: string,
    userId: string,
    environmentName: string,
    environment: EnvironmentCreation,
    options?: StartOperationOptions<Environment>,
  ): StartedPoller<Environment> {
    const url = environmentPath(projectName, userId, environmentName);
    return this.startOperation({ method: "PUT", url, body: environment }, options);
  }

  /** Deletes an environment and its resources. Succeeds at once if there is none. */
  deleteEnvironment(
    projectName: string,
    userId: string,
    environmentName: string,
    { force, ...options }: DeleteEnvironmentOptions = {},
  ): StartedPoller<void> {
    if (force !== undefined)
      checkSupport("deleteEnvironment with force", "2024-09-01-preview", this.apiVersion);
    const query = force === undefined ? "" : `?force=${force}`;
    const url = `${environmentPath(projectName, userId, environmentName)}${query}`;
    return this.#send({ method: "DELETE", url }, options);
  }

  #act(resource: string, action: string, options?: StartOperationOptions<void>): StartedPoller<void> {
    return this.#send({ method: "POST", url: `${resource}:${action}` }, options);
  }

  #send(request: InitialRequest, options?: StartOperationOptions<void>): StartedPoller<void> {
    return this.startOperation(request, { parseResult: () => {}, ...options });
  }
}

function addOnPath(projectName: string, userId: string, devBoxName: string, addOnName: string): string {
  return `${devBoxPath(projectName, userId, devBoxName)}/addons/${checkName("addOnName", addOnName)}`;
}

function devBoxPath(projectName: string, userId: string, devBoxName: string): string {
  return `${userPath(projectName, userId)}/devboxes/${checkName("devBoxName", devBoxName)}`;
}

function environmentPath(projectName: string, userId: string, environmentName: string): string {
  return `${userPath(projectName, userId)}/environments/${checkName("environmentName", environmentName)}`;
}

function userPath(projectName: string, userId: string): string {
  return `projects/${checkProjectName(projectName)}/users/${checkUserId(userId)}`;
}
