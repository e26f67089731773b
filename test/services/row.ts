import type { StartOperationOptions } from "lro-poller";
import type { Route } from "../support/route-server.ts";

/** The responses of one real service, request by request, and the expected outcome. */
export interface Row {
  readonly service: string;
  /** The feature that sets these responses apart, in at most 12 words. */
  readonly shape: string;
  /** Where the shape is described: a page, or a thread such as `go#20342` (Azure/azure-sdk-for-go). */
  readonly source: string;
  /** In the order of the requests; the first starts the operation. No other request may be sent. */
  readonly exchanges: readonly [Route, ...Route[]];
  readonly options?: RowOptions;
  readonly expected: Expected;
  /** Whether core-lro 3.4.2 ends with the expected outcome. Default: it does. */
  readonly coreLro?: "same" | { readonly differs: string };
  /** Default: as for core-lro, whose poller decides when the operation is over. */
  readonly fromPollerLike?: Applicability;
  /** Default: the status bodies are served as DevCenter's where they have a `status`. */
  readonly command?: Applicability;
}

export type Applicability = "same" | `not applicable: ${string}`;

/** The options of {@link StartOperationOptions} that a row may need. */
export interface RowOptions extends Pick<
  StartOperationOptions,
  "notFoundGraceInMs" | "outageToleranceInMs" | "terminalStates"
> {
  /** For URLs that have none. */
  readonly apiVersion?: string;
}

export type Expected = { readonly result: unknown } | { readonly error: ExpectedError };

export interface ExpectedError {
  readonly name:
    | "OperationCanceledError"
    | "OperationFailedError"
    | "OperationNotFoundError"
    | "OperationStartError"
    | "PollingError";
  readonly code?: string;
  readonly message?: string;
  /** The poller's status afterwards. */
  readonly status: string | undefined;
}

/** The first failed poll ends the wait. */
export const impatient: RowOptions = { outageToleranceInMs: 0, notFoundGraceInMs: 0 };

export function failed(code: string, message?: string): Expected {
  return {
    error: {
      name: "OperationFailedError",
      code,
      ...(message !== undefined && { message }),
      status: "Failed",
    },
  };
}

export function canceled(code: string): Expected {
  return { error: { name: "OperationCanceledError", code, status: "Canceled" } };
}

/** The responses 200 to polls of one URL. */
export function polls(path: string, ...bodies: readonly unknown[]): Route[] {
  return bodies.map((body) => ({ method: "GET", path, status: 200, body }));
}

/** The reasons why core-lro's outcome is another. */
export const differs = {
  apiVersion: { differs: "adds no api-version to a status monitor" },
  endWord: {
    differs: "ends only at Succeeded, Canceled, Cancelled and words with `fail`; others run",
  },
  failedPoll: { differs: "takes a failed poll for a failed operation" },
  getIsNoPoll: { differs: "takes a GET without headers for a finished operation" },
  noBody: { differs: "takes PUT 201 without a body for a finished operation" },
  noStatus: { differs: "takes a status monitor without a status for success" },
  noUrl: { differs: "takes a response without a URL to poll for success" },
  patch: { differs: "polls no resource after a PATCH" },
  place: { differs: "knows `status` at the root alone, and takes a body without it for success" },
  resultIsProperties: { differs: "gives the whole status body as the result, not a field of it" },
  resultLocation: { differs: "ignores where the headers of the last response lead" },
  stateInBody: { differs: "goes by the HTTP code of a polling location, whatever the body says" },
  substring: { differs: "searches the status for `succeeded` and `fail`" },
} as const satisfies Record<string, { readonly differs: string }>;
