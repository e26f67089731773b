import { readFileSync } from "node:fs";
import { createPipelineFromOptions } from "@azure/core-rest-pipeline";
import { ROOT_CONTEXT, SpanStatusCode, TraceFlags, context, trace } from "@opentelemetry/api";
import type { Context } from "@opentelemetry/api";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-base";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import {
  OperationStatusesClient,
  createPoller,
  fixed,
  fromPollerLike,
  pollAll,
  pollUntilDone,
  startOperation,
  toPollerLike,
} from "lro-poller";
import type { PollOptions } from "lro-poller";
import { instrument } from "lro-poller/opentelemetry";
import { startOperationServer } from "lro-poller/testing";
import type { Fault, OperationServer, Timeline } from "lro-poller/testing";
import { leapingClock } from "../support/clock.ts";
import { CountingCredential } from "../support/credential.ts";
import { RecordedMetrics, pathsOf, startTracing } from "../support/telemetry.ts";
import { createCertificate } from "../support/tls.ts";

const exporter = startTracing();
const tracer = trace.getTracer("the application");
let server: OperationServer;

beforeAll(async () => {
  const timeline: Timeline = [{ status: "Running", polls: 1 }, { status: "Succeeded" }];
  server = await startOperationServer({ onInitialRequest: () => ({ timeline }) });
});
afterAll(() => server.close());
beforeEach(() => exporter.reset());

const threePolls: Timeline = [
  { status: "NotStarted", polls: 1 },
  { status: "Running", polls: 1, percentComplete: 50 },
  { status: "Succeeded", properties: {} },
];
const endless: Timeline = [{ status: "Running" }];

const exact = { schedule: fixed(10_000), requestTimeoutInMs: Infinity, outageToleranceInMs: Infinity };

function options(more: PollOptions = {}): PollOptions {
  return { ...exact, clock: leapingClock(), ...more };
}

function operationOf(timeline: Timeline, faults: Record<number, Fault> = {}) {
  const { projectName, operationId } = server.addOperation({ timeline, faults });
  return new OperationStatusesClient(server.endpoint).operation(projectName, operationId);
}

/** Makes a call while a span of the application is active. */
async function within<T>(name: string, call: (active: Context) => Promise<T>): Promise<T> {
  const span = tracer.startSpan(name);
  const active = trace.setSpan(context.active(), span);
  return context.with(active, () => call(active)).finally(() => span.end());
}

function spanOf(name: string): ReadableSpan {
  const span = exporter.getFinishedSpans().find((finished) => finished.name === name);
  if (span === undefined) throw new Error(`no span ${name}`);
  return span;
}

describe("the span of a wait", () => {
  test("is a child of the active span, and the parent of the requests of its polls", async () => {
    const operation = operationOf(threePolls);
    await within("deploy", () => pollUntilDone(operation, options()));
    expect(pathsOf(exporter.getFinishedSpans())).toEqual([
      "deploy",
      "deploy > Poller.wait",
      ...Array.from(threePolls, () => "deploy > Poller.wait > HTTP GET"),
    ]);
    const { attributes, status, instrumentationScope } = spanOf("Poller.wait");
    expect(attributes).toEqual({
      "az.namespace": "Microsoft.DevCenter",
      "lro_poller.operation.id": operation.id,
      "lro_poller.project": "myProject",
      "lro_poller.operation.status": "Succeeded",
      "lro_poller.operation.percent_complete": 50,
      "lro_poller.polls": 3,
      "lro_poller.failed_polls": 0,
      "url.full": `${server.endpoint}/projects/myProject/operationstatuses/${operation.id}`,
    });
    expect(status).toEqual({ code: SpanStatusCode.UNSET });
    const { name, version } = JSON.parse(readFileSync("package.json", "utf8"));
    expect(instrumentationScope).toMatchObject({ name, version });
    expect(spanOf("HTTP GET").attributes).toMatchObject({ "az.namespace": "Microsoft.DevCenter" });
  });

  test("has events for polls, transitions and failed polls, in their order", async () => {
    await pollUntilDone(operationOf(threePolls, { 2: { kind: "status", status: 503 } }), options());
    const events = spanOf("Poller.wait").events.map(({ name, attributes }) => [name, attributes]);
    expect(events).toEqual([
      [
        "lro_poller.poll",
        { "lro_poller.operation.status": "NotStarted", "lro_poller.next_poll_in_ms": 10_000 },
      ],
      ["lro_poller.transition", { "lro_poller.to": "NotStarted" }],
      [
        "lro_poller.failed_poll",
        {
          "error.type": "503",
          "http.response.status_code": 503,
          "lro_poller.error.message": expect.stringContaining("HTTP 503"),
          "lro_poller.throttled": true,
          "lro_poller.next_poll_in_ms": expect.any(Number),
        },
      ],
      ["lro_poller.poll", expect.objectContaining({ "lro_poller.operation.status": "Running" })],
      ["lro_poller.transition", { "lro_poller.from": "NotStarted", "lro_poller.to": "Running" }],
      [
        "lro_poller.poll",
        { "lro_poller.operation.status": "Succeeded", "lro_poller.operation.percent_complete": 50 },
      ],
      ["lro_poller.transition", { "lro_poller.from": "Running", "lro_poller.to": "Succeeded" }],
    ]);
  });

  test("is a child of the span in tracingOptions, whichever span is active", async () => {
    const operation = operationOf(threePolls);
    const tracingContext = await within("parent", async (active) => active);
    await within("active", () => pollUntilDone(operation, options({ tracingOptions: { tracingContext } })));
    expect(pathsOf(exporter.getFinishedSpans())).toContain("parent > Poller.wait > HTTP GET");
  });

  test("of each of two waits that share timers has its own polls", async () => {
    await Promise.all(
      ["one", "other"].map((name) =>
        within(name, () => pollUntilDone(operationOf(threePolls), { schedule: fixed(1), minDelayInMs: 1 })),
      ),
    );
    const polls = pathsOf(exporter.getFinishedSpans()).filter((path) => path.endsWith("HTTP GET"));
    const pollsOf = (name: string): string[] => threePolls.map(() => `${name} > Poller.wait > HTTP GET`);
    expect(polls).toEqual([...pollsOf("one"), ...pollsOf("other")]);
  });

  test("that is not sampled leaves no spans of its polls either", async () => {
    const spanContext = { traceId: "1".repeat(32), spanId: "1".repeat(16), traceFlags: TraceFlags.NONE };
    const tracingContext = trace.setSpanContext(context.active(), spanContext);
    await pollUntilDone(operationOf(threePolls), options({ tracingOptions: { tracingContext } }));
    expect(exporter.getFinishedSpans()).toEqual([]);
  });

  test("of an operation that is started has the span of the initial request beside it", async () => {
    const client = new OperationStatusesClient(server.endpoint);
    const body = { poolName: "myPool" };
    const tracingContext = await within("deploy", async (active) => active);
    const pollOptions = options({ tracingOptions: { tracingContext } });
    await client.createDevBox("myProject", "me", "my-dev-box", body, pollOptions).pollUntilDone();
    const paths = pathsOf(exporter.getFinishedSpans());
    expect(paths).toContain("deploy > HTTP PUT");
    expect(paths).toContain("deploy > Poller.wait > HTTP GET");
    const { attributes } = spanOf("Poller.wait");
    expect(attributes["az.namespace"]).toBe("Microsoft.DevCenter");
    expect(attributes["url.full"]).toMatch(/\/projects\/myProject\/operationstatuses\/[-\w]+$/);
    expect(String(attributes["url.full"])).toContain(String(attributes["lro_poller.operation.id"]));
  });

  test("of another service's operation has the namespace of its URL, and not the URL's query", async () => {
    const url = `${server.endpoint}/subscriptions/s/providers/Microsoft.Compute/virtualMachines/vm`;
    const request = { method: "PUT", url: `${url}?sig=secret` } as const;
    const poller = startOperation(request, { pipeline: createPipelineFromOptions({}), ...options() });
    await poller.pollUntilDone().catch(() => {});
    expect(spanOf("Poller.wait").attributes).toMatchObject({
      "az.namespace": "Microsoft.Compute",
      "error.type": "OperationStartError",
      "url.full": url,
    });
  });

  test("is the parent of the requests that the poller of an Azure SDK sends", async () => {
    const azurePoller = toPollerLike(createPoller(operationOf(threePolls), options()));
    await pollUntilDone(fromPollerLike(azurePoller), options());
    expect(pathsOf(exporter.getFinishedSpans())).toContain("Poller.wait > Poller.wait > HTTP GET");
  });

  test("of a single poll is named after the client's method", async () => {
    const client = new OperationStatusesClient(server.endpoint);
    await client.getOperationStatus("myProject", server.addOperation({ timeline: endless }).operationId);
    const name = "OperationStatusesClient.getOperationStatus";
    expect(pathsOf(exporter.getFinishedSpans())).toEqual([name, `${name} > HTTP GET`]);
    expect(spanOf(name).attributes).toMatchObject({ "lro_poller.polls": 1 });
  });

  test("is passed to the credential with the request that needs a token", async () => {
    const certificate = await createCertificate();
    const secure = await startOperationServer({ tls: certificate });
    onTestFinished(() => secure.close());
    const credential = new CountingCredential();
    const tlsOptions = { ca: certificate.cert };
    const client = new OperationStatusesClient(secure.endpoint, credential, { tlsOptions });
    await pollUntilDone(
      client.operationAt(secure.addOperation({ timeline: threePolls }).operationLocation),
      options(),
    );
    const tracingContext = credential.calls[0]?.tracingOptions?.tracingContext;
    const child = tracer.startSpan("token", {}, tracingContext ?? ROOT_CONTEXT);
    child.end();
    expect(pathsOf(exporter.getFinishedSpans())).toContain("Poller.wait > token");
  });
});

describe("the span of a wait that ends in another way", () => {
  test("has the service's error", async () => {
    const error = { code: "QuotaExceeded", message: "No cores left. See https://x.example/?sig=secret" };
    const timeline: Timeline = [{ status: "Failed", error }];
    await pollUntilDone(operationOf(timeline), options()).catch(() => {});
    const { attributes, status, events } = spanOf("Poller.wait");
    expect(attributes).toMatchObject({
      "error.type": "OperationFailedError",
      "lro_poller.error.code": "QuotaExceeded",
      "lro_poller.operation.status": "Failed",
    });
    expect(status).toEqual({ code: SpanStatusCode.ERROR, message: expect.stringContaining("No cores left") });
    expect(events.map(({ name }) => name)).toContain("exception");
    expect(JSON.stringify([attributes, status, events])).not.toContain("secret");
  });

  test("because timeoutInMs has passed, has an error", async () => {
    await pollUntilDone(operationOf(endless), options({ timeoutInMs: 60_000 })).catch(() => {});
    const { attributes, status } = spanOf("Poller.wait");
    expect(attributes["error.type"]).toBe("PollingTimeoutError");
    expect(status.code).toBe(SpanStatusCode.ERROR);
  });

  test("because a signal fires, has its reason as an error", async () => {
    const controller = new AbortController();
    const { signal: abortSignal } = controller;
    const onProgress = (): void => controller.abort(new RangeError("https://x.example/?sig=secret"));
    await pollUntilDone(operationOf(endless), options({ abortSignal, onProgress })).catch(() => {});
    const { attributes, status, events } = spanOf("Poller.wait");
    expect(attributes["error.type"]).toBe("RangeError");
    expect(status.code).toBe(SpanStatusCode.ERROR);
    expect(JSON.stringify([attributes, status, events])).not.toContain("secret");
  });

  test("because a single poll failed, has an error", async () => {
    const operation = operationOf(endless, { 1: { kind: "status", status: 500 } });
    await createPoller(operation, options())
      .poll()
      .catch(() => {});
    expect(spanOf("Poller.wait").attributes).toMatchObject({ "error.type": "PollingError" });
    expect(spanOf("Poller.wait").status.code).toBe(SpanStatusCode.ERROR);
  });

  test("because a group was stopped, has the reason", async () => {
    const controller = new AbortController();
    const { signal: abortSignal } = controller;
    const onProgress = (): void => controller.abort(new RangeError("enough"));
    await pollAll([operationOf(endless)], { ...exact, clock: leapingClock(), abortSignal, onProgress }).catch(
      () => {},
    );
    expect(spanOf("Poller.wait").attributes["error.type"]).toBe("RangeError");
  });

  test("because another of its group failed, has an error", async () => {
    const failed: Timeline = [{ status: "Failed" }];
    const members = [operationOf(endless), operationOf(failed)];
    await pollAll(members, { ...exact, clock: leapingClock(), stopOnFailure: true });
    const types = exporter.getFinishedSpans().map(({ attributes }) => attributes["error.type"]);
    expect(types).toEqual(expect.arrayContaining(["OperationFailedError", "PollingError"]));
  });

  test("because its only caller stops iterating, has no error", async () => {
    for await (const _ of createPoller(operationOf(endless), options())) break;
    const { attributes, status } = spanOf("Poller.wait");
    expect(attributes).not.toHaveProperty("error.type");
    expect(status.code).toBe(SpanStatusCode.UNSET);
  });

  test("hides the query of a URL in an error of the user's code", async () => {
    const schedule = (): never => {
      throw new Error("cannot reach https://x.example/?sig=secret");
    };
    await pollUntilDone(operationOf(endless), options({ schedule })).catch(() => {});
    const { attributes, status, events } = spanOf("Poller.wait");
    expect(status.message).toContain("cannot reach https://x.example/");
    expect(JSON.stringify([attributes, status, events])).not.toContain("secret");
  });
});

describe("metrics", () => {
  const namespace = { "az.namespace": "Microsoft.DevCenter" };

  test("count polls, and record duration and lateness", async () => {
    const recorded = new RecordedMetrics();
    onTestFinished(instrument({ meterProvider: recorded.provider }));
    await pollUntilDone(operationOf(threePolls), options());
    expect(await recorded.collect()).toEqual({
      "lro_poller.polls": { unit: "{poll}", points: [[namespace, 3]] },
      "lro_poller.wait.duration": {
        unit: "s",
        points: [[{ ...namespace, "lro_poller.operation.status": "Succeeded" }, [1, 20]]],
      },
      "lro_poller.wait.lateness": { unit: "s", points: [[namespace, [1, 5]]] },
    });
  });

  test("record each wait for an operation with its own duration", async () => {
    const recorded = new RecordedMetrics();
    onTestFinished(instrument({ meterProvider: recorded.provider }));
    const poller = createPoller(operationOf(threePolls), options());
    for await (const { status } of poller) if (status === "Running") break;
    await poller.pollUntilDone();
    // The second wait polls at once.
    const { "lro_poller.wait.duration": duration } = await recorded.collect();
    expect(duration?.points).toEqual([
      [{ ...namespace, "lro_poller.operation.status": "Running" }, [1, 10]],
      [{ ...namespace, "lro_poller.operation.status": "Succeeded" }, [1, 0]],
    ]);
  });

  test("record the lateness once, though the result takes a poll of its own", async () => {
    const recorded = new RecordedMetrics();
    onTestFinished(instrument({ meterProvider: recorded.provider }));
    const client = new OperationStatusesClient(server.endpoint);
    const body = { poolName: "myPool" };
    await client.createDevBox("myProject", "me", "another-dev-box", body, options()).pollUntilDone();
    const metrics = await recorded.collect();
    expect(metrics["lro_poller.polls"]?.points).toEqual([[namespace, 4]]);
    expect(metrics["lro_poller.wait.lateness"]?.points).toMatchObject([[namespace, [1, expect.any(Number)]]]);
  });

  test("count failed and throttled polls, and failed waits", async () => {
    const recorded = new RecordedMetrics();
    onTestFinished(instrument({ meterProvider: recorded.provider }));
    const faults = {
      1: { kind: "status", status: 429 },
      2: { kind: "status", status: 500 },
      3: { kind: "status", status: 500 },
    } as const;
    await pollUntilDone(operationOf([{ status: "Failed" }], faults), options()).catch(() => {});
    const metrics = await recorded.collect();
    expect(metrics["lro_poller.polls"]?.points).toEqual([[namespace, 4]]);
    expect(metrics["lro_poller.failed_polls"]?.points).toEqual([
      [{ ...namespace, "error.type": "429" }, 1],
      [{ ...namespace, "error.type": "500" }, 2],
    ]);
    expect(metrics["lro_poller.throttled_polls"]?.points).toEqual([[namespace, 1]]);
    expect(metrics["lro_poller.wait.duration"]?.points).toMatchObject([
      [
        { "lro_poller.operation.status": "Failed", "error.type": "OperationFailedError" },
        [1, expect.any(Number)],
      ],
    ]);
    // The first response was the end: its time is unknown.
    expect(metrics).not.toHaveProperty(["lro_poller.wait.lateness"]);
  });

  test("are not recorded for waits that start after the call that unsubscribes", async () => {
    const recorded = new RecordedMetrics();
    instrument({ meterProvider: recorded.provider })();
    await pollUntilDone(operationOf(threePolls), options());
    expect(await recorded.collect()).toEqual({});
  });

  test("of a meter that throws do not harm the wait", async () => {
    const fail = (): never => {
      throw new Error("no memory");
    };
    const broken = new RecordedMetrics().provider;
    const meter = broken.getMeter("any");
    const counter = Object.assign(meter.createCounter("any"), { add: fail });
    const provider = { getMeter: () => Object.assign(meter, { createCounter: () => counter }) };
    onTestFinished(instrument({ meterProvider: provider }));
    expect(await pollUntilDone(operationOf(threePolls), options())).toEqual({});
    expect(spanOf("Poller.wait").attributes).toMatchObject({ "lro_poller.polls": 3 });
  });
});
