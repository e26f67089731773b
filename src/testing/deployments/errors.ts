import type { OperationError } from "../../index.ts";
import type { DeploymentErrorShape, PartFailure } from "./plan.ts";

/** A failed part: the word of its HTTP status, and its error. */
interface FailedPart {
  readonly statusCode: string;
  readonly error: OperationError;
}

/** The facts of a part that the texts of its error name. */
interface NamedPart {
  readonly id: string;
  readonly type: string;
  readonly name: string;
}

const advice =
  "Please list deployment operations for details. Please see https://aka.ms/arm-deployment-operations for usage details.";
const failedMessage = `At least one resource deployment operation failed. ${advice}`;

/** Returns the error of a part that fails for this cause. */
export function failureOf(failure: PartFailure, part: NamedPart): FailedPart {
  if (typeof failure === "object")
    return { statusCode: failure.statusCode ?? "Conflict", error: failure.error };
  return usualFailures[failure](part);
}

type UsualFailure = Extract<PartFailure, string>;

const usualFailures: Readonly<Record<UsualFailure, (part: NamedPart) => FailedPart>> = {
  policy: ({ name, id }) => ({
    statusCode: "Forbidden",
    error: {
      code: "RequestDisallowedByPolicy",
      target: name,
      message: `Resource '${name}' was disallowed by policy. Policy identifiers: '[{"policyAssignment":{"name":"Allowed locations"}}]'.`,
      additionalInfo: [{ type: "PolicyViolation", info: policyViolation(id) }],
    },
  }),
  quota: () => ({
    statusCode: "Conflict",
    error: {
      code: "QuotaExceeded",
      message:
        "Operation could not be completed as it results in exceeding approved standardDSv3Family Cores quota. Current Limit: 10, Current Usage: 8, Additional Required: 4, (Minimum) New Limit Required: 12.",
    },
  }),
  nameConflict: ({ name }) => ({
    statusCode: "Conflict",
    error: {
      code: "StorageAccountAlreadyTaken",
      message: `The storage account named ${name} is already taken.`,
      target: name,
    },
  }),
  invalidName: ({ name }) => ({
    statusCode: "BadRequest",
    error: { code: "AccountNameInvalid", message: `${name} is not a valid storage account name.` },
  }),
  timeout: ({ name, type }) => ({
    statusCode: "RequestTimeout",
    error: {
      code: "ResourceDeploymentFailure",
      message: `The resource provision operation did not complete within the allowed timeout period. (${type} '${name}')`,
    },
  }),
};

function policyViolation(resourceId: string): object {
  const definition =
    "/providers/Microsoft.Authorization/policyDefinitions/e56962a6-4747-49cd-b67b-bf8b01975c4c";
  const scope = /^\/subscriptions\/[^/]+/i.exec(resourceId)?.[0] ?? "";
  return {
    policyDefinitionDisplayName: "Allowed locations",
    policyDefinitionId: definition,
    policyDefinitionName: "e56962a6-4747-49cd-b67b-bf8b01975c4c",
    policyDefinitionEffect: "Deny",
    policyAssignmentId: `${scope}/providers/Microsoft.Authorization/policyAssignments/allowed-locations`,
    policyAssignmentName: "allowed-locations",
    policyAssignmentDisplayName: "Allowed locations",
    policyAssignmentScope: scope,
    policyAssignmentParameters: { listOfAllowedLocations: { value: ["westeurope"] } },
  };
}

/** Returns the error of a failed resource, in the form of its deployment. */
export function resourceError(shape: DeploymentErrorShape, { statusCode, error }: FailedPart): object {
  if (shape === "json") return { code: statusCode, message: pascalCaseText(error) };
  if (shape === "leafJson") {
    return { code: statusCode, message: JSON.stringify({ status: "Failed", error }, null, 2) };
  }
  return error;
}

/** The App Service provider's own form: the same facts three times, and keys in PascalCase. */
function pascalCaseText({ code, message, target, details, additionalInfo }: OperationError): string {
  return JSON.stringify({
    Code: code,
    Message: message,
    Target: target ?? null,
    Details: [
      { Message: message },
      { Code: code },
      {
        ErrorEntity: {
          ExtendedCode: "54001",
          MessageTemplate: message,
          Parameters: [],
          Code: code,
          Message: message,
        },
      },
      ...(details ?? []),
    ],
    Innererror: null,
    ...(additionalInfo !== undefined && { AdditionalInfo: additionalInfo }),
  });
}

/** Returns the error of a nested deployment's row in its parent's list. */
export function nestedError(
  shape: DeploymentErrorShape,
  state: string,
  childError: object | undefined,
): object {
  const error = {
    code: "ResourceDeploymentFailure",
    message: `The resource write operation failed to complete successfully, because it reached terminal provisioning state '${state}'.`,
    details: childError === undefined ? [] : [childError],
  };
  if (shape === "empty") return { code: "DeploymentFailed", message: failedMessage };
  return shape === "json" ? { code: "Conflict", message: JSON.stringify({ status: state, error }) } : error;
}

/** Returns the error of a deployment whose parts have failed with these errors. */
export function deploymentError(shape: DeploymentErrorShape, id: string, details: readonly object[]): object {
  if (shape === "preflight") return preflightError(id, details);
  if (shape !== "empty")
    return { code: "DeploymentFailed", target: id, message: failedMessage, details: [...details] };
  // Recorded: `details` is null.
  const nothing = { code: "DeploymentFailed", message: failedMessage, details: null };
  return { code: "DeploymentFailed", message: failedMessage, details: [nothing] };
}

/** Returns the error of a deployment that its providers have rejected before it began. */
export function preflightError(id: string, details: readonly object[]): object {
  const name = id.slice(id.lastIndexOf("/") + 1);
  return {
    code: "InvalidTemplateDeployment",
    message: `The template deployment '${name}' is not valid according to the validation procedure. The tracking id is '5b1f7a46-0000-4000-8000-0d6e5b1f7a46'. See inner errors for details.`,
    details: [
      {
        code: "PreflightValidationCheckFailed",
        message: "Preflight validation failed. Please refer to the details for the specific errors.",
        details: [...details],
      },
    ],
  };
}
