/** The purpose of a path for an operation: its status monitor, its polling location, or the place of its result. */
export type EndpointRole = "monitor" | "location" | "result";

/** A path at which an operation reports. */
export interface EndpointRule {
  readonly role: EndpointRole;
  /** The path, with the groups of the request and `{operationId}` as variables. */
  readonly path: string;
  /** The header that names it: that of a result once there is one, any other until the operation is over. */
  readonly header?: "azure-asyncoperation" | "operation-location" | "location";
}

/** A kind of request that starts an operation. */
export interface StartRule {
  /** Matches the method and the path: `POST /a/b`. Its groups are the variables of other paths. */
  readonly request: RegExp;
  readonly endpoints: readonly EndpointRule[];
  /** The body of the initial response, which is a 202 unless it is a resource. */
  readonly initialBody?: "resource" | "status";
  /** The path of the resource that the operation changes, with `{path}` for that of the request. Default: none. */
  readonly resource?: string;
  /** The field of a status that has the result. Default `result`. */
  readonly resultField?: string;
  /** The result of an operation whose plan has none. */
  readonly defaultResult?: unknown;
}

/** An initial request that has started an operation. */
export interface StartedRequest {
  readonly operationId: string;
  readonly rule: StartRule;
  readonly method: string;
  readonly apiVersion: string;
  /** The path of the resource that the operation changes. */
  readonly resourcePath: string | undefined;
}
