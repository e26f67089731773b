import { SecretClient } from "@azure/keyvault-secrets";
import { DefaultAzureCredential } from "@azure/identity";
import { fromPollerLike, pollUntilDone } from "lro-poller";

/** Continues the deletion of a secret that another process has started. */
export async function continueDeletion(vaultUrl: string, token: string) {
  const client = new SecretClient(vaultUrl, new DefaultAzureCredential());
  // Hand-written pollers need the arguments of the start again. They send no second initial request.
  const azurePoller = await client.beginDeleteSecret("my-secret", { resumeFrom: token });
  return pollUntilDone(fromPollerLike(azurePoller, { pipeline: client["client"].pipeline }));
}
