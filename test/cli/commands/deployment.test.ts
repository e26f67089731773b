import { expect, test } from "vitest";
import type { PlannedPart } from "lro-poller/testing";
import { deploymentIdIn } from "../../../src/cli/input/deployments.ts";
import { runCli, startServer } from "../run-cli.ts";

const resources: readonly PlannedPart[] = [
  { type: "Microsoft.Storage/storageAccounts", name: "store", durationInMs: 300_000 },
  {
    name: "network",
    deployment: {
      resources: [{ type: "Microsoft.Network/virtualNetworks", name: "vnet", durationInMs: 600_000 }],
    },
  },
];

const failing: readonly PlannedPart[] = [
  ...resources,
  { type: "Microsoft.Web/serverfarms", name: "plan", durationInMs: 400_000, failure: "quota" },
];

/** Waits for an emulated deployment, a thousand times as fast. */
async function waitFor(
  parts: readonly PlannedPart[],
  locationOf: (
    added: { readonly id: string; readonly operationLocation: string },
    endpoint: string,
  ) => string[],
  ...argv: string[]
) {
  const server = await startServer({ style: "arm", speed: 1000, deployments: {} });
  const added = server.addDeployment({
    resources: parts,
    outputs: { site: "https://web" },
    startsAtFirstPoll: true,
  });
  const run = await runCli(["wait", ...argv, ...locationOf(added, server.endpoint)]);
  return { ...run, requests: server.requests.map(({ path }) => path) };
}

test.each<[string, Parameters<typeof waitFor>[1]]>([
  ["its resource id", ({ id }, endpoint) => ["--endpoint", endpoint, id]],
  ["its URL", ({ id }, endpoint) => [`${endpoint}${id}?api-version=2025-04-01`]],
  [
    "its URL in other letters",
    ({ id }, endpoint) => [`${endpoint}${id.replace("Microsoft.Resources", "microsoft.resources")}`],
  ],
  ["the URL of its status monitor", ({ operationLocation }) => [operationLocation]],
])("lro wait takes a deployment by %s, and shows its parts and outputs", async (_name, locationOf) => {
  const { exitCode, stdout, stderr } = await waitFor(resources, locationOf);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  // On a slow machine, the deployment can be over before a list has shown how long a part took.
  expect(stdout).toMatch(
    /^\d+:\d\d myDeployment store Succeeded (?:\d+:\d\d )?\(Microsoft\.Storage\/storageAccounts\)$/m,
  );
  expect(stdout).toMatch(/^\d+:\d\d myDeployment network\/vnet (Running|Succeeded)/m);
  expect(stdout).toMatch(/\d+:\d\d myDeployment Succeeded(?:, 2 parts)?\n/);
  expect(stdout).toContain('"site"');
});

test("a failed deployment is exit code 1, and JSON has its tree with the part that failed", async () => {
  const { exitCode, stdout } = await waitFor(
    failing,
    ({ operationLocation }) => [operationLocation],
    "-o",
    "json",
  );
  expect(exitCode).toBe(1);
  const events: { event: string; parts?: object[]; part?: object }[] = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(events.filter(({ event }) => event === "part").length).toBeGreaterThan(0);
  const { parts } = events.find(({ event }) => event === "error") ?? {};
  expect(parts).toContainEqual(expect.objectContaining({ name: "plan", status: "Failed" }));
});

test("with --quiet no request asks for the parts of a deployment that succeeds", async () => {
  const listsOf = async (...argv: string[]): Promise<number> => {
    const { exitCode, requests } = await waitFor(
      resources,
      ({ operationLocation }) => [operationLocation],
      ...argv,
    );
    expect(exitCode).toBe(0);
    return requests.filter((path) => path.includes("/operations")).length;
  };
  expect(await listsOf("--quiet")).toBe(0);
  expect(await listsOf("--quiet", "-o", "json")).toBeGreaterThan(0);
});

test("the token of an interrupted wait continues with the parts", async () => {
  const server = await startServer({ style: "arm", speed: 1000, deployments: {} });
  const endless = [...resources, { type: "A.B/c", name: "slow", durationInMs: 3_000_000 }];
  const { operationLocation } = server.addDeployment({ resources: endless });
  const stopped = await runCli(["wait", "-o", "json", "--timeout", "30s", operationLocation]);
  expect(stopped.exitCode).toBe(4);
  const { error }: { error: { resumeToken: string } } = JSON.parse(
    stopped.stdout.trimEnd().split("\n").at(-2) ?? "",
  );
  const resumed = await runCli(["wait", "--timeout", "10m", "--resume", error.resumeToken]);
  expect(resumed.stdout).toMatch(/ slow Running /);
});

test("a deployment is known at each scope, and nothing else is one", () => {
  const deployments = "/providers/Microsoft.Resources/deployments";
  for (const scope of [
    "",
    "/subscriptions/s",
    "/subscriptions/s/resourceGroups/g",
    "/providers/Microsoft.Management/managementGroups/m",
  ]) {
    const id = `${scope}${deployments}/d`;
    expect([id, `${id}/`, `${id}/operationStatuses/08585`].map(deploymentIdIn)).toEqual([id, id, id]);
  }
  expect(deploymentIdIn(`${deployments.toUpperCase()}/a%28b%29`)).toBe(`${deployments.toUpperCase()}/a(b)`);
  for (const other of [
    `${deployments}/d/operations`,
    deployments,
    "/providers/Microsoft.Resources/deploymentStacks/d",
    "/%",
  ])
    expect(deploymentIdIn(other)).toBeUndefined();
});

test("a resource id needs an api-version, unless it is that of a deployment", async () => {
  const { exitCode, stderr } = await runCli(["wait", "/subscriptions/s/providers/Microsoft.Web/sites/w"]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain("--api-version: expected a value");
});
