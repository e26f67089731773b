import { checkName, checkProjectName, checkUserId } from "./http/validation.ts";
import { LroClient } from "./lro-client.ts";
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

/**
 * The operations of DevCenter's data plane, api-version 2025-02-01. Each method sends its initial request at once.
 *
 * Before that it checks names against the contract, and throws a TypeError or RangeError that names the argument.
 */
export abstract class DevCenterOperations extends LroClient {
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
    return this.#send("DELETE", devBoxPath(projectName, userId, devBoxName), options);
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
    options?: StartOperationOptions<void>,
  ): StartedPoller<void> {
    return this.#send("DELETE", environmentPath(projectName, userId, environmentName), options);
  }

  #act(devBox: string, action: string, options?: StartOperationOptions<void>): StartedPoller<void> {
    return this.#send("POST", `${devBox}:${action}`, options);
  }

  #send(method: "DELETE" | "POST", url: string, options?: StartOperationOptions<void>): StartedPoller<void> {
    return this.startOperation({ method, url }, { parseResult: () => {}, ...options });
  }
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
