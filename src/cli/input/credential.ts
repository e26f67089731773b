import type { TokenCredential } from "@azure/identity";
import { LroError } from "../../index.ts";

/** `DefaultAzureCredential`, loaded only now: it takes a while and https endpoints alone need it. */
export async function loadDefaultCredential(): Promise<TokenCredential> {
  const { DefaultAzureCredential } = await import("@azure/identity");
  return new DefaultAzureCredential();
}

/** A credential that is loaded when its first token is asked for: after the arguments have been checked. */
export function lazyCredential(load: () => Promise<TokenCredential>): TokenCredential {
  let loading: Promise<TokenCredential> | undefined;
  return {
    async getToken(scopes, options) {
      loading ??= load();
      return (await loading).getToken(scopes, options);
    },
  };
}

/**
 * Whether a host belongs to DevCenter, so that a token for DevCenter is safe with it. Only the public cloud has
 * DevCenter hosts that are documented.
 */
export function mayGetToken(hostname: string): boolean {
  return hostname.endsWith(".devcenter.azure.com");
}

/** For `--help`, and for those who have no credential. */
export const credentialAdvice = `Sign in with one of these:
  on your own machine   az login   (Azure CLI), Connect-AzAccount (PowerShell) or azd auth login
  in a pipeline         set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET (or AZURE_CLIENT_CERTIFICATE_PATH)
  in Azure              give the machine a managed identity (AZURE_CLIENT_ID names one of several)`;

/** Whether a wait or a read ended because there is no token. */
export function isCredentialError(error: unknown): boolean {
  return error instanceof LroError && error.code === "CredentialError";
}
