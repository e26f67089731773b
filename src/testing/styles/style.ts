import type { ApiVersionRule } from "./api-version.ts";
import type { ErrorResponder, StatusBody } from "./responses.ts";
import type { OperationState } from "../../index.ts";
import type { StartRule, StartedRequest } from "./start-rule.ts";

/** The facts of an operation that a response shows. */
export interface Shown {
  readonly status: StatusBody;
  readonly started: StartedRequest;
  readonly origin: string;
  /** `undefined` where there is none. */
  readonly result: unknown;
}

/** How services of one style start operations and report them. */
export interface Style {
  /** Default: requests need no api-version. */
  readonly apiVersions?: ApiVersionRule;
  /** The api-version of the URLs of added operations. */
  readonly ownApiVersion?: string;
  /** The requests that start operations. The first that matches counts. */
  readonly starts: readonly StartRule[];
  /** The request that starts an added operation, with `{operationId}`. */
  readonly sample: { readonly method: string; readonly path: string };
  /** The `Retry-After` of operations whose plan has none, in seconds. Default: none. */
  readonly retryAfter?: number;
  /** The header with the id of the operation. */
  readonly idHeader?: string;
  /** The header with the number of requests left. */
  readonly remainingHeader?: string;
  /** The header of a 401 for requests without a token. Default: such requests are accepted. */
  readonly challenge?: string;
  /** The code of the response with the result of an operation that has none. Default 204. */
  readonly noResultStatus?: number;
  /** The end of the path of a POST that cancels an operation, after that of its URL. Default: there is none. */
  readonly cancelSuffix?: string;
  readonly errorResponse: ErrorResponder;
  /** The body of a status monitor. */
  readonly statusBody: (shown: Shown) => object;
  /** The body of a resource with these fields in this provisioning state. */
  readonly resourceBody: (fields: object, provisioningState: OperationState, shown: Shown) => object;
}
