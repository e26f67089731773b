import type { TokenCredential } from "@azure/identity";

/** Loads `DefaultAzureCredential` on demand: loading takes a while, and only https endpoints need it. */
export async function loadDefaultCredential(): Promise<TokenCredential> {
  const { DefaultAzureCredential } = await import("@azure/identity");
  return new DefaultAzureCredential();
}

/** Returns a credential that is loaded with its first token, after the arguments have been checked. */
export function lazyCredential(load: () => Promise<TokenCredential>): TokenCredential {
  let loading: Promise<TokenCredential> | undefined;
  return {
    async getToken(scopes, options) {
      loading ??= load();
      return (await loading).getToken(scopes, options);
    },
  };
}

/** How to sign in, for `--help` and for a missing credential. */
export const credentialAdvice = `Sign in with one of these:
  on your own machine   az login   (Azure CLI), Connect-AzAccount (PowerShell) or azd auth login
  in a pipeline         set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET (or AZURE_CLIENT_CERTIFICATE_PATH)
  in Azure              give the machine a managed identity (AZURE_CLIENT_ID names one of several)`;

/** The advice after a 401 if the request had no token. */
export const noTokenAdvice =
  "The request had no token, because lro sends none over http. Use the https URL of the operation.";

/** The advice after a 401 if the request had a token. */
export const rejectedTokenAdvice = `The request had a token, and the service did not accept it.
Check that DefaultAzureCredential signs in to the tenant of the operation (Azure CLI: az account show).
If the service takes tokens of another scope, name it by --scope.`;
