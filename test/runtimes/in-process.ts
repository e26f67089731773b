import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { installRuntime } from "./binaries.ts";
import type { ProcessRuntime } from "./binaries.ts";
import { firstSnippet } from "./bundle.ts";
import type { RuntimeHost } from "./host.ts";
import { succeeding } from "./plans.ts";
import { reportIn } from "./report.ts";
import type { Report } from "./report.ts";

const run = promisify(execFile);

/** The results of the scenarios in one runtime. */
export interface RuntimeResult {
  readonly runtime: string;
  readonly version: string;
  readonly report: Report;
}

/** Runs the first snippet of README.md and the scenarios in a process of the runtime. */
export async function runInProcess(
  runtime: ProcessRuntime,
  { server, arm, control }: RuntimeHost,
  project: string,
  certificateFile: string,
): Promise<RuntimeResult> {
  const binary = await installRuntime(runtime);
  const { projectName, operationId } = server.addOperation({ timeline: succeeding });
  const env = {
    ...environment(control, certificateFile),
    CONTROL: control,
    ENDPOINT: server.endpoint,
    ARM_ENDPOINT: arm.endpoint,
    PROJECT: projectName,
    OPERATION_ID: operationId,
  };
  const start = async (script: string): Promise<string> => {
    const options = { env, cwd: project, timeout: 120_000 };
    const { stdout } = await run(binary, [...runtime.flags, join(project, script)], options).catch(
      withOutput,
    );
    return stdout;
  };
  const { stdout: versionText } = await run(binary, ["--version"]);
  const version = /[\d.]+/.exec(versionText)?.[0] ?? versionText;
  const snippet = await start("snippet.mjs").then(differenceFromPage, String);
  const report = reportIn(await start("process.mjs"));
  return { runtime: runtime.name, version, report: { "first snippet": snippet, ...report } };
}

/** Returns variables for the identity endpoint of DefaultAzureCredential and for the certificate of each runtime. */
function environment(control: string, certificateFile: string): NodeJS.ProcessEnv {
  const { PATH, HOME } = process.env;
  return {
    PATH,
    HOME,
    IDENTITY_ENDPOINT: `${control}/token`,
    IDENTITY_HEADER: "header",
    NODE_EXTRA_CA_CERTS: certificateFile,
    DENO_CERT: certificateFile,
  };
}

/** Adds the output of a failed process to its error, because it shows where the process stopped. */
function withOutput(error: unknown): never {
  const printed = error instanceof Error && "stdout" in error ? `\n${String(error.stdout)}` : "";
  throw new Error(`${String(error)}${printed}`, { cause: error });
}

/** Compares without quotes, commas and spaces, because runtimes differ in how they print an object. */
async function differenceFromPage(output: string): Promise<string | null> {
  const { prints } = await firstSnippet();
  const bare = (text: string): string => text.replaceAll(/['",\s]+/g, " ").trim();
  return bare(output) === bare(prints) ? null : `printed ${output}`;
}
