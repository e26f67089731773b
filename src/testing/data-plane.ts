import type { IncomingHttpHeaders } from "node:http";
import { isTerminal } from "../index.ts";
import type { OperationState } from "../index.ts";
import { describe } from "./validation.ts";
import type { Fault, InitialRequestFault } from "./faults.ts";
import { ServedOperation } from "./served-operation.ts";
import type { OperationPlan, ServerTime } from "./served-operation.ts";
import type { EndpointRole, EndpointRule, StartedRequest } from "./styles/start-rule.ts";

/**
 * The action of an initial request. In services other than DevCenter it is `createOrUpdate`, `update`, `delete`, or the
 * last word of a POST's path.
 */
export type OperationAction =
  | "createDevBox"
  | "deleteDevBox"
  | "approveDevBox"
  | "startDevBox"
  | "stopDevBox"
  | "restartDevBox"
  | "repairDevBox"
  | "alignDevBox"
  | "alignPool"
  | "captureSnapshot"
  | "restoreSnapshot"
  | "createAddOn"
  | "deleteAddOn"
  | "enableAddOn"
  | "disableAddOn"
  | "createEnvironment"
  | "deleteEnvironment"
  | "validateGroup"
  | (string & {});

/** An initial request that the server has received and not yet handled. */
export interface ReceivedInitialRequest {
  /** The action that it requests. */
  readonly action: OperationAction;
  /** The project in its URL; empty for a service other than DevCenter. */
  readonly projectName: string;
  /** Its whole URL, query included. */
  readonly url: URL;
  /** Its headers, by their lower-case names. */
  readonly headers: IncomingHttpHeaders;
  /** Its decoded JSON body; `undefined` where there is none. */
  readonly body: unknown;
}

/** A resource, such as a dev box or an add-on, with its latest operation. */
export interface Resource {
  readonly fields: object;
  readonly operation: ServedOperation;
  /** `undefined` in DevCenter. */
  readonly started?: StartedOperation;
  /** Its provisioning state until the operation ends. */
  readonly interimState: string;
  readonly isBeingDeleted: boolean;
}

/** An operation that a request has started at a service other than DevCenter. */
export interface StartedOperation extends StartedRequest {
  readonly operation: ServedOperation;
  readonly paths: ReadonlyMap<EndpointRule, string>;
}

/** A path at which an operation reports. */
export interface Endpoint {
  readonly role: EndpointRole;
  readonly started: StartedOperation;
}

type Planner = (request: ReceivedInitialRequest) => OperationPlan | undefined;

/** The operations and resources of the server, and the faults for its next requests. */
export class DataPlane {
  readonly #time: ServerTime;
  readonly #onInitialRequest: Planner | undefined;
  readonly #operations = new Map<string, ServedOperation>();
  readonly #resources = new Map<string, Resource>();
  readonly #endpoints = new Map<string, Endpoint>();
  /** The faults of the next polls of any operation. */
  readonly nextFaults: Fault[] = [];
  /** The faults of the next initial requests. */
  readonly nextInitialFaults: InitialRequestFault[] = [];

  constructor(time: ServerTime, onInitialRequest: Planner | undefined) {
    this.#time = time;
    this.#onInitialRequest = onInitialRequest;
  }

  /** @throws RangeError if there is an operation with this id already */
  add(id: string, operationId: string, plan: OperationPlan): ServedOperation {
    const key = operationId.toLowerCase();
    if (this.#operations.has(key))
      throw new RangeError(`operationId: expected a new one, got ${operationId}`);
    const operation = new ServedOperation(id, operationId, plan, this.#time);
    this.#operations.set(key, operation);
    return operation;
  }

  /** Returns the plan of the operation that a request starts; `undefined` for the default plan. */
  planFor(request: ReceivedInitialRequest): OperationPlan | undefined {
    return this.#onInitialRequest?.(request);
  }

  /** Returns the operation whose status is at this path. */
  operationAt(path: string): ServedOperation | undefined {
    const key = path.toLowerCase();
    const operation = this.#operations.get(key.slice(key.lastIndexOf("/") + 1));
    return operation?.id.toLowerCase() === key ? operation : undefined;
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

  endpointAt(path: string): Endpoint | undefined {
    return this.#endpoints.get(path.toLowerCase());
  }

  putEndpoint(path: string, endpoint: Endpoint): void {
    this.#endpoints.set(path.toLowerCase(), endpoint);
  }

  putResource(path: string, resource: Resource): void {
    this.#resources.set(path.toLowerCase(), resource);
  }
}

/** Returns the provisioning state of a resource, which follows its operation. */
export function provisioningStateOf(resource: Resource): OperationState {
  return provisioningStateIn(resource, { status: resource.operation.state });
}

/** Returns the provisioning state of a resource while its operation has this status. */
export function provisioningStateIn(
  { interimState }: Resource,
  { status }: { readonly status: OperationState },
): OperationState {
  return isTerminal(status) ? status : interimState;
}
