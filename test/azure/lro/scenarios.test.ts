import { createEmptyPipeline } from "@azure/core-rest-pipeline";
import { describe, expect, test } from "vitest";
import { startOperation } from "lro-poller";
import type { InitialRequest, StartOperationOptions, StartedPoller } from "lro-poller";
import type { Route, RouteServer } from "../../support/route-server.ts";
import { bodyScenarios } from "./scenarios/body.ts";
import { locationScenarios } from "./scenarios/location.ts";
import { monitorScenarios } from "./scenarios/monitor.ts";
import { sadScenarios } from "./scenarios/sad.ts";
import type { Scenario } from "./scenarios/scenario.ts";
import { clientOf, fast, pipelineWithoutRetries, requestOf, serve } from "./support.ts";

type Start = (server: RouteServer, request: InitialRequest, options: StartOperationOptions) => StartedPoller;

interface Sender {
  readonly start: Start;
  /** The path that the service gets for the scenario's `path`. */
  readonly sent: (path: string) => string;
}

const senders: [string, Sender][] = [
  [
    "an empty pipeline",
    {
      start: (_, request, options) =>
        startOperation(request, { ...options, pipeline: createEmptyPipeline() }),
      sent: (path) => path,
    },
  ],
  [
    "a pipeline as Azure's clients have it",
    {
      start: (_, request, options) =>
        startOperation(request, { ...options, pipeline: pipelineWithoutRetries() }),
      sent: (path) => path,
    },
  ],
  [
    "a client",
    {
      start: (server, request, options) => clientOf(server).startOperation(request, options),
      sent: (path) => `${path}${path.includes("?") ? "&" : "?"}api-version=2025-02-01`,
    },
  ],
];

const families: [string, readonly Scenario[]][] = [
  ["Location", locationScenarios],
  ["the resource's body", bodyScenarios],
  ["Operation-Location", monitorScenarios("Operation-Location")],
  ["Azure-AsyncOperation", monitorScenarios("Azure-AsyncOperation")],
  ["what goes wrong", sadScenarios],
];

describe.each(senders)("an operation started through %s, polled by", (_, { start, sent }) => {
  describe.each(families)("%s", (__, scenarios) => {
    test.each(scenarios.map((scenario): [string, Scenario] => [titleOf(scenario), scenario]))(
      "%s",
      async (___, { exchanges, options, expected }) => {
        const server = await serve(exchanges.map((route) => ({ ...route, path: sent(route.path) })));
        const poller = start(server, requestOf(server, askOf(exchanges[0])), fast(options));
        const outcome = await outcomeOf(poller);
        if ("result" in expected) {
          expect(outcome).toEqual(expected);
          expect(poller.status).toBe("Succeeded");
        } else {
          const { message = "", status, ...error } = expected.error;
          expect(outcome).toMatchObject({ error: { ...error, message: expect.stringContaining(message) } });
          expect(poller.status).toBe(status);
        }
        server.assertFinished();
        expect(server.requestLines).toEqual(exchanges.map(({ method, path }) => `${method} ${sent(path)}`));
      },
    );
  });
});

function titleOf({ name, differs }: Scenario): string {
  return differs === undefined ? name : `${name} (differs: ${differs})`;
}

function askOf({ method, path }: Route): string {
  return `${method} ${path}`;
}

async function outcomeOf(poller: StartedPoller): Promise<{ result: unknown } | { error: unknown }> {
  return poller.pollUntilDone().then(
    (result) => ({ result }),
    (error: unknown) => ({ error }),
  );
}
