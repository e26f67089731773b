import type { OperationError } from "../../index.ts";

/**
 * The form in which a deployment tells of its failing parts.
 *
 * - `direct`: objects within objects.
 * - `json`: messages that are JSON texts, at each level; the innermost has keys in PascalCase.
 * - `leafJson`: the message of a failing resource is a JSON text.
 * - `empty`: nothing. Only the operations tell.
 * - `preflight`: `InvalidTemplateDeployment`, with the cause two levels below.
 */
export type DeploymentErrorShape = "direct" | "json" | "leafJson" | "empty" | "preflight";

/** The cause for which a part fails: a usual one, or an error with the word of its HTTP status. */
export type PartFailure =
  | "policy"
  | "quota"
  | "nameConflict"
  | "invalidName"
  | "timeout"
  | { readonly error: OperationError; readonly statusCode?: string };

/** The fields of every part. */
export interface PlannedPartBase {
  /** The name; a child's begins with its parents': `vnet/subnet`. */
  readonly name: string;
  /** The scope. Default: that of the deployment it is a part of. Empty for the tenant. */
  readonly scope?: string;
  /** The name of the part in the template's code. Default: none. */
  readonly symbolicName?: string;
  /** The earliest start, in milliseconds after that of the deployment. Default 0. */
  readonly startInMs?: number;
  /** The parts that must have succeeded: names, symbolic names, or `type/name`. Default: none. */
  readonly dependsOn?: readonly string[];
  /**
   * Milliseconds from the part's start until the list of operations has it; `Infinity`: first seen when over. Default:
   * the service's `listedAfterInMs`.
   */
  readonly listedAfterInMs?: number;
  /** The part's change in a what-if. Default `Create`. */
  readonly changeType?: "Create" | "Modify" | "NoChange" | "Ignore" | "Deploy" | "Delete";
}

/** A resource that a deployment creates. */
export interface PlannedResource extends PlannedPartBase {
  /** The resource type, such as `Microsoft.Storage/storageAccounts`. */
  readonly type: string;
  /** How long it takes, in milliseconds. Default: the service's `durationOf`. */
  readonly durationInMs?: number;
  /** The cause for which it fails. Default: it succeeds. */
  readonly failure?: PartFailure;
}

/** A deployment within a deployment. */
export interface PlannedNestedDeployment extends PlannedPartBase {
  /** Its own parts. */
  readonly deployment: DeploymentPlan;
  /** The cause for which its template is rejected: a failed part that has no deployment. Default: none. */
  readonly failure?: PartFailure;
}

/** A part of a deployment. */
export type PlannedPart = PlannedResource | PlannedNestedDeployment;

/** The life of a deployment, as data. */
export interface DeploymentPlan {
  /** Its parts. Default: none. */
  readonly resources?: readonly PlannedPart[];
  /** Its outputs, by name. Default: none. */
  readonly outputs?: Readonly<Record<string, unknown>>;
  /** Default: that of the deployment above it, and `direct` at the root. */
  readonly errorShape?: DeploymentErrorShape;
  /** The cause for which the start and the validation of the deployment get a 400. Default: none. */
  readonly preflightFailure?: PartFailure;
}

/** How the engine of deployments runs, in milliseconds. */
export interface DeploymentTiming {
  /** How long a deployment is `Accepted`. Default 1000. */
  readonly acceptedForInMs: number;
  /** From the start of a part until its provider has responded, when it is listed. Default 2000. */
  readonly listedAfterInMs: number;
  /** From the end of a nested deployment until its row in the parent's list shows it. Default 7000. */
  readonly parentLagInMs: number;
  /** From the end of the last part until the deployment is over. Default 300. */
  readonly settleInMs: number;
  /** How often a running row's timestamp moves. Default 2600. */
  readonly tickInMs: number;
  /** How far lists are behind: a deployment can be over before its list shows it. Default 0. */
  readonly listLagInMs: number;
  /** From an accepted cancel until the deployment is `Canceled`. It may end before that. Default 1000. */
  readonly cancelAfterInMs: number;
  /** How long nested deployments go on when the one above them is canceled. Default 0. */
  readonly childrenOutliveInMs: number;
}

export const defaultTiming: DeploymentTiming = {
  acceptedForInMs: 1000,
  listedAfterInMs: 2000,
  parentLagInMs: 7000,
  settleInMs: 300,
  tickInMs: 2600,
  listLagInMs: 0,
  cancelAfterInMs: 1000,
  childrenOutliveInMs: 0,
};

export function isNested(part: PlannedPart): part is PlannedNestedDeployment {
  return "deployment" in part;
}
