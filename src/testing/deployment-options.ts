import type { DeploymentPlan, DeploymentTiming } from "./deployments/plan.ts";
import type { TokenBucketRule } from "./deployments/tokens.ts";
import type { Fault } from "./faults.ts";

/** A kind of request about deployments. `result` is a request for the result of a validation or a what-if. */
export type DeploymentRequestKind =
  | "start"
  | "status"
  | "deployment"
  | "operations"
  | "cancel"
  | "validate"
  | "whatIf"
  | "result"
  | "delete"
  | "exists"
  | "exportTemplate";

/** A request about a deployment that the server has received and not yet handled. */
export interface ReceivedDeploymentRequest {
  /** The kind of request. */
  readonly kind: DeploymentRequestKind;
  /** The id of the deployment. */
  readonly id: string;
  /** How many requests of this kind there have been for the deployment: 1 for the first. */
  readonly number: number;
  /** The milliseconds of the plan since the deployment's start; 0 before. */
  readonly elapsedInMs: number;
  /** The whole URL, query included. */
  readonly url: URL;
}

/** A request that starts, validates or compares a deployment. */
export interface ReceivedDeployment {
  /** The id of the deployment. */
  readonly id: string;
  /** The scope in its URL; empty for the tenant. */
  readonly scope: string;
  /** Its name. */
  readonly name: string;
  /** Its decoded JSON body. */
  readonly body: unknown;
}

/** Options of the deployments of Azure Resource Manager. */
export interface DeploymentOptions extends Partial<DeploymentTiming> {
  /** Returns the plan of a deployment. `undefined`, and the default: the plan follows from its template. */
  readonly plan?: (request: ReceivedDeployment) => DeploymentPlan | undefined;
  /** Returns how long a resource takes whose plan does not say, in milliseconds. Default: 5000 for each. */
  readonly durationOf?: (resource: { readonly type: string; readonly name: string }) => number;
  /** Returns the fault of a request. `undefined`, and the default: none. */
  readonly faults?: (request: ReceivedDeploymentRequest) => Fault | undefined;
  /** The most rows of a page of operations. `$top` can ask for fewer. Default: no limit. */
  readonly pageSize?: number;
  /** How many pages without rows, but with a `nextLink`, come before each list. Default 0. */
  readonly emptyPages?: number;
  /** Whether ids in lists come in other letters than those of the request. Default false. */
  readonly variesCase?: boolean;
  /** Whether a list also has the operations of earlier deployments of its name. Default false. */
  readonly keepsEarlierOperations?: boolean;
  /** The `Retry-After` of a deployment that is not over, in seconds; its status monitor has none. Default: none. */
  readonly retryAfter?: number;
  /** How long a validation takes, in milliseconds. Default 0: it responds at once. */
  readonly validationInMs?: number;
  /** How long a what-if takes, in milliseconds. Default 2000. */
  readonly whatIfInMs?: number;
  /** How many reads, and how many other requests, a subscription may send. Default: 250 and 25 a second; 200 and 10. */
  readonly limits?: { readonly reads?: TokenBucketRule; readonly writes?: TokenBucketRule };
}

/** Options of `addDeployment`. */
export interface AddDeploymentOptions extends DeploymentPlan {
  /** The scope; empty for the tenant. Default: a resource group. */
  readonly scope?: string;
  /** The name. Default `myDeployment`. */
  readonly name?: string;
  /** Whether it starts with the first request for it. Default false: it starts at once. */
  readonly startsAtFirstPoll?: boolean;
}

/** The names and the URLs of an added deployment. */
export interface AddedDeployment {
  /** The id of the deployment. */
  readonly id: string;
  /** The signed URL of its status monitor. */
  readonly operationLocation: string;
}
