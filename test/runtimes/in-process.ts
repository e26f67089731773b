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

/** What became of a runtime. */
export interface RuntimeResult {
  readonly runtime: string;
  readonly version: string;
  readonly report: Report;
}

/** Runs the front page's first snippet and the scenarios in a process of the runtime. */
export async function runInProcess(
  runtime: ProcessRuntime,
  { server, control }: RuntimeHost,
  project: string,
  certificateFile: string,
): Promise<RuntimeResult> {
  const binary = await installRuntime(runtime);
  const { projectName, operationId } = server.addOperation({ timeline: succeeding });
  const env = {
    ...environment(control, certificateFile),
    CONTROL: control,
    ENDPOINT: server.endpoint,
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
  const { stdout: words } = await run(binary, ["--version"]);
  const version = /[\d.]+/.exec(words)?.[0] ?? words;
  const snippet = await start("snippet.mjs").then(differenceFromPage, String);
  const report = reportIn(await start("process.mjs"));
  return { runtime: runtime.name, version, report: { "first snippet": snippet, ...report } };
}

/** Leads DefaultAzureCredential to the host's identity endpoint, and each runtime to the host's certificate. */
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

/** What was printed before it tells where it came to a stop. */
function withOutput(error: unknown): never {
  const printed = error instanceof Error && "stdout" in error ? `\n${String(error.stdout)}` : "";
  throw new Error(`${String(error)}${printed}`, { cause: error });
}

/** Runtimes differ in how they print an object. */
async function differenceFromPage(output: string): Promise<string | null> {
  const { prints } = await firstSnippet();
  const bare = (text: string): string => text.replaceAll(/['",\s]+/g, " ").trim();
  return bare(output) === bare(prints) ? null : `printed ${output}`;
}
