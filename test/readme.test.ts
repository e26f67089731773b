import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as tls from "node:tls";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { startOperationStatusServer } from "lro-poller/testing";
import type { OperationStatusServer, Timeline } from "lro-poller/testing";
import { CountingCredential } from "./support/credential.ts";
import { createCertificate } from "./support/tls.ts";

/** Waits of seconds take a twentieth. */
const speed = vi.hoisted(() => 20);

vi.mock("@azure/identity", () => ({ DefaultAzureCredential: CountingCredential }));
vi.mock("../src/clock.ts", async (importActual) => {
  const { systemClock } = await importActual<typeof import("../src/clock.ts")>();
  const { fastClock } = await import("./support/clock.ts");
  return { systemClock: fastClock(systemClock, speed) };
});

const readme = readFileSync("README.md", "utf8");
/** Every `ts` block, with the `text` block that follows it at once. */
const snippets = [...readme.matchAll(/```ts\n([\s\S]*?)```(?:\n\n```text\n([\s\S]*?)```)?/g)];

const succeeding: Timeline = [
  { status: "NotStarted", reads: 1 },
  { status: "Running", reads: 1, percentComplete: 40 },
  { status: "Succeeded", properties: { uri: "https://devbox.example/my-dev-box" } },
];
const failing: Timeline = [
  { status: "Running", reads: 1 },
  {
    status: "Failed",
    error: {
      code: "DeploymentFailed",
      message: "The dev box could not be created.",
      target: "my-dev-box",
      details: [{ code: "QuotaExceeded", message: "8 cores needed, 2 left.", target: "Standard_D8" }],
      innererror: { code: "ComputeQuota", innererror: { code: "CoresInRegion" } },
    },
  },
];

let server: OperationStatusServer;
const folder = mkdtempSync(join(import.meta.dirname, "snippets-"));
const trusted = tls.getCACertificates("default");

beforeAll(async () => {
  const certificate = await createCertificate();
  tls.setDefaultCACertificates([...trusted, certificate.cert]);
  const begun: Timeline = [{ status: "Running", reads: 1 }, { status: "Succeeded" }];
  server = await startOperationStatusServer({
    tls: certificate,
    onBegin: () => ({ timeline: begun }),
    requireAuthorization: (token) => token !== undefined,
  });
});

afterAll(async () => {
  rmSync(folder, { recursive: true });
  tls.setDefaultCACertificates(trusted);
  await server.close();
});

test.each(["README.md", "SECURITY.md"])("%s links to files that are there", (page) => {
  const links = readFileSync(page, "utf8").matchAll(/\]\((?!https:)([^)#]+)\)/g);
  const files = Array.from(links, ([, file = ""]) => file);
  expect(files.length).toBeGreaterThan(3);
  expect(files.filter((file) => !existsSync(file))).toEqual([]);
});

test("the front page has its snippets", () => {
  expect(snippets.length).toBeGreaterThanOrEqual(5);
});

test.each(snippets.map(([, code = "", output], index) => ({ index, code, output })))(
  "snippet $index runs and prints what the page says",
  async ({ index, code, output }) => {
    // The hand-written loop knows no clock but the real one: it finds the operation at its end.
    const timeline = code.includes("setTimeout") ? succeeding.slice(-1) : succeeding;
    const { projectName, operationId } = server.addOperation({ timeline });
    vi.stubEnv("ENDPOINT", server.endpoint);
    vi.stubEnv("ARM_ENDPOINT", server.endpoint);
    vi.stubEnv("RESOURCE_ID", `/projects/${projectName}/users/me/environments/test-${index}`);
    vi.stubEnv("PROJECT", projectName);
    vi.stubEnv("OPERATION_ID", operationId);
    vi.stubEnv("TOKEN_FILE", join(folder, "token.json"));
    vi.stubEnv("HISTORY", join(folder, "durations.json"));
    vi.stubEnv("OPERATION_LOCATION", server.addOperation({ timeline: failing }).operationLocation);
    const { format } = await import("node:util");
    const lines: string[] = [];
    const log = vi
      .spyOn(console, "log")
      .mockImplementation((...values) => void lines.push(format(...values)));
    const file = join(folder, `${index}.ts`);
    writeFileSync(file, code);
    await import(file);
    log.mockRestore();
    expect(lines.join("\n")).toBe(output?.trimEnd() ?? lines.join("\n"));
  },
);
