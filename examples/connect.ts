import { startOperationServer } from "lro-poller/testing";
import type { Timeline } from "lro-poller/testing";

const devBoxInFourSeconds: Timeline = [
  { status: "NotStarted", durationInMs: 1000 },
  { status: "Running", durationInMs: 3000, percentComplete: { from: 0, to: 90, step: 10 } },
  { status: "Succeeded", percentComplete: 100, properties: { uri: "https://devbox.example/my-dev-box" } },
];

/**
 * Returns an operation for the examples: in Azure, if DEVCENTER_ENDPOINT, DEVCENTER_PROJECT and DEVCENTER_OPERATION_ID
 * are set, and in an emulator on this machine otherwise.
 */
export async function connect() {
  const { operationIds, ...connection } = await connectToMany([devBoxInFourSeconds]);
  const [operationId = ""] = operationIds;
  return { operationId, ...connection };
}

/** Returns several operations; in Azure those of DEVCENTER_OPERATION_ID, separated by commas. */
export async function connectToMany(timelines: readonly Timeline[]) {
  const { DEVCENTER_ENDPOINT, DEVCENTER_PROJECT = "", DEVCENTER_OPERATION_ID = "" } = process.env;
  if (DEVCENTER_ENDPOINT !== undefined) {
    return {
      endpoint: DEVCENTER_ENDPOINT,
      credential: await credentialFor(DEVCENTER_ENDPOINT),
      projectName: DEVCENTER_PROJECT,
      operationIds: DEVCENTER_OPERATION_ID.split(","),
      close: async () => {},
    };
  }
  const server = await startOperationServer();
  const operationIds = timelines.map((timeline) => server.addOperation({ timeline }).operationId);
  const close = () => server.close();
  return { endpoint: server.endpoint, credential: undefined, projectName: "myProject", operationIds, close };
}

/** Returns the credential for an endpoint: none for an emulator, such as that of `npx lro emulate`. */
export async function credentialFor(endpoint: string) {
  if (endpoint.startsWith("http:")) return undefined;
  const { DefaultAzureCredential } = await import("@azure/identity");
  return new DefaultAzureCredential();
}
