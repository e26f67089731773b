import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { isTerminal } from "../index.ts";
import type { OperationState } from "../index.ts";
import { describe } from "./validation.ts";
import type { Fault } from "./faults.ts";
import { ServedOperation } from "./served-operation.ts";
import type { OperationPlan, Speed } from "./served-operation.ts";

/** What begins an operation. */
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

/** A request that is about to begin an operation. */
export interface ReceivedInitialRequest {
  /** What it asks for. */
  readonly action: OperationAction;
  /** Where. */
  readonly projectName: string;
  /** The whole URL that was asked for, query included. */
  readonly url: URL;
  /** By their lower-case names. */
  readonly headers: IncomingHttpHeaders;
  /** The decoded JSON; `undefined` where none came. */
  readonly body: unknown;
}

/** A dev box or an environment, with the last operation on it. */
export interface Resource {
  readonly fields: object;
  readonly operation: ServedOperation;
  /** Its provisioning state until the operation is over. */
  readonly meanwhile: string;
  readonly isBeingDeleted: boolean;
}

/** Everything that the service remembers. */
export class DataPlane {
  readonly #pace: Speed;
  readonly #onInitialRequest: (request: ReceivedInitialRequest) => OperationPlan | undefined;
  readonly #operations = new Map<string, ServedOperation>();
  readonly #resources = new Map<string, Resource>();
  readonly #nextFaults: Fault[] = [];

  constructor(
    pace: Speed,
    onInitialRequest: (request: ReceivedInitialRequest) => OperationPlan | undefined = () => undefined,
  ) {
    this.#pace = pace;
    this.#onInitialRequest = onInitialRequest;
  }

  /** @throws RangeError when there is an operation of this id already */
  add(projectName: string, plan: OperationPlan, operationId: string = randomUUID()): ServedOperation {
    const key = operationId.toLowerCase();
    if (this.#operations.has(key))
      throw new RangeError(`operationId: expected a new one, got ${operationId}`);
    const operation = new ServedOperation(projectName, operationId, plan, this.#pace);
    this.#operations.set(key, operation);
    return operation;
  }

  startOperation(request: ReceivedInitialRequest, usualPlan: OperationPlan): ServedOperation {
    return this.add(request.projectName, this.#onInitialRequest(request) ?? usualPlan);
  }

  find(projectName: string, operationId: string): ServedOperation | undefined {
    const operation = this.#operations.get(operationId.toLowerCase());
    return operation?.projectName.toLowerCase() === projectName.toLowerCase() ? operation : undefined;
  }

  /** @throws RangeError when there is no such operation */
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

  failNext(fault: Fault, times: number): void {
    for (let time = 0; time < times; time++) this.#nextFaults.push(fault);
  }

  takeNextFault(): Fault | undefined {
    return this.#nextFaults.shift();
  }
}

/** The provisioning state that a resource shows, which follows its operation. */
export function provisioningStateOf({ operation, meanwhile }: Resource): OperationState {
  const { state } = operation;
  return isTerminal(state) ? state : meanwhile;
}
