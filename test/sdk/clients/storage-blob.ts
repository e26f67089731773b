import { BlobClient } from "@azure/storage-blob";
import { clientOptions, credential, pipelineIn } from "../client.ts";
import type { SdkClient } from "../client.ts";
import { innerCode, resultMark } from "../service.ts";
import type { Reply } from "../service.ts";

const path = "/account/container/blob";

/** The state of a copy is in headers of the blob. */
function copy(state: string, status = 200, description?: string): Reply {
  return {
    status,
    headers: {
      "x-ms-copy-id": resultMark,
      "x-ms-copy-status": state,
      ...(description && { "x-ms-copy-status-description": description }),
    },
  };
}

export const storageBlob: SdkClient = {
  name: "@azure/storage-blob",
  method: "beginCopyFromURL",
  generation: "handWritten",
  service: {
    initial: [`PUT ${path}`, copy("pending", 202)],
    poll: [
      `HEAD ${path}`,
      {
        running: copy("pending"),
        succeeded: copy("success"),
        failed: copy("failed", 200, `404 ${innerCode} "Copy failed when retrieving the source."`),
      },
    ],
  },
  async start(endpoint, resumeFrom) {
    const client = new BlobClient(`${endpoint}${path}`, credential, clientOptions);
    const options = { intervalInMs: 1, ...(resumeFrom && { resumeFrom }) };
    const poller = await client.beginCopyFromURL("https://source.example/blob", options);
    return {
      poller,
      pipeline: pipelineIn(client, "storageClientContext"),
      serialize: () => poller.toString(),
    };
  },
};
