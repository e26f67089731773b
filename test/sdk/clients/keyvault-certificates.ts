import { CertificateClient } from "@azure/keyvault-certificates";
import { clientOptions, credential, pipelineIn } from "../client.ts";
import type { SdkClient } from "../client.ts";
import { nestedError, resultMark } from "../service.ts";
import type { Reply } from "../service.ts";

const policy = { issuerName: "Self", subject: "CN=example" };

function pending(status: string, httpStatus = 200, error?: object): Reply {
  const body = { id: "{origin}/certificates/c1/pending", status, request_id: "1", ...(error && { error }) };
  return { status: httpStatus, body };
}

export const keyVaultCertificates: SdkClient = {
  name: "@azure/keyvault-certificates",
  method: "beginCreateCertificate",
  generation: "handWritten",
  service: {
    initial: ["POST /certificates/c1/create", pending("inProgress", 202)],
    poll: [
      "GET /certificates/c1/pending",
      {
        running: pending("inProgress"),
        succeeded: pending("completed"),
        failed: pending("failed", 200, nestedError),
      },
    ],
    result: [
      "GET /certificates/c1/",
      { status: 200, body: { id: `{origin}/certificates/c1/${resultMark}`, attributes: { enabled: true } } },
    ],
  },
  async start(endpoint, resumeFrom) {
    const unverified = { ...clientOptions, disableChallengeResourceVerification: true };
    const client = new CertificateClient(endpoint, credential, unverified);
    const options = { intervalInMs: 1, ...(resumeFrom && { resumeFrom }) };
    const poller = await client.beginCreateCertificate("c1", policy, options);
    return { poller, pipeline: pipelineIn(client, "client"), serialize: () => poller.toString() };
  },
};
