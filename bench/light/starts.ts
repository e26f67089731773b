import { existsSync, globSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { median } from "../median.ts";
import type { Checkout } from "./checkouts.ts";
import { run } from "./run.ts";
import type { Program, Spent } from "./run.ts";
import { startSecureService, startService } from "./service.ts";

const rounds = 25;

const importing = (name: string, specifier: string): Program => ({
  name: `import ${name}`,
  argv: ["--input-type=module", "--eval", `await import(${JSON.stringify(specifier)})`],
});

const bareNode: Program = { name: "bare Node", argv: ["--eval", "0"] };

/** An address of this machine is no host that the command knows. */
const scope = "https://management.azure.com/.default";

/**
 * Prints what an import, the start of the command, and a command with one request take. The ratios are those to bare Node or
 * to core-rest-pipeline alone. Programs take turns, so that other load on the machine affects all alike.
 */
export async function measureStarts(checkouts: readonly Checkout[]): Promise<void> {
  const commands = (...words: readonly string[]): Program[] =>
    checkouts.map(({ name, folder }) => ({
      name: `lro ${words.join(" ")}, ${name}`,
      argv: [join(folder, "dist/cli/main.js"), ...words],
    }));
  const measureRequests = async (
    title: string,
    script: string,
    url: string,
    options: readonly string[] = [],
    env: NodeJS.ProcessEnv = {},
  ): Promise<void> => {
    const programs = [
      { name: "a script of 10 lines", argv: [join(import.meta.dirname, script), url] },
      ...commands("wait", url, ...options),
      ...commands("status", url, ...options),
    ];
    await measure(
      title,
      programs.map((program) => ({ ...program, name: program.name.replace(url, "URL"), env })),
    );
  };

  await measure(
    "Import, without the start of Node",
    [
      importing("@azure/core-rest-pipeline", "@azure/core-rest-pipeline"),
      ...checkouts.map(({ name, folder }) => importing(`lro-poller, ${name}`, join(folder, "dist/index.js"))),
      importing("@azure/identity", "@azure/identity"),
    ],
    bareNode,
  );
  await measure("Start of the command", [
    bareNode,
    ...commands("--version"),
    ...commands("--help"),
    ...commands("completion", "bash"),
  ]);
  const service = await startService();
  await measureRequests("To the end of the first request", "first-request.js", service.url);
  service.close();
  const certificates = mkdtempSync(join(tmpdir(), "bench-"));
  const secure = await startSecureService(certificates);
  await measureRequests(
    "The same over TLS, with a token of a managed identity",
    "first-secure-request.js",
    secure.url,
    ["--scope", scope],
    secure.env,
  );
  secure.close();
  rmSync(certificates, { recursive: true });
  console.log("\nBuilt files");
  console.table(checkouts.map(({ name, folder }) => ({ name, ...sizeOf(join(folder, "dist")) })));
}

/** Prints the medians of all programs, less that of another, and their ratios to those of the first. */
async function measure(title: string, programs: readonly Program[], less?: Program): Promise<void> {
  const all = less ? [...programs, less] : programs;
  const spent = new Map(all.map((program) => [program, [] as Spent[]]));
  for (let round = 0; round < rounds; round++) {
    for (const [program, list] of spent) list.push(await run(program));
  }
  const medianOf = (program: Program | undefined, time: keyof Spent): number =>
    program ? median((spent.get(program) ?? []).map((one) => one[time])) : 0;
  const of = (program: Program | undefined, time: keyof Spent): number =>
    medianOf(program, time) - medianOf(less, time);
  const [first] = programs;
  console.log(`\n${title}`);
  console.table(
    programs.map((program) => ({
      name: program.name,
      "CPU, ms": of(program, "cpuInMs").toFixed(0),
      "CPU, ratio": (of(program, "cpuInMs") / of(first, "cpuInMs")).toFixed(2),
      "wall, ms": of(program, "wallInMs").toFixed(0),
      "wall, ratio": (of(program, "wallInMs") / of(first, "wallInMs")).toFixed(2),
    })),
  );
}

function sizeOf(folder: string): object {
  const files = globSync("**/*.{js,json,html}", { cwd: folder }).map((file) => join(folder, file));
  if (!existsSync(folder)) throw new Error(`${folder}: expected a build`);
  const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
  return { files: files.length, "JavaScript, kB": (bytes / 1000).toFixed(0) };
}
