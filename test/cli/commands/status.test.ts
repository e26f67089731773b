import { expect, test } from "vitest";
import { failing, operationId, runCli, startServer } from "../run-cli.ts";

test("status polls once and prints the status", async () => {
  const server = await startServer();
  const timeline = [{ status: "Running", percentComplete: 42.5 }];
  const { operationLocation } = server.addOperation({ operationId, timeline });
  const { exitCode, stdout, stderr } = await runCli(["status", operationLocation]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout).toMatch(new RegExp(`^${operationId} Running 42 %\n  started  \\d{4}-\\d\\d-\\d\\dT.*Z\n$`));
  expect(server.requests).toHaveLength(1);
});

test("a result can be copied as it is printed", async () => {
  const server = await startServer();
  const properties = { uri: "https://box", tags: [1] };
  const { operationLocation } = server.addOperation({ timeline: [{ status: "Succeeded", properties }] });
  const { stdout } = await runCli(["status", operationLocation]);
  const [, json] = stdout.split("  result\n");
  expect(json).toBe(`${JSON.stringify(properties, null, 2)}\n`);
});

test("a failed operation is no failed poll", async () => {
  const server = await startServer();
  const { operationLocation } = server.addOperation({ timeline: failing.slice(1) });
  const { exitCode, stdout } = await runCli(["status", operationLocation]);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/ Failed\n.*"code": "ProvisioningFailed".*"code": "Quota"/s);
});

test("--output json prints each status on a line", async () => {
  const server = await startServer();
  const locations = [server.addOperation(), server.addOperation()].map(
    ({ operationLocation }) => operationLocation,
  );
  const { stdout } = await runCli(["status", "-o", "json", ...locations]);
  const statuses = stdout
    .trimEnd()
    .split("\n")
    .map((line): unknown => JSON.parse(line));
  expect(statuses).toMatchObject([{ status: "NotStarted" }, { status: "NotStarted" }]);
});

test("a status that cannot be read is exit code 5, and the others are printed", async () => {
  const server = await startServer();
  const { operationLocation } = server.addOperation({ timeline: [{ status: "Running" }] });
  const missing = `${server.endpoint}/projects/myProject/operationstatuses/${operationId}`;
  const { exitCode, stdout, stderr } = await runCli(["status", missing, operationLocation]);
  expect(exitCode).toBe(5);
  expect(stdout).toContain("Running");
  expect(stderr).toMatch(new RegExp(`^error: Operation ${operationId} was not found`));
  expect(server.requests).toHaveLength(2);
});

test("a failed poll is not retried", async () => {
  const server = await startServer();
  const { operationLocation } = server.addOperation({ faults: { 1: { kind: "status", status: 503 } } });
  const { exitCode, stderr } = await runCli(["status", operationLocation]);
  expect(exitCode).toBe(5);
  expect(stderr).toContain("HTTP 503");
  expect(stderr).not.toContain("--resume");
  expect(server.requests).toHaveLength(1);
});
