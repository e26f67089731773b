import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { isTerminal } from "../index.ts";
import type { OperationState } from "../index.ts";
import { describe } from "./validation.ts";
import type { Fault } from "./faults.ts";
import { ServedOperation } from "./served-operation.ts";
import type { OperationPlan, ServerTime } from "./served-operation.ts";

/** The action of an initial request. */
export type OperationAction =
  | "createDevBox"
  | "deleteDevBox"
  | "startDevBox"
  | "stopDevBox"
  | "restartDevBox"
  | "repairDevBox"
  | "captureSnapshot"
  | "restoreSnapshot"
  | "createEnvironment"
  | "deleteEnvironment"
  | "validateGroup";

/** An initial request that the server has received and not yet handled. */
export interface ReceivedInitialRequest {
  /** The action that it requests. */
  readonly action: OperationAction;
  /** The project in its URL. */
  readonly projectName: string;
  /** Its whole URL, query included. */
  readonly url: URL;
  /** Its headers, by their lower-case names. */
  readonly headers: IncomingHttpHeaders;
  /** Its decoded JSON body; `undefined` where there is none. */
  readonly body: unknown;
}

/** A dev box or an environment, with its latest operation. */
export interface Resource {
  readonly fields: object;
  readonly operation: ServedOperation;
  /** Its provisioning state until the operation ends. */
  readonly interimState: string;
  readonly isBeingDeleted: boolean;
}

type Planner = (request: ReceivedInitialRequest) => OperationPlan | undefined;

/** The operations and resources of the server, and the faults for its next polls. */
export class DataPlane {
  readonly #time: ServerTime;
  readonly #onInitialRequest: Planner | undefined;
  readonly #operations = new Map<string, ServedOperation>();
  readonly #resources = new Map<string, Resource>();
  /** The faults of the next polls of any operation. */
  readonly nextFaults: Fault[] = [];

  constructor(time: ServerTime, onInitialRequest: Planner | undefined) {
    this.#time = time;
    this.#onInitialRequest = onInitialRequest;
  }

  /** @throws RangeError if there is an operation with this id already */
  add(projectName: string, plan: OperationPlan, operationId: string = randomUUID()): ServedOperation {
    const key = operationId.toLowerCase();
    if (this.#operations.has(key))
      throw new RangeError(`operationId: expected a new one, got ${operationId}`);
    const operation = new ServedOperation(projectName, operationId, plan, this.#time);
    this.#operations.set(key, operation);
    return operation;
  }

  startOperation(request: ReceivedInitialRequest, defaultPlan: OperationPlan): ServedOperation {
    return this.add(request.projectName, this.#onInitialRequest?.(request) ?? defaultPlan);
  }

  find(projectName: string, operationId: string): ServedOperation | undefined {
    const operation = this.#operations.get(operationId.toLowerCase());
    return operation?.projectName.toLowerCase() === projectName.toLowerCase() ? operation : undefined;
  }

  /** @throws RangeError if there is no such operation */
  get(operationId: string): ServedOperation {
    const operation = this.#operations.get(operationId.toLowerCase());
    if (operation) return operation;
    throw new RangeError(`operationId: expected one of the server's, got ${describe(operationId)}`);
  }

  resourceAt(path: string): Resource | undefined {
    const resource = this.#resources.get(path.toLowerCase());
    const isGone = resource?.isBeingDeleted && resource.operation.state === "Succeeded";
    return isGone ? undefined : resource;
  }

  putResource(path: string, resource: Resource): void {
    this.#resources.set(path.toLowerCase(), resource);
  }
}

/** Returns the provisioning state of a resource, which follows its operation. */
export function provisioningStateOf({ operation, interimState }: Resource): OperationState {
  return isTerminal(operation.state) ? operation.state : interimState;
}
