import type {
  AnalyzeDocument202Response,
  AnalyzeDocumentLogicalResponse,
  AnalyzeDocumentDefaultResponse,
  DocumentIntelligenceClient,
  getLongRunningPoller as getDocumentPoller,
} from "@azure-rest/ai-document-intelligence";
import type {
  DocumentTranslationClient,
  StartTranslation202Response,
  StartTranslationDefaultResponse,
  StartTranslationLogicalResponse,
  getLongRunningPoller as getTranslationPoller,
} from "@azure-rest/ai-translation-document";
import type { AnalyzeResult, DocumentAnalysisClient } from "@azure/ai-form-recognizer";
import type { PagedAnalyzeBatchResult, TextAnalysisClient } from "@azure/ai-language-text";
import type { PagedAnalyzeHealthcareEntitiesResult, TextAnalyticsClient } from "@azure/ai-text-analytics";
import type { ComputeManagementClient, VirtualMachine } from "@azure/arm-compute";
import type { ContainerGroup, ContainerInstanceManagementClient } from "@azure/arm-containerinstance";
import type { KeyVaultManagementClient, Vault, VaultCreateOrUpdateParameters } from "@azure/arm-keyvault";
import type { ResourceManagementClient } from "@azure/arm-resources";
import type { DeploymentExtended, DeploymentsClient } from "@azure/arm-resourcesdeployments";
import type { EmailClient, EmailSendResponse } from "@azure/communication-email";
import type { PhoneNumberSearchResult, PhoneNumbersClient } from "@azure/communication-phone-numbers";
import type { CertificateClient, KeyVaultCertificateWithPolicy } from "@azure/keyvault-certificates";
import type { DeletedSecret, SecretClient } from "@azure/keyvault-secrets";
import type { BlobBeginCopyFromURLResponse, BlobClient } from "@azure/storage-blob";
import type {
  Deployment as Deployment5,
  DeploymentExtended as DeploymentExtended5,
  ResourceManagementClient as ResourceManagementClient5,
} from "arm-resources-5";
import { expectTypeOf, test } from "vitest";
import { fromPollerLike } from "lro-poller";
import type { AzurePoller, LegacyPollerLike, Operation } from "lro-poller";

type Deployment = Parameters<DeploymentsClient["deployments"]["createOrUpdate"]>[2];
type Search = Parameters<PhoneNumbersClient["beginSearchAvailablePhoneNumbers"]>[0];
type Message = Parameters<EmailClient["beginSend"]>[0];
type Policy = Parameters<CertificateClient["beginCreateCertificate"]>[1];

// Nothing here runs: each function only has to compile, without a cast.
const pollers = {
  compute: (client: ComputeManagementClient, vm: VirtualMachine) =>
    client.virtualMachines.createOrUpdate("g1", "vm1", vm),
  deployments: (client: DeploymentsClient, deployment: Deployment) =>
    client.deployments.createOrUpdate("g1", "d1", deployment),
  resources: (client: ResourceManagementClient) => client.resourceGroups.delete("g1"),
  keyVault: (client: KeyVaultManagementClient, vault: VaultCreateOrUpdateParameters) =>
    client.vaults.createOrUpdate("g1", "v1", vault),
  documents: (
    getPoller: typeof getDocumentPoller,
    client: DocumentIntelligenceClient,
    initial: AnalyzeDocument202Response,
  ) => getPoller<AnalyzeDocumentLogicalResponse | AnalyzeDocumentDefaultResponse>(client, initial),
  translation: (
    getPoller: typeof getTranslationPoller,
    client: DocumentTranslationClient,
    initial: StartTranslation202Response,
  ) => getPoller<StartTranslationLogicalResponse | StartTranslationDefaultResponse>(client, initial),
  containers: (client: ContainerInstanceManagementClient, group: ContainerGroup) =>
    client.containerGroups.beginCreateOrUpdate("g1", "c1", group),
  resources5: (client: ResourceManagementClient5, deployment: Deployment5) =>
    client.deployments.beginCreateOrUpdate("g1", "d1", deployment),
  email: (client: EmailClient, message: Message) => client.beginSend(message),
  phoneNumbers: (client: PhoneNumbersClient, search: Search) =>
    client.beginSearchAvailablePhoneNumbers(search),
  language: (client: TextAnalysisClient) => client.beginAnalyzeBatch([], []),
  forms: (client: DocumentAnalysisClient) => client.beginAnalyzeDocumentFromUrl("m1", "https://a.example"),
  certificates: (client: CertificateClient, policy: Policy) => client.beginCreateCertificate("c1", policy),
  secrets: (client: SecretClient) => client.beginDeleteSecret("s1"),
  blobs: (client: BlobClient) => client.beginCopyFromURL("https://a.example"),
  textAnalytics: (client: TextAnalyticsClient) => client.beginAnalyzeHealthcareEntities([]),
};

type Pollers = typeof pollers;

// A poller of core-lro 3 is a thenable: a function that waits for it would wait for the operation.
const operations = {
  compute: (...args: Parameters<Pollers["compute"]>) => fromPollerLike(pollers.compute(...args)),
  deployments: (...args: Parameters<Pollers["deployments"]>) => fromPollerLike(pollers.deployments(...args)),
  resources: (...args: Parameters<Pollers["resources"]>) => fromPollerLike(pollers.resources(...args)),
  keyVault: (...args: Parameters<Pollers["keyVault"]>) => fromPollerLike(pollers.keyVault(...args)),
  documents: (...args: Parameters<Pollers["documents"]>) => fromPollerLike(pollers.documents(...args)),
  translation: async (...args: Parameters<Pollers["translation"]>) =>
    fromPollerLike(await pollers.translation(...args)),
  containers: async (...args: Parameters<Pollers["containers"]>) =>
    fromPollerLike(await pollers.containers(...args)),
  resources5: async (...args: Parameters<Pollers["resources5"]>) =>
    fromPollerLike(await pollers.resources5(...args)),
  email: async (...args: Parameters<Pollers["email"]>) => fromPollerLike(await pollers.email(...args)),
  phoneNumbers: async (...args: Parameters<Pollers["phoneNumbers"]>) =>
    fromPollerLike(await pollers.phoneNumbers(...args)),
  language: async (...args: Parameters<Pollers["language"]>) =>
    fromPollerLike(await pollers.language(...args)),
  forms: async (...args: Parameters<Pollers["forms"]>) => fromPollerLike(await pollers.forms(...args)),
  certificates: async (...args: Parameters<Pollers["certificates"]>) =>
    fromPollerLike(await pollers.certificates(...args)),
  secrets: async (...args: Parameters<Pollers["secrets"]>) => fromPollerLike(await pollers.secrets(...args)),
  blobs: async (...args: Parameters<Pollers["blobs"]>) => fromPollerLike(await pollers.blobs(...args)),
  textAnalytics: async (...args: Parameters<Pollers["textAnalytics"]>) =>
    fromPollerLike(await pollers.textAnalytics(...args)),
};

test("fromPollerLike takes the poller of each client, and has its result", () => {
  expectTypeOf(operations.compute).returns.toEqualTypeOf<Operation<VirtualMachine>>();
  expectTypeOf(operations.deployments).returns.toEqualTypeOf<Operation<DeploymentExtended>>();
  expectTypeOf(operations.resources).returns.toEqualTypeOf<Operation<void>>();
  expectTypeOf(operations.keyVault).returns.toEqualTypeOf<Operation<Vault>>();
  expectTypeOf(operations.documents).returns.toEqualTypeOf<
    Operation<AnalyzeDocumentLogicalResponse | AnalyzeDocumentDefaultResponse>
  >();
  expectTypeOf(operations.translation).returns.resolves.toEqualTypeOf<
    Operation<StartTranslationLogicalResponse | StartTranslationDefaultResponse>
  >();
  expectTypeOf(operations.containers).returns.resolves.toEqualTypeOf<Operation<ContainerGroup>>();
  expectTypeOf(operations.resources5).returns.resolves.toEqualTypeOf<Operation<DeploymentExtended5>>();
  expectTypeOf(operations.email).returns.resolves.toEqualTypeOf<Operation<EmailSendResponse>>();
  expectTypeOf(operations.phoneNumbers).returns.resolves.toEqualTypeOf<Operation<PhoneNumberSearchResult>>();
  expectTypeOf(operations.language).returns.resolves.toEqualTypeOf<Operation<PagedAnalyzeBatchResult>>();
  expectTypeOf(operations.forms).returns.resolves.toEqualTypeOf<Operation<AnalyzeResult>>();
  expectTypeOf(operations.certificates).returns.resolves.toEqualTypeOf<
    Operation<KeyVaultCertificateWithPolicy>
  >();
  expectTypeOf(operations.secrets).returns.resolves.toEqualTypeOf<Operation<DeletedSecret>>();
  expectTypeOf(operations.blobs).returns.resolves.toEqualTypeOf<Operation<BlobBeginCopyFromURLResponse>>();
  expectTypeOf(operations.textAnalytics).returns.resolves.toEqualTypeOf<
    Operation<PagedAnalyzeHealthcareEntitiesResult>
  >();
});

test("toPollerLike fits where a poller of core-lro 3 is expected", () => {
  expectTypeOf<AzurePoller<VirtualMachine>>().toExtend<ReturnType<Pollers["compute"]>>();
  expectTypeOf<AzurePoller<DeploymentExtended>>().toExtend<ReturnType<Pollers["deployments"]>>();
  expectTypeOf<AzurePoller<void>>().toExtend<ReturnType<Pollers["resources"]>>();
  expectTypeOf<AzurePoller<Vault>>().toExtend<ReturnType<Pollers["keyVault"]>>();
  expectTypeOf<AzurePoller<AnalyzeDocumentLogicalResponse | AnalyzeDocumentDefaultResponse>>().toExtend<
    ReturnType<Pollers["documents"]>
  >();
});

/** The poller that a method resolves with. */
type PollerOf<TName extends keyof Pollers> = Awaited<ReturnType<Pollers[TName]>>;

test("toPollerLike fits where a poller of core-lro 2 is expected", () => {
  expectTypeOf<LegacyPollerLike<ContainerGroup>>().toExtend<PollerOf<"containers">>();
  expectTypeOf<LegacyPollerLike<DeploymentExtended5>>().toExtend<PollerOf<"resources5">>();
  expectTypeOf<LegacyPollerLike<EmailSendResponse>>().toExtend<PollerOf<"email">>();
  expectTypeOf<LegacyPollerLike<PhoneNumberSearchResult>>().toExtend<PollerOf<"phoneNumbers">>();
  expectTypeOf<LegacyPollerLike<DeletedSecret>>().toExtend<PollerOf<"secrets">>();
  expectTypeOf<LegacyPollerLike<BlobBeginCopyFromURLResponse>>().toExtend<PollerOf<"blobs">>();
});

test("toPollerLike does not fit where a client's poller has members of its own, as docs/azure-sdks.md says", () => {
  expectTypeOf<LegacyPollerLike<PagedAnalyzeBatchResult>>().not.toExtend<PollerOf<"language">>();
  expectTypeOf<LegacyPollerLike<AnalyzeResult>>().not.toExtend<PollerOf<"forms">>();
  expectTypeOf<LegacyPollerLike<KeyVaultCertificateWithPolicy>>().not.toExtend<PollerOf<"certificates">>();
  expectTypeOf<LegacyPollerLike<PagedAnalyzeHealthcareEntitiesResult>>().not.toExtend<
    PollerOf<"textAnalytics">
  >();
  expectTypeOf<
    LegacyPollerLike<StartTranslationLogicalResponse | StartTranslationDefaultResponse>
  >().not.toExtend<PollerOf<"translation">>();
});
