import type { StartOperationOptions } from "lro-poller";
import type { Route } from "../../../support/route-server.ts";

/** How a service tells of an operation, request by request, and what has to come of it. */
export interface Scenario {
  readonly name: string;
  /** In the order that they are asked for; the first begins the operation. Nothing else may be asked. */
  readonly exchanges: readonly [Route, ...Route[]];
  readonly options?: StartOperationOptions;
  readonly expected: Expected;
  /** What core-lro does here, and why this library does not. */
  readonly differs?: string;
}

export type Expected = { readonly result: unknown } | { readonly error: ExpectedError };

export interface ExpectedError {
  readonly name:
    | "OperationCanceledError"
    | "OperationFailedError"
    | "OperationNotFoundError"
    | "OperationStartError"
    | "PollingError";
  readonly code: string;
  readonly statusCode?: number;
  readonly message?: string;
  /** The poller's status afterwards. */
  readonly status: string | undefined;
}

/** The first failed read ends the wait, so that one that is not retried cannot be told from one that is. */
export const impatient: StartOperationOptions = { outageToleranceInMs: 0, notFoundGraceInMs: 0 };

export function brokenAnswer(
  status: string | undefined,
  statusCode = 200,
): { readonly error: ExpectedError } {
  return { error: { name: "PollingError", code: "ContractError", statusCode, status } };
}

export const failed: Expected = {
  error: { name: "OperationFailedError", code: "Failed", status: "Failed" },
};

export const canceled: Expected = {
  error: { name: "OperationCanceledError", code: "Canceled", status: "Canceled" },
};

/** A resource of a resource provider. */
export function box(provisioningState: string): object {
  return { id: "/boxes/b1", name: "b1", properties: { provisioningState, cores: 8 } };
}
