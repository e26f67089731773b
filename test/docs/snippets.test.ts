import { execFile } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { InvocationContext } from "@azure/functions";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { OperationStatusesClient, PollingTimeoutError, createPoller } from "lro-poller";
import type { Clock, DurationStore, ResumeToken } from "lro-poller";
import { startOperationServer } from "lro-poller/testing";
import type { OperationServer, Timeline } from "lro-poller/testing";
import { failing, succeeding } from "../runtimes/plans.ts";
import { CountingCredential } from "../support/credential.ts";
import { createCertificate, trust } from "../support/tls.ts";

/** Time runs twenty times as fast. */
const speed = vi.hoisted(() => 20);

vi.mock("@azure/identity", () => ({ DefaultAzureCredential: CountingCredential }));
vi.mock("../../src/clock.ts", async (importActual) => {
  const actual = await importActual<typeof import("../../src/clock.ts")>();
  const { fastClock } = await import("../support/clock.ts");
  return { ...actual, systemClock: fastClock(actual.systemClock, speed) };
});

// The servers are on this machine, which is in no table of hosts.
vi.mock("../../src/azure/http/audiences.ts", async (importActual) => ({
  ...(await importActual<typeof import("../../src/azure/http/audiences.ts")>()),
  scopeOf: () => "https://management.azure.com/.default",
}));

// Its limit of ten seconds would be half a second of real time, which the file of a busy machine can take.
vi.mock("../../src/history/store-in-time.ts", () => ({
  StoreInTime: function withoutLimit(store: DurationStore): DurationStore & { checkHealth: () => void } {
    return Object.assign(store, { checkHealth: () => {} });
  },
  inTime: <T>(_clock: Clock, _what: string, result: Promise<T>): Promise<T> => result,
}));

const pages = ["README.md", "SECURITY.md", ...globSync("docs/*.md").toSorted()];

interface Snippet {
  readonly name: string;
  readonly code: string;
  /** The output on the page; `undefined` where there is none. */
  readonly output: string | undefined;
}

/** `npm run test:engines` compiles and runs these files, with the packages of their engines. */
const engineExamples = globSync("examples/durable/*.ts").map((file) => readFileSync(file, "utf8"));

/** Whether a block is a part of such a file, word by word: a changed one is compiled here, and fails. */
function isOfEngine(code: string): boolean {
  return engineExamples.some((example) => example.includes(code));
}

/** Every `ts` block, with the `text` block that directly follows it. */
const snippets = pages.flatMap((page) => {
  const blocks = readFileSync(page, "utf8").matchAll(/```ts\n([\s\S]*?)```(?:\n\n```text\n([\s\S]*?)```)?/g);
  const found = Array.from(blocks, ([, code = "", output], index): Snippet => {
    return { name: `${page.replace(/^docs\/|\.md$/g, "")}-${index}`, code, output: output?.trimEnd() };
  });
  // Snippets of a queue need Redis and real time: they have a test of their own.
  if (page === "docs/queue.md") return [];
  return found.filter(({ code }) => !isOfEngine(code));
});

let server: OperationServer;
/** It stands for Azure Resource Manager. */
let arm: OperationServer;
/** The same, with deployments and their parts. */
let deployments: OperationServer;
/** The timelines of the next operations that a program starts. */
const nextTimelines: Timeline[] = [];
const folder = mkdtempSync(join(import.meta.dirname, "snippets-"));
const certificate = await createCertificate();
const distrust = trust(certificate);

beforeAll(async () => {
  const timeline: Timeline = [{ status: "Running", polls: 1 }, { status: "Succeeded" }];
  server = await startOperationServer({
    tls: certificate,
    onInitialRequest: () => ({ timeline: nextTimelines.shift() ?? timeline }),
    requireAuthorization: (token) => token !== undefined,
  });
  arm = await startOperationServer({
    style: "arm",
    tls: certificate,
    onInitialRequest: () => ({ timeline: [{ status: "Running", polls: 1 }, { status: "Succeeded" }] }),
    requireAuthorization: (token) => token !== undefined,
  });
  deployments = await startOperationServer({ style: "arm", tls: certificate, speed, deployments: {} });
});

afterAll(async () => {
  rmSync(folder, { recursive: true });
  distrust();
  await Promise.all([server.close(), arm.close(), deployments.close()]);
});

test("the pages have at least 15 snippets", () => {
  expect(snippets.length).toBeGreaterThanOrEqual(15);
});

/** Kinds of blocks that other tests check, and their page. No test would check any other kind, or another page. */
const checkedElsewhere: Readonly<Record<string, string>> = {
  diff: "docs/queue.md",
  js: "docs/operators.md",
  mermaid: "docs/states.md",
};

test.each(pages)("%s has no block that no test checks", (page) => {
  const kinds = Array.from(readFileSync(page, "utf8").matchAll(/^```(.+)$/gm), ([, kind = ""]) => kind);
  const known = ["ts", "text", "sh", "yaml"];
  expect(kinds.filter((kind) => !known.includes(kind) && checkedElsewhere[kind] !== page)).toEqual([]);
});

test("every snippet compiles", async () => {
  const tsconfig = {
    extends: "../../tsconfig.json",
    include: snippets.map(({ name, code }) => {
      writeFileSync(join(folder, `${name}.ts`), code);
      return `${name}.ts`;
    }),
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(tsconfig));
  const compiler = join(import.meta.dirname, "../../node_modules/typescript/bin/tsc");
  const result = await promisify(execFile)(process.execPath, [compiler, "-p", folder]).catch(
    (error: unknown) => error,
  );
  expect(result).toMatchObject({ stdout: "", stderr: "" });
});

test.each(snippets)("$name has no syntax that Node 22 does not support", ({ code }) => {
  // The test runner would translate it.
  expect(code).not.toContain("await using");
});

/** Calls the exported function of a module with a queue message, as Azure Functions do. */
async function runAsFunctionsHost(exported: unknown, message: object): Promise<void> {
  if (typeof exported !== "object" || exported === null || !("continueWait" in exported)) return;
  if (typeof exported.continueWait !== "function") throw new TypeError("continueWait: expected a function");
  const context = new InvocationContext({ logHandler: (_, ...values) => console.log(...values) });
  const done: unknown = Reflect.apply(exported.continueWait, undefined, [message, context]);
  await done;
}

/** Programs that need a database: test/durable/pace-page.test.ts runs them. */
const isOfPace = ({ name }: Snippet): boolean => name.startsWith("pace-");

test.each(snippets.filter((snippet) => !isOfPace(snippet)))(
  "$name runs and prints the output on the page",
  async ({ name, code, output }) => {
    // The hand-written loop runs in real time: its operation has succeeded from the start.
    const timeline = code.includes("setTimeout") ? succeeding.slice(-1) : succeeding;
    const { projectName, operationId } = server.addOperation({ timeline });
    vi.stubEnv("ENDPOINT", server.endpoint);
    const armTimeline: Timeline = [
      { status: "InProgress", polls: 1 },
      { status: "Succeeded", properties: { vmId: "vm-1" } },
    ];
    const { operationLocation, resourceUrl } = arm.addOperation({ timeline: armTimeline });
    vi.stubEnv("ARM_ENDPOINT", (name.startsWith("arm-") ? deployments : arm).endpoint);
    const storage = { type: "Microsoft.Storage/storageAccounts", name: "data" };
    vi.stubEnv("DEPLOYMENT_ID", deployments.addDeployment({ name, resources: [storage] }).id);
    vi.stubEnv("ASYNC_OPERATION_URL", operationLocation);
    vi.stubEnv("RESOURCE_ID", new URL(resourceUrl ?? arm.endpoint).pathname);
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
    const file = join(folder, `${name}.ts`);
    writeFileSync(file, code);
    const exported: unknown = await import(file);
    const client = new OperationStatusesClient(server.endpoint, new CountingCredential());
    await runAsFunctionsHost(exported, createPoller(client.operation(projectName, operationId)).toJSON());
    log.mockRestore();
    expect(lines.join("\n")).toBe(output ?? lines.join("\n"));
  },
);

describe("the recipe for missing capacity", () => {
  const code = snippets.find((snippet) => snippet.code.includes("pRetry("))?.code ?? "";

  /** Runs the program for operations that fail with these codes, inside a refused deployment, before one succeeds. */
  async function run(name: string, codes: readonly string[]): Promise<unknown> {
    nextTimelines.push(...codes.map((cause) => refusedBecauseOf(cause)));
    vi.stubEnv("ENDPOINT", server.endpoint);
    vi.stubEnv("PROJECT", "myProject");
    const log = vi.spyOn(console, "log").mockImplementation(() => {});
    const file = join(folder, `capacity-${name}.ts`);
    writeFileSync(file, code.replace("minTimeout: 60_000", "minTimeout: 0"));
    await import(file);
    const { lastCall } = log.mock;
    log.mockRestore();
    return lastCall;
  }

  function refusedBecauseOf(cause: string): Timeline {
    const details = [{ code: cause, message: "No." }];
    return [
      { status: "Failed", error: { code: "InvalidTemplateDeployment", message: "Not valid.", details } },
    ];
  }

  test("starts the operation again", async () => {
    const codes = ["ZonalAllocationFailed", "zonalAllocationFailed"];
    expect(await run("again", codes)).toEqual(["created:", "Succeeded"]);
    expect(nextTimelines).toEqual([]);
  });

  test("rejects with any other error at once", async () => {
    const failed = run("other", ["QuotaExceeded", "QuotaExceeded"]);
    await expect(failed).rejects.toThrow("QuotaExceeded: No. (in InvalidTemplateDeployment)");
    expect(nextTimelines.splice(0)).toHaveLength(1);
  });
});

describe("the recipe for a crash", () => {
  const code = snippets.find((snippet) => snippet.code.includes("TOKEN_FILE"))?.code ?? "";
  let runs = 0;

  /** Runs the program in a module of its own. Returns the lines that it prints. */
  async function run(operationId: string, tokenFile: string): Promise<readonly unknown[]> {
    vi.stubEnv("ENDPOINT", server.endpoint);
    vi.stubEnv("PROJECT", "myProject");
    vi.stubEnv("OPERATION_ID", operationId);
    vi.stubEnv("TOKEN_FILE", tokenFile);
    const lines: unknown[] = [];
    const log = vi.spyOn(console, "log").mockImplementation((line) => void lines.push(line));
    const file = join(folder, `crash-${++runs}.ts`);
    writeFileSync(file, code);
    await import(file).finally(() => log.mockRestore());
    return lines;
  }

  /** Adds an operation, and saves a token of it with this deadline. */
  function saveToken(
    tokenFile: string,
    deadlineFromNowInMs: number,
    timeline: Timeline = succeeding,
  ): string {
    const { operationId } = server.addOperation({ timeline });
    const client = new OperationStatusesClient(server.endpoint, new CountingCredential());
    const token = createPoller(client.operation("myProject", operationId)).toJSON();
    const startedAt = token.savedAt - 10_000;
    const deadline = token.savedAt + deadlineFromNowInMs;
    writeFileSync(tokenFile, JSON.stringify({ ...token, startedAt, savedAt: startedAt, deadline }));
    return operationId;
  }

  function tokenIn(tokenFile: string): ResumeToken {
    const token: ResumeToken = JSON.parse(readFileSync(tokenFile, "utf8"));
    return token;
  }

  test("starts a new wait where the file has a token of another operation", async () => {
    const tokenFile = join(folder, "other.json");
    saveToken(tokenFile, 3_600_000);
    const timeline: Timeline = [{ status: "Succeeded", properties: "the right one" }];
    expect(await run(server.addOperation({ timeline }).operationId, tokenFile)).toEqual(["the right one"]);
    expect(existsSync(tokenFile)).toBe(false);
  });

  test("waits longer than a second when it starts again after a timeout", async () => {
    const tokenFile = join(folder, "late.json");
    const operationId = saveToken(tokenFile, -5000, [{ status: "Running" }]);
    // The deadline passed while no process waited: one poll, and then the error.
    await expect(run(operationId, tokenFile)).rejects.toThrow(PollingTimeoutError);
    expect(tokenIn(tokenFile).deadline).toBeUndefined();
    const again = run(operationId, tokenFile);
    await expect.poll(() => tokenIn(tokenFile).deadline).toBeDefined();
    const { deadline = 0, savedAt } = tokenIn(tokenFile);
    expect(deadline - savedAt).toBeGreaterThan(3_000_000);
    server.setStatus(operationId, { status: "Succeeded", properties: "late" });
    expect(await again).toEqual(["late"]);
    expect(existsSync(tokenFile)).toBe(false);
  });
});
