import type { SdkClient } from "./client.ts";
import { documentIntelligence } from "./clients/ai-document-intelligence.ts";
import { formRecognizer } from "./clients/ai-form-recognizer.ts";
import { languageText } from "./clients/ai-language-text.ts";
import { textAnalytics } from "./clients/ai-text-analytics.ts";
import { documentTranslation } from "./clients/ai-translation-document.ts";
import { armCompute } from "./clients/arm-compute.ts";
import { armContainerInstance } from "./clients/arm-containerinstance.ts";
import { armKeyVault } from "./clients/arm-keyvault.ts";
import { armResources5 } from "./clients/arm-resources-5.ts";
import { armResources } from "./clients/arm-resources.ts";
import { armDeployments } from "./clients/arm-resourcesdeployments.ts";
import { communicationEmail } from "./clients/communication-email.ts";
import { communicationPhoneNumbers } from "./clients/communication-phone-numbers.ts";
import { keyVaultCertificates } from "./clients/keyvault-certificates.ts";
import { keyVaultSecrets } from "./clients/keyvault-secrets.ts";
import { storageBlob } from "./clients/storage-blob.ts";

/** The clients, by the generation of their pollers. */
export const clients: readonly SdkClient[] = [
  armCompute,
  armDeployments,
  armResources,
  armKeyVault,
  documentIntelligence,
  documentTranslation,
  armContainerInstance,
  armResources5,
  communicationEmail,
  communicationPhoneNumbers,
  languageText,
  formRecognizer,
  keyVaultCertificates,
  keyVaultSecrets,
  storageBlob,
  textAnalytics,
];
