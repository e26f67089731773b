import { describe, expect, test } from "vitest";
import { OperationCanceledError, OperationFailedError } from "lro-poller";
import { on, serve, start } from "../../azure/lro/support.ts";
import { rejection } from "../../support/rejections.ts";
import { dataPlaneErrors } from "./data-plane.ts";
import type { FailedBody } from "./failed-body.ts";
import { resourceManagerErrors } from "./resource-manager.ts";

const failedBodies = [...resourceManagerErrors, ...dataPlaneErrors];

test("the table has at least 60 different errors", () => {
  const bodies = new Set(failedBodies.map(({ body }) => JSON.stringify(body)));
  expect(bodies.size).toBe(failedBodies.length);
  expect(bodies.size).toBeGreaterThanOrEqual(60);
});

const titled = failedBodies.map((failedBody) => ({
  title: `${failedBody.service}: ${failedBody.shape} (${failedBody.source})`,
  failedBody,
}));

describe.each(titled)("$title", ({ failedBody }) => {
  const { body, leafCode = "", leafMessage = "" } = failedBody;

  test("the first terminal response ends the wait, with the root cause in the first line", async () => {
    const { error, requestLines } = await failureOf(body);
    expect(requestLines).toEqual(["POST /act", "GET /operations/7"]);
    const [firstLine] = error.message.split("\n");
    expect(firstLine).toContain(leafCode);
    expect(firstLine).toContain(leafMessage);
  });

  test("no field of the service's error is lost", async () => {
    const { error } = await failureOf(body);
    expect(leavesOf(error.error)).toEqual(expect.arrayContaining(leavesOf(errorIn(failedBody))));
    if (leafCode !== "") expect(error.hasCode(leafCode.toLowerCase())).toBe(true);
    expect(error.hasCode("NoSuchCode")).toBe(false);
  });
});

interface Failure {
  readonly error: OperationFailedError | OperationCanceledError;
  readonly requestLines: readonly string[];
}

async function failureOf(body: object): Promise<Failure> {
  const server = await serve([
    on("POST /act", 202, { headers: { "operation-location": "/operations/7" } }),
    on("GET /operations/7", 200, { body }),
  ]);
  const error = await rejection(start(server, "POST /act").pollUntilDone());
  if (error instanceof OperationFailedError || error instanceof OperationCanceledError) {
    return { error, requestLines: server.requestLines };
  }
  throw error;
}

function errorIn({ body, errorAt = ["error"] }: FailedBody): unknown {
  return errorAt.reduce<unknown>((value, name) => fieldsOf(value)[name], body);
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

/** Returns each text, number, boolean and null in a JSON value, with the name of its field. */
function leavesOf(value: unknown, name = ""): string[] {
  if (typeof value !== "object" || value === null) return [`${name}: ${String(value)}`];
  return Object.entries(value).flatMap(([key, field]) => leavesOf(field, Array.isArray(value) ? name : key));
}
