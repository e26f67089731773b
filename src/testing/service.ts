import type { DataPlane } from "./data-plane.ts";
import type { CountedRequest } from "./rate-limit.ts";
import type { ErrorResponder } from "./styles/responses.ts";
import type { Call, Reply } from "./route.ts";
import type { OperationPlan } from "./served-operation.ts";

/**
 * A service that the server emulates.
 *
 * - `devcenter`: the data plane of DevCenter.
 * - `arm`: Azure Resource Manager, with `Azure-AsyncOperation` and `Location`.
 * - `operation-location`: data planes with `Operation-Location`, such as Document Intelligence.
 * - `location`: services whose `Location` answers 202 until the operation is over.
 * - `resource`: resources with a `provisioningState`, polled at their own URL.
 * - `fabric`: Microsoft Fabric.
 * - `key-vault`: the certificates of Key Vault. Requests need a token.
 */
export type OperationStyle =
  | "devcenter"
  | "arm"
  | "operation-location"
  | "location"
  | "resource"
  | "fabric"
  | "key-vault";

/** Options of `addOperation`. */
export interface AddOperationOptions extends OperationPlan {
  /** The operation's project, in DevCenter only. Default `myProject`. */
  readonly projectName?: string;
  /** The operation's id. Default: a random UUID. */
  readonly operationId?: string;
}

/** The names and the URLs of an added operation. */
export interface AddedOperation {
  /** The operation's id: the second argument of `client.operation`. */
  readonly operationId: string;
  /** The operation's project: the first argument of `client.operation`. Empty in a style other than DevCenter's. */
  readonly projectName: string;
  /** The URL to poll: a status monitor, or the polling location or resource of a service that has none. */
  readonly operationLocation: string;
  /** The URL of the resource that the operation creates; missing in a style that adds none. */
  readonly resourceUrl?: string;
}

/** A request before it is matched with a route. */
export type UnmatchedRequest = Pick<Call, "url" | "headers" | "bodyText"> & { readonly method: string };

/** An emulated service: how it responds. */
export interface Service {
  respondTo(plane: DataPlane, request: UnmatchedRequest): Reply;
  /** @throws TypeError or RangeError that names the option that is wrong */
  addOperation(plane: DataPlane, origin: string, options: AddOperationOptions): AddedOperation;
  /** Returns the headers of each response. */
  commonHeaders(rate: CountedRequest): Readonly<Record<string, string>>;
  readonly errorResponse: ErrorResponder;
  /** The `WWW-Authenticate` header of a 401. */
  readonly challenge: string;
  /** Whether a request without a token gets a 401. */
  readonly needsToken: boolean;
}
