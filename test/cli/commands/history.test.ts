import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { durationHistory } from "lro-poller";
import { expect, onTestFinished, test } from "vitest";
import { startRouteServer } from "../../support/route-server.ts";
import { operationId, runCli, startServer, succeeding } from "../run-cli.ts";

function historyFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "lro-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, "durations.json");
}

/** Waits once, with these further arguments. */
async function wait(...argv: string[]): ReturnType<typeof runCli> {
  const server = await startServer();
  const { operationLocation } = server.addOperation({ operationId, timeline: succeeding });
  return runCli(["wait", ...argv, operationLocation]);
}

const pastDurations = Array.from({ length: 20 }, (_, i) => 1_000_000 + i);

async function recordPast(file: string, kind: string): Promise<void> {
  const history = durationHistory(file);
  for (const duration of pastDurations) await history.record(kind, duration);
}

/** The estimates of the events, in order. */
function estimatesIn(stdout: string): readonly unknown[] {
  const events = stdout
    .trim()
    .split("\n")
    .map((line): unknown => JSON.parse(line));
  const hasEstimate = (event: unknown): boolean =>
    typeof event === "object" && event !== null && "estimatedRemainingInMs" in event;
  return events.filter((event) => typeof event === "object").map(hasEstimate);
}

test("--history keeps the duration of an operation under the name that --kind gives", async () => {
  const file = historyFile();
  expect(await wait("--history", file, "--kind", "small boxes")).toMatchObject({ exitCode: 0, stderr: "" });
  expect(await wait("--history", file, "--kind", "small boxes")).toMatchObject({ exitCode: 0, stderr: "" });
  expect(await durationHistory(file).pastDurations("small boxes")).toHaveLength(2);
});

test("past durations give an estimate from the first poll on", async () => {
  const file = historyFile();
  await recordPast(file, "small boxes");
  const { stdout } = await wait("--history", file, "--kind", "small boxes", "-o", "json");
  expect(estimatesIn(stdout)).toEqual([true, true, true, false, false]);
});

test("without --kind the type of the resource is the kind", async () => {
  const file = historyFile();
  const id = `/projects/myProject/operationStatuses/${operationId}`;
  const path = `/projects/myProject/operationstatuses/${operationId}`;
  const resourceId = "/projects/myProject/users/me/DevBoxes/my-dev-box";
  const [startTime, endTime] = ["2025-01-01T10:00:00Z", "2025-01-01T10:01:00Z"];
  const bodies = [
    { id, name: operationId, status: "Running", startTime, resourceId },
    { id, name: operationId, status: "Succeeded", startTime, endTime },
  ];
  const route = { method: "GET", path: `${path}?api-version=2025-02-01`, status: 200 };
  const server = await startRouteServer(bodies.map((body) => ({ ...route, body })));
  onTestFinished(() => server.close());
  const result = await runCli(["wait", "--history", file, `${server.origin}${path}`]);
  expect(result).toMatchObject({ exitCode: 0, stderr: "" });
  expect(await durationHistory(file).pastDurations("devboxes")).toEqual([60_000]);
});

test("without --kind, and where no response names the resource, all are of one kind", async () => {
  const file = historyFile();
  expect(await wait("--history", file)).toMatchObject({ exitCode: 0 });
  expect(await durationHistory(file).pastDurations("operations")).toHaveLength(1);
});

test("without --history there is no estimate at the first poll", async () => {
  const { stdout } = await wait("-o", "json");
  expect(estimatesIn(stdout)[0]).toBe(false);
});

test("a damaged file is set aside with a warning, and does not harm the wait", async () => {
  const file = historyFile();
  writeFileSync(file, "damaged\n");
  const { exitCode, stdout, stderr } = await wait("--history", file, "--kind", "any");
  expect(exitCode).toBe(0);
  expect(stdout).toContain("Succeeded");
  expect(stderr).toMatch(/^warning: The past durations are damaged \(.+\); they are now in (.+)\.\n$/);
  expect(readFileSync(/now in (.+)\.\n/.exec(stderr)?.[1] ?? "", "utf8")).toBe("damaged\n");
  expect(await durationHistory(file).pastDurations("any")).toHaveLength(1);
});

test("a file that cannot be used is a warning", async () => {
  const file = historyFile();
  mkdirSync(file);
  const { exitCode, stderr } = await wait("--history", file, "--kind", "any");
  expect(exitCode).toBe(0);
  expect(stderr).toMatch(/^warning: .+ cannot be read: EISDIR.*\nwarning: .+ not recorded: EISDIR.*\n$/);
});

test("several operations share a history", async () => {
  const file = historyFile();
  const server = await startServer();
  const locations = [1, 2, 3].map(() => server.addOperation({ timeline: succeeding }).operationLocation);
  await runCli(["wait", "--history", file, "--kind", "any", ...locations]);
  expect(await durationHistory(file).pastDurations("any")).toHaveLength(3);
});

test.each([
  [["--kind", "any"], "--kind"],
  [["--kind", "", "--history", "durations.json"], "--kind"],
  [["--history", ""], "--history"],
])("%j is a usage error that names %s", async (argv, name) => {
  const { exitCode, stderr } = await wait(...argv);
  expect(exitCode).toBe(2);
  expect(stderr.split("\n")[0]).toContain(name);
});

test("the duration of a deployment is that which its own document tells", async () => {
  const file = historyFile();
  const server = await startServer({ style: "arm", speed: 1000, deployments: {} });
  const resources = [{ type: "Microsoft.Web/sites", name: "site", durationInMs: 600_000 }];
  const { operationLocation } = server.addDeployment({ resources, startsAtFirstPoll: true });
  expect(await runCli(["wait", "--history", file, operationLocation])).toMatchObject({ exitCode: 0 });
  const durations = await durationHistory(file).pastDurations("microsoft.resources/deployments");
  expect(durations).toHaveLength(1);
  expect(durations[0]).toBeGreaterThanOrEqual(600);
});
