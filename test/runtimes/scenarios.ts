import {
  LroClient,
  OperationFailedError,
  OperationStatusesClient,
  createPoller,
  fixed,
  pollAll,
  pollUntilDone,
} from "lro-poller";
import type { FailedPoll, Operation, Progress } from "lro-poller";
import type { AddOperationOptions, Timeline } from "lro-poller/testing";
import { rejection } from "../support/rejections.ts";
import { failing, succeeding, token } from "./plans.ts";

/** The emulator as a scenario uses it. */
export interface Host {
  readonly endpoint: string;
  /** The endpoint of the emulator of Azure Resource Manager. */
  readonly armEndpoint: string;
  /** Adds an operation to the emulator. Returns its Operation-Location. */
  readonly add: (options: AddOperationOptions) => Promise<string>;
  /** Returns the arrival times of the operation's polls at the emulator, in milliseconds of its clock. */
  readonly arrivals: (operationLocation: string) => Promise<readonly number[]>;
  /** Whether responses show only the headers that they expose, as in a page of another origin. */
  readonly hidesHeaders: boolean;
}

type Scenario = (host: Host) => Promise<void>;

const schedule = fixed(20);
const credential = { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) };
const scopes = "https://management.azure.com/.default";

/** The scenarios by name. A scenario throws if the library does not behave as expected. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  result: async (host) => {
    const seen: string[] = [];
    const onProgress = ({ status, percentComplete }: Progress): void =>
      void seen.push(`${status} ${percentComplete}`);
    const result = await pollUntilDone(await planned(host, succeeding), { schedule, onProgress });
    equal(seen, ["NotStarted undefined", "Running 40", "Succeeded 100"]);
    equal(result, { uri: "https://devbox.example/my-dev-box" });
  },

  "nested error": async (host) => {
    const operation = await planned(host, failing);
    const error = await rejection(pollUntilDone(operation, { schedule }), OperationFailedError);
    const { code, details, innererror } = error;
    equal(
      [code, details[0]?.code, innererror?.code, innererror?.innererror?.code],
      ["DeploymentFailed", "QuotaExceeded", "ComputeQuota", "CoresInRegion"],
    );
  },

  abort: async (host) => {
    const location = await host.add({
      timeline: [{ status: "Running", polls: 1 }, { status: "Succeeded" }],
      faults: { 2: { kind: "hang" } },
    });
    const poller = createPoller(operationAt(host, location), { schedule });
    const controller = new AbortController();
    const wait = rejection(poller.pollUntilDone({ abortSignal: controller.signal }));
    while ((await host.arrivals(location)).length < 2);
    const reason = new Error("enough");
    controller.abort(reason);
    equal((await wait) === reason, true);
    await poller.pollUntilDone();
    equal((await host.arrivals(location)).length, 3);
  },

  outage: async (host) => {
    const location = await host.add({
      timeline: [{ status: "Succeeded", properties: "late" }],
      faults: {
        1: { kind: "reset", when: "midBody" },
        2: { kind: "hang" },
        3: { kind: "body", text: "<html>" },
      },
    });
    const failures: FailedPoll[] = [];
    const result = await pollUntilDone(operationAt(host, location), {
      requestTimeoutInMs: 500,
      maxRetryDelayInMs: 50,
      onFailedPoll: (failure) => void failures.push(failure),
    });
    equal([result, failures.length], ["late", 3]);
    equal(failures[1]?.error.code, "RequestTimeout");
  },

  "Retry-After": async (host) => {
    const location = await host.add({
      timeline: [{ status: "Running", polls: 1 }, { status: "Succeeded" }],
      retryAfter: 1,
    });
    const waits: (number | undefined)[] = [];
    const onProgress = ({ nextPollInMs }: Progress): unknown => waits.push(nextPollInMs);
    await pollUntilDone(operationAt(host, location), { schedule, onProgress });
    const [first = NaN, second = NaN] = await host.arrivals(location);
    const [waitInMs = NaN] = waits;
    equal(waitInMs >= 1000, !host.hidesHeaders);
    equal(second - first >= Math.floor(waitInMs), true);
  },

  "Retry-After of a 429, exposed to pages": async (host) => {
    const headers = { "access-control-expose-headers": "Retry-After" };
    const location = await host.add({
      timeline: [{ status: "Succeeded" }],
      faults: { 1: { kind: "status", status: 429, retryAfter: 1, headers } },
    });
    await pollUntilDone(operationAt(host, location), { schedule, maxRetryDelayInMs: 20 });
    const [first = NaN, second = NaN] = await host.arrivals(location);
    equal(second - first >= 1000, true);
  },

  pollAll: async (host) => {
    const operations = [await planned(host, succeeding), await planned(host, failing)];
    const results = await pollAll(operations, { schedule });
    equal(
      results.map(({ status }) => status),
      ["fulfilled", "rejected"],
    );
  },

  "Resource Manager by start, URL and token": async ({ armEndpoint }) => {
    const client = new LroClient(armEndpoint, credential, { scopes });
    const url =
      "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v?api-version=2024-07-01";
    const started = client.startOperation<Vm>({ method: "PUT", url, body: {} }, { schedule });
    const { headers } = await started.started;
    const byUrl = createPoller(client.operationAt(headers["azure-asyncoperation"] ?? ""), { schedule });
    await byUrl.poll();
    const resumed = client.resume(JSON.stringify(byUrl), { schedule });
    equal((await started.pollUntilDone()).properties, { size: 3, provisioningState: "Succeeded" });
    equal([await byUrl.pollUntilDone(), await resumed.pollUntilDone()], [{ size: 3 }, { size: 3 }]);
  },
};

interface Vm {
  readonly properties: object;
}

/** Adds an operation with this timeline to the emulator. */
export async function planned(host: Host, timeline: Timeline): Promise<Operation> {
  return operationAt(host, await host.add({ timeline }));
}

function operationAt({ endpoint }: Host, operationLocation: string): Operation {
  return new OperationStatusesClient(endpoint, credential).operationAt(operationLocation);
}

/** @throws Error with both values if they differ as JSON */
export function equal(actual: unknown, expected: unknown): void {
  const [actualText, expectedText] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (actualText !== expectedText) throw new Error(`expected ${expectedText}, got ${actualText}`);
}
