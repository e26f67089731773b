import { innerCode, nestedError, resultMark } from "./service.ts";
import type { Reply, Service } from "./service.ts";

const monitor = "/subscriptions/s1/providers/Microsoft.Sdk/locations/westeurope/operationStatuses/o1";

/** The error of Resource Manager: the reason is in its details. */
export const armError = {
  code: "DeploymentFailed",
  message: "At least one resource deployment operation failed.",
  details: [{ code: innerCode, message: "The size is not available." }],
} as const;

/** Resource Manager with a status monitor. */
export function armService(path: string, properties: object): Service {
  const statusOf = (status: string, error?: object): Reply => ({
    status: 200,
    body: { name: "o1", status, ...(error && { error }) },
  });
  const resource = { id: path, name: resultMark, location: "westeurope" };
  return {
    initial: [
      `PUT ${path}`,
      {
        status: 201,
        headers: { "azure-asyncoperation": `{origin}${monitor}?api-version=2024-01-01` },
        body: { ...resource, properties: { ...properties, provisioningState: "Creating" } },
      },
    ],
    poll: [
      `GET ${monitor}`,
      {
        running: statusOf("InProgress"),
        succeeded: statusOf("Succeeded"),
        failed: statusOf("Failed", armError),
      },
    ],
    result: [
      `GET ${path}`,
      { status: 200, body: { ...resource, properties: { ...properties, provisioningState: "Succeeded" } } },
    ],
  };
}

/** A data plane with a status monitor in `Operation-Location`, which has the result too. */
export function monitorService(
  initialRequest: string,
  path: string,
  result: object,
  {
    query = "?api-version=2024-01-01",
    initialBody,
    common = {},
    words,
    failure = { error: nestedError },
  }: MonitorOptions = {},
): Service {
  const statusOf = (state: State, more?: object): Reply => ({
    status: 200,
    body: { ...common, status: words?.[state] ?? state, ...more },
  });
  const headers = { "operation-location": `{origin}${path}${query}` };
  return {
    initial: [initialRequest, { status: 202, headers, ...(initialBody && { body: initialBody }) }],
    poll: [
      `GET ${path}`,
      {
        running: statusOf("running"),
        succeeded: statusOf("succeeded", result),
        failed: statusOf("failed", failure),
      },
    ],
  };
}

type State = "running" | "succeeded" | "failed";

interface MonitorOptions {
  /** The query of the status monitor. */
  readonly query?: string;
  readonly initialBody?: object;
  /** The fields of every status. */
  readonly common?: object;
  /** The service's own words for the states. */
  readonly words?: Readonly<Record<State, string>>;
  /** The fields of the status of an operation that has failed. */
  readonly failure?: object;
}

/** States in words with a capital letter. */
export const capitalWords = { running: "Running", succeeded: "Succeeded", failed: "Failed" } as const;

const date = "2026-01-01T00:00:00Z";

/** The dates in a status, by the names that most services give them. */
export const dates = {
  createdDateTime: date,
  lastUpdatedDateTime: date,
  lastUpdateDateTime: date,
  expirationDateTime: date,
} as const;
