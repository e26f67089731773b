import { expect, test } from "vitest";
import {
  OperationStatusesClient,
  createPoller,
  exponential,
  fixed,
  pollUntilDone,
  adaptive,
  startOperation,
} from "lro-poller";
import { createPipelineFromOptions } from "@azure/core-rest-pipeline";
import type { Operation } from "lro-poller";
import { scriptedOperation, startOperationServer } from "lro-poller/testing";

// Users of plain JavaScript may pass anything, and no type stops them.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const anything = (value: unknown): never => value as never;

const endpoint = "https://contoso.devcenter.azure.com";
const client = new OperationStatusesClient(endpoint);

test.each<[string, () => unknown, string]>([
  [
    "a URL for an operation",
    () => createPoller(anything(endpoint)),
    "operation: expected what client.operation() returns, got string",
  ],
  [
    "an operation without getStatus",
    () => createPoller(anything({ id: "7" })),
    "operation: expected what client.operation() returns, got an object without getStatus, toJSON",
  ],
  [
    "a token for a credential",
    () => new OperationStatusesClient(endpoint, anything("eyJ0")),
    "credential: expected an object with getToken(), got string",
  ],
  [
    "no endpoint",
    () => new OperationStatusesClient(anything(undefined)),
    "endpoint: expected a string, got undefined",
  ],
  [
    "a name for an endpoint",
    () => new OperationStatusesClient("contoso"),
    'endpoint: expected a URL, got "contoso"',
  ],
  [
    "a number for an id",
    () => client.operation("myProject", anything(7)),
    "operationId: expected a string, got number",
  ],
  ["a long text for an id", () => client.operation("myProject", "x".repeat(500)), `got "${"x".repeat(80)}…"`],
  [
    "a number for a schedule",
    () => createPoller(scriptedOperation([]), { schedule: anything(1000) }),
    "schedule: expected a function from history to milliseconds, got number",
  ],
  [
    "a negative delay",
    () => fixed(-1),
    "delayInMs: expected a non-negative finite number of milliseconds, got -1",
  ],
  [
    "an endless delay",
    () => fixed(Infinity),
    "delayInMs: expected a non-negative finite number of milliseconds, got Infinity",
  ],
  [
    "a text for a delay",
    () => fixed(anything("5")),
    'delayInMs: expected a non-negative finite number of milliseconds, got "5"',
  ],
  [
    "a controller for its signal",
    () => createPoller(scriptedOperation([]), { abortSignal: anything(new AbortController()) }),
    "abortSignal: expected an AbortSignal, got object",
  ],
  [
    "a controller for the signal of a call",
    () => createPoller(scriptedOperation([])).pollUntilDone({ abortSignal: anything(new AbortController()) }),
    "abortSignal: expected an AbortSignal, got object",
  ],
  [
    "a text for a listener",
    () => createPoller(scriptedOperation([]), { onProgress: anything("log") }),
    "onProgress: expected a function, got string",
  ],
  [
    "a number for a listener of failures",
    () => createPoller(scriptedOperation([]), { onFailedPoll: anything(5) }),
    "onFailedPoll: expected a function, got number",
  ],
  [
    "a number for random numbers",
    () => createPoller(scriptedOperation([]), { random: anything(0.5) }),
    "random: expected a function, got number",
  ],
  [
    "a clock that has no timers",
    () => createPoller(scriptedOperation([]), { clock: anything({ now: () => 0 }) }),
    "clock.timestamp: expected a function, got undefined",
  ],
  [
    "a number for past durations",
    () => adaptive({ pastDurationsInMs: anything(5) }),
    "pastDurationsInMs: expected an array, got number",
  ],
  [
    "a text for allowed origins",
    () => client.resume("{}", { allowedOrigins: anything("https://gateway.example") }),
    "allowedOrigins: expected an array of URLs, got string",
  ],
  [
    "no price",
    () => adaptive({ pollCostInMs: 0 }),
    "pollCostInMs: expected a positive finite number of milliseconds, got 0",
  ],
  [
    "a negative cap",
    () => adaptive({ maxDelayInMs: -1 }),
    "maxDelayInMs: expected a non-negative number of milliseconds, got -1",
  ],
  ["a negative initial delay", () => exponential({ initialDelayInMs: -1 }), "initialDelayInMs: expected"],
  [
    "a negative cap of a growing delay",
    () => exponential({ maxDelayInMs: -1 }),
    "maxDelayInMs: expected a non-negative number",
  ],
  [
    "no timeout",
    () => createPoller(scriptedOperation([]), { timeoutInMs: 0 }),
    "timeoutInMs: expected a positive number of milliseconds, got 0",
  ],
  [
    "a list for the terminal states",
    () => createPoller(scriptedOperation([]), { terminalStates: anything("Dequeued") }),
    "terminalStates: expected an object with lists of words, got string",
  ],
  [
    "a word for a list of terminal states",
    () => createPoller(scriptedOperation([]), { terminalStates: { failed: anything("Dead") } }),
    "terminalStates.failed: expected an array of words, got string",
  ],
  [
    "a number for a terminal state",
    () => createPoller(scriptedOperation([]), { terminalStates: { canceled: ["Killed", anything(7)] } }),
    "terminalStates.canceled[1]: expected a word, got number",
  ],
  [
    "an empty terminal state",
    () => createPoller(scriptedOperation([]), { terminalStates: { succeeded: [" "] } }),
    "terminalStates.succeeded[0]: expected a word, got an empty text",
  ],
  [
    "a terminal state in two lists",
    () =>
      createPoller(scriptedOperation([]), {
        terminalStates: { succeeded: ["Done", " ENDED"], failed: ["ended"] },
      }),
    'terminalStates: expected "ended" in one list, got it in succeeded and failed',
  ],
  [
    "a name for the URL of a request",
    () => startOperation({ method: "PUT", url: "devboxes/b" }, { pipeline: createPipelineFromOptions({}) }),
    "request.url: expected an absolute URL",
  ],
])("%s is rejected by the argument's name", (_, call, message) => {
  expect(call).toThrow(message);
});

test("endless and empty waits are allowed where they make sense", () => {
  for (const maxDelayInMs of [0, Infinity]) {
    expect(() => adaptive({ minDelayInMs: 0, maxDelayInMs })).not.toThrow();
    expect(() => exponential({ maxDelayInMs })).not.toThrow();
  }
  expect(() => adaptive({ minDelayInMs: 5, maxDelayInMs: 5, pastDurationsInMs: [1, 1e12] })).not.toThrow();
  expect(exponential({ factor: 1 })({ elapsedInMs: 0, pollCount: 9 }, () => 0)).toBe(1000);
  expect(() =>
    createPoller(scriptedOperation([]), { outageToleranceInMs: 0, notFoundGraceInMs: Infinity }),
  ).not.toThrow();
});

test("every poll receives the terminal states, and none where the wait has none", async () => {
  const received: unknown[] = [];
  const operation: Operation = {
    ...scriptedOperation([]),
    async getStatus(options) {
      received.push("terminalStates" in options ? options.terminalStates : "none");
      return { status: { id: "7", name: "7", status: "Running" } };
    },
  };
  const terminalStates = { succeeded: ["Dequeued", "dequeued"], failed: [] };
  const poller = createPoller(operation, { terminalStates });
  await poller.poll();
  await poller.poll();
  await createPoller(operation).poll();
  expect(received).toEqual([terminalStates, terminalStates, "none"]);
});

test("a signal that has fired already rejects a wait before the first poll", async () => {
  const operation = scriptedOperation(["Succeeded"]);
  const reason = new Error("gone");
  await expect(pollUntilDone(operation, { abortSignal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  expect(operation.polls).toEqual([]);
});

test.each<[string, object, string]>([
  ["port", { port: 1.5 }, "port: expected an integer from 0 to 65535, got 1.5"],
  ["speed", { speed: 0 }, "speed: expected a finite number of at least 5e-324, got 0"],
  ["onInitialRequest", { onInitialRequest: 7 }, "onInitialRequest: expected a function, got 7"],
  [
    "requireAuthorization",
    { requireAuthorization: new Error("no") },
    "requireAuthorization: expected a function, got Error: no",
  ],
])("the emulator rejects a wrong %s by its name", async (_, options, message) => {
  await expect(startOperationServer(options)).rejects.toThrow(message);
});
