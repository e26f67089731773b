import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { startOperationStatusServer } from "lro-poller/testing";
import { expect, onTestFinished, test } from "vitest";
import { redisTest } from "../support/redis.ts";
import { preload } from "./fleet.ts";

const readme = readFileSync("README.md", "utf8");
const [, diff = ""] = /```diff\n([\s\S]*?)```/.exec(readme) ?? [];
const [, worker = ""] = /```ts\n((?:(?!```)[\s\S])*createOperationWorker[\s\S]*?)```/.exec(readme) ?? [];
const before = side("-");
const after = side("+");

/** One side of the diff: the lines of both, and those of its own. */
function side(sign: "-" | "+"): string {
  const lines = diff.split("\n").filter((line) => line.startsWith(" ") || line.startsWith(sign));
  return lines.map((line) => line.slice(1)).join("\n");
}

/** Inside of the repository, so that the packages are found. */
function folderFor(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(import.meta.dirname, "page-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files))
    writeFileSync(join(folder, name), `${text}\nexport {};\n`);
  return folder;
}

test("a script that waits in its own process goes to the queue by its import and one line; both compile", async () => {
  const [removed, added] = ["-", "+"].map((sign) => diff.split("\n").filter((line) => line.startsWith(sign)));
  const imports = added?.filter((line) => line.startsWith("+import"));
  expect(removed).toHaveLength(1);
  expect(removed?.[0]).toMatch(/^-import .* from "lro-poller";$/);
  expect(added?.length).toBe((imports?.length ?? 0) + 1);

  const folder = folderFor({ "before.ts": before, "after.ts": after, "worker.ts": worker });
  const config = { extends: "../../tsconfig.json", include: ["."], compilerOptions: { rootDir: "../../.." } };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  const compiled = promisify(execFile)("tsc", ["-p", folder]);
  await expect(compiled).resolves.toMatchObject({ stdout: "" });
}, 60_000);

redisTest(
  "what the page shows of the queue runs: the worker, and both sides of the diff",
  async ({ connection }) => {
    await using server = await startOperationStatusServer();
    const { projectName, operationId } = server.addOperation({
      timeline: [
        { status: "Running", reads: 1, percentComplete: 40 },
        { status: "Succeeded", properties: 42 },
      ],
    });
    // The emulator listens on plain http, where no credential is sent.
    const local = (text: string): string =>
      text.replace(/^import .*identity";\n/m, "").replace(", new DefaultAzureCredential()", "");
    const folder = folderFor({
      "before.ts": local(before),
      "after.ts": local(after),
      "worker.ts": local(worker),
    });
    const env = {
      ...process.env,
      ENDPOINT: server.endpoint,
      PROJECT: projectName,
      OPERATION_ID: operationId,
      REDIS_URL: `redis://${connection.host}:${connection.port}`,
    };
    const node = ["--no-warnings", ...preload];
    const working = spawn(process.execPath, [...node, join(folder, "worker.ts")], { env, stdio: "inherit" });
    const run = async (file: string): Promise<string> =>
      (await promisify(execFile)(process.execPath, [...node, join(folder, file)], { env })).stdout;
    expect(await run("after.ts")).toBe("Running 40\nSucceeded 40\n42\n");
    expect(await run("before.ts")).toBe("Succeeded undefined\n42\n");

    working.kill("SIGTERM");
    const [code]: unknown[] = await once(working, "exit");
    expect(code).toBe(0);
  },
);
