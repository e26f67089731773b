import { EmailClient } from "@azure/communication-email";
import { clientOptions, credential, pipelineIn } from "../client.ts";
import type { SdkClient } from "../client.ts";
import { resultMark } from "../service.ts";
import { capitalWords, monitorService } from "../services.ts";

const message = {
  senderAddress: "a@example.com",
  content: { subject: "Hello", plainText: "Hello" },
  recipients: { to: [{ address: "b@example.com" }] },
};

export const communicationEmail: SdkClient = {
  name: "@azure/communication-email",
  method: "beginSend",
  generation: "generated",
  service: monitorService(
    "POST /emails:send",
    "/emails/operations/o1",
    { id: resultMark },
    { initialBody: { id: "o1", status: "Running" }, common: { id: "o1" }, words: capitalWords },
  ),
  async start(endpoint, resumeFrom) {
    const client = new EmailClient(endpoint, credential, clientOptions);
    const options = { updateIntervalInMs: 1, ...(resumeFrom && { resumeFrom }) };
    const poller = await client.beginSend(message, options);
    return { poller, pipeline: pipelineIn(client, "generatedClient"), serialize: () => poller.toString() };
  },
};
