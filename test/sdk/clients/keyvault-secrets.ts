import { SecretClient } from "@azure/keyvault-secrets";
import { clientOptions, credential, pipelineIn } from "../client.ts";
import type { SdkClient } from "../client.ts";
import { errorReply, resultMark } from "../service.ts";

const deleted = {
  status: 200,
  body: {
    id: `{origin}/secrets/s1/${resultMark}`,
    recoveryId: "{origin}/deletedsecrets/s1",
    attributes: { enabled: true },
  },
} as const;

/** There is no state: the deleted secret is 404 until the secret has been deleted. */
export const keyVaultSecrets: SdkClient = {
  name: "@azure/keyvault-secrets",
  method: "beginDeleteSecret",
  generation: "handWritten",
  service: {
    initial: ["DELETE /secrets/s1", deleted],
    poll: ["GET /deletedsecrets/s1", { running: errorReply(404, "SecretNotFound"), succeeded: deleted }],
  },
  async start(endpoint, resumeFrom) {
    const unverified = { ...clientOptions, disableChallengeResourceVerification: true };
    const client = new SecretClient(endpoint, credential, unverified);
    const options = { intervalInMs: 1, ...(resumeFrom && { resumeFrom }) };
    const poller = await client.beginDeleteSecret("s1", options);
    return { poller, pipeline: pipelineIn(client, "client"), serialize: () => poller.toString() };
  },
};
