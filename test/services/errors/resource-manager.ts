import { escaped, failedWith } from "./failed-body.ts";
import type { FailedBody } from "./failed-body.ts";

const zonal = {
  code: "ZonalAllocationFailed",
  message: "Allocation failed. We do not have sufficient capacity in this zone.",
};
const sku = {
  code: "SkuNotAvailable",
  message: "The size Standard_D2 is not available.",
  target: "westeurope",
};
const failedState = "The resource operation completed with terminal provisioning state 'Failed'.";
const listOperations =
  "At least one resource deployment operation failed. Please list deployment operations.";
const validation = "The template deployment failed with error: 'The resource validation failed'.";

function policy(name: string): object {
  return {
    type: "PolicyViolation",
    info: {
      evaluationDetails: {
        evaluatedExpressions: [
          {
            result: "True",
            expressionKind: "Field",
            expression: "location",
            path: "location",
            expressionValue: "eastus",
            targetValue: ["westeurope"],
            operator: "NotIn",
          },
        ],
      },
      policyDefinitionId: `/providers/Microsoft.Authorization/policyDefinitions/${name}`,
      policyDefinitionName: name,
      policyDefinitionEffect: "deny",
      policyAssignmentParameters: { listOfAllowedLocations: { value: ["westeurope"] } },
    },
  };
}

const disallowed = {
  code: "RequestDisallowedByPolicy",
  target: "nic1",
  message: "Resource 'nic1' was disallowed by policy.",
};

const trees: readonly FailedBody[] = [
  {
    service: "Compute",
    shape: "a code and a message",
    source: "rpc v1.0/async-api-reference.md",
    body: failedWith({ code: "AllocationFailed", message: "Allocation failed." }),
    leafCode: "AllocationFailed",
    leafMessage: "Allocation failed.",
  },
  {
    service: "Compute",
    shape: "a target",
    source: "rpc v1.0/common-api-details.md",
    body: failedWith(sku),
    leafCode: "SkuNotAvailable",
    leafMessage: "The size Standard_D2 is not available.",
  },
  {
    service: "Resources",
    shape: "one detail",
    source: "tf deployment errors",
    body: failedWith({ code: "InvalidTemplateDeployment", message: validation, details: [sku] }),
    leafCode: "SkuNotAvailable",
    leafMessage: "The size Standard_D2 is not available.",
  },
  {
    service: "Resources",
    shape: "a detail of a detail",
    source: "issue 15, kind 9",
    body: failedWith({
      code: "InvalidTemplateDeployment",
      message: validation,
      details: [{ code: "ResourceValidationFailed", message: "See details.", details: [zonal] }],
    }),
    leafCode: "ZonalAllocationFailed",
    leafMessage: "Allocation failed.",
  },
  {
    service: "Resources",
    shape: "details four levels deep",
    source: "azure-resource-manager-schemas#560",
    body: failedWith({
      code: "DeploymentFailed",
      message: listOperations,
      details: [
        {
          code: "Conflict",
          message: failedState,
          details: [
            { code: "DeploymentFailed", message: listOperations, details: [{ ...zonal, details: [] }] },
          ],
        },
      ],
    }),
    leafCode: "ZonalAllocationFailed",
    leafMessage: "Allocation failed.",
  },
  {
    service: "Resources",
    shape: "several details",
    source: "tf deployment errors",
    body: failedWith({
      code: "InvalidTemplateDeployment",
      message: validation,
      details: [{ code: "QuotaExceeded", message: "10 cores are left." }, sku, zonal],
    }),
    leafCode: "QuotaExceeded",
    leafMessage: "10 cores are left.",
  },
  {
    service: "Resources",
    shape: "several details, the first without a code",
    source: "tf deployment errors",
    body: failedWith({
      code: "MultipleErrorsOccurred",
      message: "Multiple errors occurred.",
      details: [{ message: "Please see details." }, { code: "Conflict", message: "The name is in use." }],
    }),
    leafCode: "Conflict",
    leafMessage: "The name is in use.",
  },
  {
    service: "Network",
    shape: "details is empty",
    source: "go network recordings",
    body: failedWith({ code: "SubnetIsFull", message: "Subnet s1 has no free addresses.", details: [] }),
    leafCode: "SubnetIsFull",
    leafMessage: "Subnet s1 has no free addresses.",
  },
  {
    service: "AKS",
    shape: "the other fields are null, and there is a subcode",
    source: "AKS operation status",
    body: failedWith({
      code: "VMExtensionProvisioningError",
      message: "Unable to establish outbound connection.",
      subcode: "VMExtensionError_OutboundConnFail",
      target: null,
      details: null,
      innererror: null,
      additionalInfo: null,
    }),
    leafCode: "VMExtensionProvisioningError",
    leafMessage: "Unable to establish outbound connection.",
  },
  {
    service: "Compute",
    shape: "canceled, with an error",
    source: "net#3396",
    body: { status: "Canceled", error: { code: "OperationPreempted", message: "It was preempted." } },
    leafCode: "OperationPreempted",
    leafMessage: "It was preempted.",
  },
];

const policies: readonly FailedBody[] = [
  {
    service: "Policy",
    shape: "additionalInfo tells which policy said no",
    source: "issue 15, kind 9",
    body: failedWith({ ...disallowed, additionalInfo: [policy("allowed-locations")] }),
    leafCode: "RequestDisallowedByPolicy",
    leafMessage: "Resource 'nic1' was disallowed by policy.",
  },
  {
    service: "Policy",
    shape: "two policies said no",
    source: "Azure Policy, enforcement errors",
    body: failedWith({ ...disallowed, additionalInfo: [policy("allowed-locations"), policy("tags")] }),
    leafCode: "RequestDisallowedByPolicy",
    leafMessage: "Resource 'nic1' was disallowed by policy.",
  },
  {
    service: "Policy",
    shape: "additionalInfo in a detail",
    source: "rpc v1.0/common-api-details.md",
    body: failedWith({
      code: "InvalidTemplateDeployment",
      message: validation,
      details: [{ ...disallowed, additionalInfo: [policy("no-public-ip")] }],
    }),
    leafCode: "RequestDisallowedByPolicy",
    leafMessage: "Resource 'nic1' was disallowed by policy.",
  },
  {
    service: "A resource provider",
    shape: "additionalInfo has the ActivityId",
    source: "gas PR#479",
    body: failedWith({
      code: "ExtensionCreationFailed",
      message: "The extension was not created.",
      additionalInfo: [{ type: "ActivityId", info: { value: "8a1e" } }],
    }),
    leafCode: "ExtensionCreationFailed",
    leafMessage: "The extension was not created.",
  },
];

const documents: readonly FailedBody[] = [
  {
    service: "Resources",
    shape: "the message of a detail is a JSON document",
    source: "azure-resource-manager-schemas#560",
    body: failedWith({
      code: "DeploymentFailed",
      message: listOperations,
      details: [{ code: "BadRequest", message: escaped({ error: zonal }) }],
    }),
    leafCode: "ZonalAllocationFailed",
    leafMessage: "Allocation failed.",
  },
  {
    service: "Resources",
    shape: "the document has a status and an error",
    source: "mwt-ds#8",
    body: failedWith({
      code: "ResourceDeploymentFailure",
      message: failedState,
      details: [
        {
          code: "DeploymentFailed",
          message: listOperations,
          details: [
            {
              code: "Conflict",
              message: escaped({
                status: "Failed",
                error: { code: "WebsiteNameTaken", message: "The website exists." },
              }),
            },
          ],
        },
      ],
    }),
    leafCode: "WebsiteNameTaken",
    leafMessage: "The website exists.",
  },
  {
    service: "Resources",
    shape: "a document in a document, one for each deployment",
    source: "azure-resource-manager-schemas#560",
    body: failedWith({
      code: "DeploymentFailed",
      message: listOperations,
      details: [
        {
          code: "Conflict",
          message: escaped({
            status: "Failed",
            error: {
              code: "ResourceDeploymentFailure",
              message: failedState,
              details: [{ code: "Conflict", message: escaped({ status: "Failed", error: zonal }) }],
            },
          }),
        },
      ],
    }),
    leafCode: "ZonalAllocationFailed",
    leafMessage: "Allocation failed.",
  },
  {
    service: "Resources",
    shape: "the message of the error itself is a document",
    source: "azure-cli#13896",
    body: failedWith({ code: "DeploymentFailed", message: JSON.stringify({ error: sku }) }),
    leafCode: "SkuNotAvailable",
    leafMessage: "The size Standard_D2 is not available.",
  },
  {
    service: "Resources",
    shape: "the document is the error, without a wrapper",
    source: "azure-resource-manager-schemas#560",
    body: failedWith({
      code: "DeploymentFailed",
      message: listOperations,
      details: [
        {
          code: "BadRequest",
          message: escaped({ code: "InvalidRequestFormat", message: "No JSON.", details: [] }),
        },
      ],
    }),
    leafCode: "InvalidRequestFormat",
    leafMessage: "No JSON.",
  },
  {
    service: "Cosmos DB",
    shape: "a document after other text stays text",
    source: "tf cosmosdb errors",
    body: failedWith({
      code: "BadRequest",
      message: 'Message: {"code":"BadRequest","message":"Sum of capacities is wrong."}\r\nActivityId: 9e5b',
    }),
    leafCode: "BadRequest",
    leafMessage: "Sum of capacities is wrong.",
  },
  {
    service: "Compute",
    shape: "an extension's message with quotes and lines",
    source: "Troubleshooting VM extensions",
    body: failedWith({
      code: "VMExtensionProvisioningError",
      message:
        "VM has reported a failure when processing extension 'init'.\r\nError message: \"exit status=1\"",
    }),
    leafCode: "VMExtensionProvisioningError",
    leafMessage: "VM has reported a failure when processing extension 'init'.",
  },
];

const places: readonly FailedBody[] = [
  {
    service: "Resources",
    shape: "a deployment: the error is at `properties.error`",
    source: "Deployments - Get",
    body: { id: "d1", status: "Failed", properties: { duration: "PT4S", error: zonal } },
    errorAt: ["properties", "error"],
    leafCode: "ZonalAllocationFailed",
    leafMessage: "Allocation failed.",
  },
  {
    service: "Resources",
    shape: "a deployment operation: `properties.statusMessage.error`",
    source: "net PR#52089",
    body: {
      status: "Failed",
      properties: { statusCode: "Conflict", statusMessage: { status: "Failed", error: sku } },
    },
    errorAt: ["properties", "statusMessage"],
    leafCode: "SkuNotAvailable",
    leafMessage: "The size Standard_D2 is not available.",
  },
  {
    service: "Resources",
    shape: "a deployment operation: statusMessage is JSON in a text",
    source: "net PR#52089",
    body: {
      status: "Failed",
      properties: { statusCode: 409, statusMessage: escaped({ error: disallowed }) },
    },
    errorAt: ["properties", "statusMessage"],
    leafCode: "RequestDisallowedByPolicy",
    leafMessage: "Resource 'nic1' was disallowed by policy.",
  },
  {
    service: "Resources",
    shape: "a deployment operation: statusMessage is a plain text",
    source: "net PR#52089",
    body: { status: "Failed", properties: { statusMessage: "The gateway timed out." } },
    errorAt: ["properties"],
    leafMessage: "The gateway timed out.",
  },
  {
    service: "SQL Managed Instance",
    shape: "`properties.errorCode` is a number, with errorDescription",
    source: "ManagedInstanceOperationProperties",
    body: {
      status: "Failed",
      properties: {
        errorCode: 45161,
        errorDescription: "The subnet is too small.",
        errorSeverity: 16,
        isUserError: true,
      },
    },
    errorAt: ["properties"],
    leafCode: "45161",
    leafMessage: "The subnet is too small.",
  },
  {
    service: "HDInsight",
    shape: "a list at `properties.errors`",
    source: "ClusterGetProperties",
    body: {
      status: "Failed",
      properties: {
        clusterState: "Error",
        errors: [{ code: "InvalidSubnet", message: "The subnet is unknown." }],
      },
    },
    errorAt: ["properties", "errors"],
    leafCode: "InvalidSubnet",
    leafMessage: "The subnet is unknown.",
  },
  {
    service: "Network",
    shape: "code and message at the root",
    source: "gas errors.go",
    body: { status: "Failed", code: "InUseSubnetCannotBeDeleted", message: "Subnet s1 is in use." },
    errorAt: [],
    leafCode: "InUseSubnetCannotBeDeleted",
    leafMessage: "Subnet s1 is in use.",
  },
  {
    service: "Network",
    shape: "code, message and details at the root",
    source: "gas errors.go",
    body: {
      status: "Failed",
      code: "MultipleErrors",
      message: "See details.",
      details: [{ code: "NicInUse", message: "nic1 is in use.", target: "nic1" }],
    },
    errorAt: [],
    leafCode: "NicInUse",
    leafMessage: "nic1 is in use.",
  },
  {
    service: "Network",
    shape: "a message without a code",
    source: "go PR#19385",
    body: failedWith({ message: "The resource group was not found." }),
    leafMessage: "The resource group was not found.",
  },
  {
    service: "A resource provider",
    shape: "a code without a message",
    source: "go PR#19385",
    body: failedWith({ code: "InternalServerError" }),
    leafCode: "InternalServerError",
  },
  {
    service: "A resource provider",
    shape: "the code is a number",
    source: "issue 15, kind 3",
    body: failedWith({ code: 500, message: "An internal error occurred." }),
    leafCode: "500",
    leafMessage: "An internal error occurred.",
  },
  {
    service: "Managed HSM",
    shape: "the code is null, and the message tells all",
    source: "js recordings of keyvault-admin",
    body: failedWith({ code: null, message: "The storage account refused the token.", innererror: null }),
    leafMessage: "The storage account refused the token.",
  },
  {
    service: "Service Bus",
    shape: "the code is a number as text, the message has a SubCode",
    source: "Service Bus Resource Manager exceptions",
    body: failedWith({
      code: "40901",
      message: "SubCode=40901. Another conflicting operation is in progress.",
    }),
    leafCode: "40901",
    leafMessage: "Another conflicting operation is in progress.",
  },
];

export const resourceManagerErrors: readonly FailedBody[] = [...trees, ...policies, ...documents, ...places];
