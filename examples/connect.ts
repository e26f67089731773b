import { startOperationStatusServer } from "lro-poller/testing";
import type { Timeline } from "lro-poller/testing";

const devBoxInFourSeconds: Timeline = [
  { status: "NotStarted", durationInMs: 1000 },
  { status: "Running", durationInMs: 3000, percentComplete: { from: 0, to: 90, step: 10 } },
  { status: "Succeeded", percentComplete: 100, properties: { uri: "https://devbox.example/my-dev-box" } },
];

/**
 * Where the examples find an operation: in Azure, when DEVCENTER_ENDPOINT, DEVCENTER_PROJECT and
 * DEVCENTER_OPERATION_ID are set; in an emulator on this machine otherwise.
 */
export async function connect(timeline: Timeline = devBoxInFourSeconds) {
  const { DEVCENTER_ENDPOINT, DEVCENTER_PROJECT = "", DEVCENTER_OPERATION_ID = "" } = process.env;
  const named = {
    projectName: DEVCENTER_PROJECT,
    operationId: DEVCENTER_OPERATION_ID,
    close: async () => {},
  };
  // An emulator in another process, such as that of `npx lro emulate`, takes no credential.
  if (DEVCENTER_ENDPOINT?.startsWith("http:")) {
    return { endpoint: DEVCENTER_ENDPOINT, credential: undefined, ...named };
  }
  if (DEVCENTER_ENDPOINT !== undefined) {
    const { DefaultAzureCredential } = await import("@azure/identity");
    return {
      endpoint: DEVCENTER_ENDPOINT,
      credential: new DefaultAzureCredential(),
      ...named,
    };
  }
  const server = await startOperationStatusServer();
  return {
    endpoint: server.endpoint,
    credential: undefined,
    ...server.addOperation({ timeline }),
    close: () => server.close(),
  };
}
