import { expect, test } from "vitest";
import { cancelable } from "../cancelable.ts";
import { runCli, startServer } from "../run-cli.ts";

const afterTimeout = ["--timeout", "60s", "--on-timeout", "cancel"];

function cancelsAt(server: { readonly requests: readonly { readonly path: string }[] }): number {
  return server.requests.filter(({ path }) => path.endsWith(":cancel")).length;
}

test("--on-timeout cancel cancels the operation, and waits for its end", async () => {
  const { server, token } = await cancelable();
  const { exitCode, stderr, stdout } = await runCli(["wait", ...afterTimeout, "--resume", `job=${token}`]);
  expect(exitCode).toBe(3);
  expect(stderr).toContain("cancel: job: the operation was canceled\n");
  expect(stdout).toContain("Canceled");
  expect(cancelsAt(server)).toBe(1);
});

test("the time of a wait does not start again when it cancels after its timeout", async () => {
  const server = await startServer({ style: "arm", deployments: {} });
  const resources = [{ type: "Microsoft.Web/sites", name: "site", durationInMs: 600_000 }];
  const { operationLocation } = server.addDeployment({ resources });
  const { exitCode, stdout } = await runCli(["wait", ...afterTimeout, "-o", "json", operationLocation]);
  const times = stdout
    .trim()
    .split("\n")
    .flatMap((line): number[] => JSON.parse(line).elapsedInMs ?? []);
  expect(exitCode).toBe(3);
  expect(times).toEqual(times.toSorted((one, other) => one - other));
  expect(times.at(-1)).toBeGreaterThan(60_000);
});

test("a service that refuses leaves the timeout, its exit code and its resume command", async () => {
  const { token } = await cancelable(undefined, true);
  const { exitCode, stderr } = await runCli(["wait", ...afterTimeout, "--resume", `job=${token}`]);
  expect(exitCode).toBe(4);
  expect(stderr).toMatch(/^cancel: job: the service refused, and the operation continues: HTTP 400: /m);
  expect(stderr).toContain("npx lro wait --timeout 1m --on-timeout cancel --resume");
});

test("where no request is known that cancels it, the operation continues", async () => {
  const server = await startServer();
  const { operationLocation } = server.addOperation({ timeline: [{ status: "Running" }] });
  const { exitCode, stderr } = await runCli(["wait", ...afterTimeout, `box=${operationLocation}`]);
  expect(exitCode).toBe(4);
  expect(stderr).toContain("cancel: box: no request is known that cancels it\n");
});

test("a timeout leaves the operation running by default", async () => {
  const { server, token } = await cancelable();
  const { exitCode } = await runCli(["wait", "--timeout", "60s", "--resume", token]);
  expect([exitCode, cancelsAt(server)]).toEqual([4, 0]);
});

test("--on-timeout takes no other word", async () => {
  const { exitCode, stderr } = await runCli(["wait", "--on-timeout", "abort", "https://x.example"]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain("Allowed choices are leave, cancel.");
});

test("lro cancel prints the outcome for each operation", async () => {
  const { token, server } = await cancelable();
  const over = await cancelable([{ status: "Succeeded" }]);
  const refused = await cancelable(undefined, true);
  const canceled = await runCli(["cancel", "--resume", `job=${token}`]);
  expect(canceled).toMatchObject({ exitCode: 0, stdout: "job: the operation was canceled\n" });
  expect(cancelsAt(server)).toBe(1);
  const late = await runCli(["cancel", "-o", "json", "--resume", over.token]);
  const operation = over.operationId;
  expect([late.exitCode, JSON.parse(late.stdout)]).toMatchObject([
    1,
    { operation, outcome: "tooLate", status: "Succeeded" },
  ]);
  const { exitCode, stdout } = await runCli(["cancel", "--resume", `job=${refused.token}`]);
  expect(exitCode).toBe(5);
  expect(stdout).toContain("job: the service refused, and the operation continues: HTTP 400");
});

test("lro cancel sends nothing where no request is known for one of the operations", async () => {
  const { token, server } = await cancelable();
  const url = `${server.endpoint}/operations/1`;
  const { exitCode, stderr } = await runCli(["cancel", "--resume", token, `other=${url}`]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain(
    "expected operations for which a request to cancel is known, got other; nothing was sent",
  );
  expect(server.requests).toEqual([]);
});
