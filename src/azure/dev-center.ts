import { checkName, checkProjectName, checkUserId } from "./http/validation.ts";
import type { InitialRequest, StartOperationOptions, StartedPoller } from "./lro/start-operation.ts";

/** What a dev box is made from. Fields beyond these are sent as they are. */
export interface DevBoxCreation {
  /** The pool whose image, size and network it gets. */
  readonly poolName: string;
  /** Whether its user administers it. Default: the pool's setting. */
  readonly localAdministrator?: "Enabled" | "Disabled";
  /** Whatever else the service takes. */
  readonly [field: string]: unknown;
}

/** A dev box, as DevCenter's data plane gives it. Only the fields that every answer has are spelled out. */
export interface DevBox {
  /** Unique among those of its user in the project. */
  readonly name: string;
  /** The pool that it was made from. */
  readonly poolName: string;
  /** The project that it is in. */
  readonly projectName?: string;
  /** Whether it is there: `Creating`, `Succeeded`, `Failed`, and others of the service's. */
  readonly provisioningState?: string;
  /** What is being done with it, such as `Starting`. */
  readonly actionState?: string;
  /** `Running`, `Deallocated`, `Hibernated`, and others of the service's. */
  readonly powerState?: string;
  /** The service's UUID for it. */
  readonly uniqueId?: string;
  /** The UUID of the user it is for. */
  readonly user?: string;
  /** Whatever else the service gives. */
  readonly [field: string]: unknown;
}

/** What an environment is deployed from. Fields beyond these are sent as they are. */
export interface EnvironmentCreation {
  /** One of the project's types, such as `Sandbox`: decides the subscription. */
  readonly environmentType: string;
  /** The catalog that has the definition. */
  readonly catalogName: string;
  /** What is deployed. */
  readonly environmentDefinitionName: string;
  /** The definition's parameters. Default: its own defaults. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** Whatever else the service takes. */
  readonly [field: string]: unknown;
}

/** An environment, as DevCenter's data plane gives it. */
export interface Environment extends EnvironmentCreation {
  /** Unique among those of its user in the project. */
  readonly name: string;
  /** Whether it is there: `Creating`, `Succeeded`, `Failed`, and others of the service's. */
  readonly provisioningState?: string;
  /** The Azure resource group that it was deployed to. */
  readonly resourceGroupId?: string;
  /** The UUID of the user it is for. */
  readonly user?: string;
}

/** A customization task to be checked before it is used. */
export interface CustomizationTask {
  /** The name that its catalog gives it. */
  readonly name: string;
  /** What the task is given. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Whatever else the service takes. */
  readonly [field: string]: unknown;
}

/** What came of the check: the operation succeeds also when the tasks are wrong. */
export interface CustomizationTasksValidation {
  /** Whether the tasks may be used. */
  readonly validationResult: "Succeeded" | "Failed";
  /** What is wrong with them; absent where nothing is. */
  readonly errors?: readonly { readonly target?: unknown; readonly details?: readonly unknown[] }[];
}

/** Says more of how to stop a dev box. */
export interface StopDevBoxOptions extends StartOperationOptions<void> {
  /** Keeps the memory's content. Default: the service's. */
  readonly hibernate?: boolean;
}

/**
 * The requests of DevCenter's data plane, api-version 2025-02-01, that begin an operation. Each is sent at once.
 * Names are checked against the contract before: TypeError or RangeError that names the argument.
 */
export abstract class DevCenterOperations {
  /** Begins an operation by any request; those below are made of it. */
  abstract startOperation<TResult>(
    request: InitialRequest,
    options?: StartOperationOptions<TResult>,
  ): StartedPoller<TResult>;

  /** Creates a dev box; the result is the dev box. `userId` is a UUID or `me`. */
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

  /** Deletes a dev box; ends at once where there is none. */
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

  /** Brings a dev box back to a snapshot. */
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

  /** Checks customization tasks. The operation succeeds also when they are wrong: see `validationResult`. */
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

  /** Deletes an environment and its resources; ends at once where there is none. */
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

/** The path of a dev box, relative to the endpoint; throws what the checks of its names throw. */
function devBoxPath(projectName: string, userId: string, devBoxName: string): string {
  return `${userPath(projectName, userId)}/devboxes/${checkName("devBoxName", devBoxName)}`;
}

/** The path of an environment, relative to the endpoint; throws what the checks of its names throw. */
function environmentPath(projectName: string, userId: string, environmentName: string): string {
  return `${userPath(projectName, userId)}/environments/${checkName("environmentName", environmentName)}`;
}

function userPath(projectName: string, userId: string): string {
  return `projects/${checkProjectName(projectName)}/users/${checkUserId(userId)}`;
}
