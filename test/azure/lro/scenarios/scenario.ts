import type { StartOperationOptions } from "lro-poller";
import type { Route } from "../../../support/route-server.ts";

/** How a service reports the status of an operation, request by request, and the expected outcome. */
export interface Scenario {
  readonly name: string;
  /** In the order of the requests; the first starts the operation. No other request may be sent. */
  readonly exchanges: readonly [Route, ...Route[]];
  readonly options?: StartOperationOptions;
  readonly expected: Expected;
  /** The behaviour of core-lro, and why this library differs. */
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

/** The first failed poll ends the wait, whether it would be retried or not. */
export const impatient: StartOperationOptions = { outageToleranceInMs: 0, notFoundGraceInMs: 0 };

export function brokenResponse(
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
