import { createPipelineFromOptions } from "@azure/core-rest-pipeline";
import { describe, expect, onTestFinished, test } from "vitest";
import { OperationFailedError, fixed, startOperation, systemClock } from "lro-poller";
import type { InitialRequest, PollOptions } from "lro-poller";
import { startOperationServer } from "lro-poller/testing";
import type { OperationStyle, Phase } from "lro-poller/testing";
import { fastClock } from "../../support/clock.ts";
import { rejection } from "../../support/rejections.ts";

const machine = "/subscriptions/s1/resourceGroups/g1/providers/Microsoft.Compute/virtualMachines/vm1";
const properties = { size: 2 };

const styles: [OperationStyle, InitialRequest["method"], string, object][] = [
  ["devcenter", "PUT", "/projects/myProject/users/me/devboxes/b1?api-version=2025-02-01", { name: "b1" }],
  ["arm", "PUT", `${machine}?api-version=2024-07-01`, { id: machine, properties }],
  ["arm", "PATCH", `${machine}?api-version=2024-07-01`, { id: machine, properties }],
  ["arm", "POST", `${machine}/start?api-version=2024-07-01`, properties],
  ["operation-location", "POST", "/jobs/1:run?api-version=2024-11-30", properties],
  ["operation-location", "PUT", "/models/m1?api-version=2024-11-30", { name: "m1", ...properties }],
  ["location", "POST", "/jobs/1:run?api-version=2024-11-30", properties],
  ["location", "PUT", "/models/m1?api-version=2024-11-30", { name: "m1", ...properties }],
  ["resource", "PUT", "/things/t1?api-version=2024-11-30", { id: "/things/t1", properties }],
  ["resource", "PATCH", "/things/t1?api-version=2024-11-30", { id: "/things/t1", properties }],
  ["fabric", "POST", "/v1/workspaces/w1/items", properties],
];

async function start(
  style: OperationStyle,
  method: InitialRequest["method"],
  path: string,
  end: Phase,
): Promise<unknown> {
  const timeline = [{ status: "Running", polls: 2 }, end];
  const server = await startOperationServer({ style, onInitialRequest: () => ({ timeline }) });
  onTestFinished(() => server.close());
  const limits: PollOptions = { requestTimeoutInMs: Infinity, outageToleranceInMs: Infinity };
  const options = { ...limits, clock: fastClock(systemClock), schedule: fixed(1000) };
  const pipeline = createPipelineFromOptions({});
  const request = { method, url: server.endpoint + path, body: {} };
  return startOperation(request, { ...options, pipeline }).pollUntilDone();
}

describe.each(styles)("%s: a %s on %s", (style, method, path, result) => {
  test("ends with the result", async () => {
    expect(await start(style, method, path, { status: "Succeeded", properties })).toMatchObject(result);
  });

  test("ends with the service's error", async () => {
    const error = { code: "QuotaExceeded", message: "No more." };
    const failure = await rejection(start(style, method, path, { status: "Failed", error }));
    expect(failure).toBeInstanceOf(OperationFailedError);
    expect(failure).toMatchObject({ code: "QuotaExceeded" });
  });
});
