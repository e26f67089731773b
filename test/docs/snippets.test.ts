import { execFile } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as tls from "node:tls";
import { promisify } from "node:util";
import { InvocationContext } from "@azure/functions";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { OperationStatusesClient, createPoller } from "lro-poller";
import { startOperationStatusServer } from "lro-poller/testing";
import type { OperationStatusServer, Timeline } from "lro-poller/testing";
import { failing, succeeding } from "../runtimes/plans.ts";
import { CountingCredential } from "../support/credential.ts";
import { createCertificate } from "../support/tls.ts";

/** Waits of seconds take a twentieth. */
const speed = vi.hoisted(() => 20);

vi.mock("@azure/identity", () => ({ DefaultAzureCredential: CountingCredential }));
vi.mock("../../src/clock.ts", async (importActual) => {
  const { systemClock } = await importActual<typeof import("../../src/clock.ts")>();
  const { fastClock } = await import("../support/clock.ts");
  return { systemClock: fastClock(systemClock, speed) };
});

const pages = ["README.md", "SECURITY.md", ...globSync("docs/*.md").toSorted()];

interface Snippet {
  readonly name: string;
  readonly code: string;
  /** What the page says that it prints; `undefined` where it says nothing. */
  readonly output: string | undefined;
}

/** Every `ts` block, with the `text` block that follows it at once. */
const snippets = pages.flatMap((page) => {
  const blocks = readFileSync(page, "utf8").matchAll(/```ts\n([\s\S]*?)```(?:\n\n```text\n([\s\S]*?)```)?/g);
  const found = Array.from(blocks, ([, code = "", output], index): Snippet => {
    return { name: `${page.replace(/^docs\/|\.md$/g, "")}-${index}`, code, output: output?.trimEnd() };
  });
  // Those of a queue need a Redis, and real time: they have a test of their own.
  return page === "docs/queue.md" ? [] : found;
});

let server: OperationStatusServer;
const folder = mkdtempSync(join(import.meta.dirname, "snippets-"));
const trusted = tls.getCACertificates("default");

beforeAll(async () => {
  const certificate = await createCertificate();
  tls.setDefaultCACertificates([...trusted, certificate.cert]);
  const begun: Timeline = [{ status: "Running", polls: 1 }, { status: "Succeeded" }];
  server = await startOperationStatusServer({
    tls: certificate,
    onInitialRequest: () => ({ timeline: begun }),
    requireAuthorization: (token) => token !== undefined,
  });
});

afterAll(async () => {
  rmSync(folder, { recursive: true });
  tls.setDefaultCACertificates(trusted);
  await server.close();
});

test("the pages have their snippets", () => {
  expect(snippets.length).toBeGreaterThanOrEqual(15);
});

/** Kinds of blocks that other tests read, and where: what is of another kind, or elsewhere, no test would see. */
const readElsewhere: Readonly<Record<string, string>> = {
  diff: "docs/queue.md",
  js: "docs/operators.md",
  mermaid: "docs/states.md",
};

test.each(pages)("%s has no block that is nowhere tried", (page) => {
  const kinds = Array.from(readFileSync(page, "utf8").matchAll(/^```(.+)$/gm), ([, kind = ""]) => kind);
  const known = ["ts", "text", "sh", "yaml"];
  expect(kinds.filter((kind) => !known.includes(kind) && readElsewhere[kind] !== page)).toEqual([]);
});

test("every snippet passes the compiler", async () => {
  const tsconfig = {
    extends: "../../tsconfig.json",
    include: snippets.map(({ name, code }) => {
      writeFileSync(join(folder, `${name}.ts`), code);
      return `${name}.ts`;
    }),
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(tsconfig));
  const compiler = join(import.meta.dirname, "../../node_modules/typescript/bin/tsc");
  const said = await promisify(execFile)(process.execPath, [compiler, "-p", folder]).catch(
    (error: unknown) => error,
  );
  expect(said).toMatchObject({ stdout: "", stderr: "" });
});

test.each(snippets)("$name has no syntax that Node 22 does not know", ({ code }) => {
  // What runs the snippets here would translate it.
  expect(code).not.toContain("await using");
});

/** Azure Functions call what a module exports, with a message of the queue. */
async function playFunctionsHost(exported: unknown, message: object): Promise<void> {
  if (typeof exported !== "object" || exported === null || !("goOn" in exported)) return;
  if (typeof exported.goOn !== "function") throw new TypeError("goOn: expected a function");
  const context = new InvocationContext({ logHandler: (_, ...values) => console.log(...values) });
  const done: unknown = Reflect.apply(exported.goOn, undefined, [message, context]);
  await done;
}

test.each(snippets)("$name runs and prints what the page says", async ({ name, code, output }) => {
  // The hand-written loop knows no clock but the real one: it finds the operation at its end.
  const timeline = code.includes("setTimeout") ? succeeding.slice(-1) : succeeding;
  const { projectName, operationId } = server.addOperation({ timeline });
  vi.stubEnv("ENDPOINT", server.endpoint);
  vi.stubEnv("ARM_ENDPOINT", server.endpoint);
  vi.stubEnv("RESOURCE_ID", `/projects/${projectName}/users/me/environments/test-${name}`);
  vi.stubEnv("PROJECT", projectName);
  vi.stubEnv("OPERATION_ID", operationId);
  vi.stubEnv("TOKEN_FILE", join(folder, "token.json"));
  vi.stubEnv("HISTORY", join(folder, "durations.json"));
  vi.stubEnv("OPERATION_LOCATION", server.addOperation({ timeline: failing }).operationLocation);
  const { format } = await import("node:util");
  const lines: string[] = [];
  const log = vi.spyOn(console, "log").mockImplementation((...values) => void lines.push(format(...values)));
  const file = join(folder, `${name}.ts`);
  writeFileSync(file, code);
  const exported: unknown = await import(file);
  const client = new OperationStatusesClient(server.endpoint, new CountingCredential());
  await playFunctionsHost(exported, createPoller(client.operation(projectName, operationId)).toJSON());
  log.mockRestore();
  expect(lines.join("\n")).toBe(output ?? lines.join("\n"));
});
