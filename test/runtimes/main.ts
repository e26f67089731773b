import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { installPackage } from "../support/project.ts";
import { createCertificate } from "../support/tls.ts";
import { MissingRuntime, processRuntimes } from "./binaries.ts";
import { bundleForRuntimes } from "./bundle.ts";
import { startHost } from "./host.ts";
import { runInBrowser } from "./in-browser.ts";
import { runInProcess } from "./in-process.ts";
import type { RuntimeResult } from "./in-process.ts";
import { checkTypes } from "./types.ts";

const project = await installPackage();
await bundleForRuntimes(project);
const certificate = await createCertificate();
const certificateFile = join(project, "certificate.pem");
await writeFile(certificateFile, certificate.cert);

const failures: string[] = [];
await checkTypes(project).catch((error: unknown) => void failures.push(String(error)));
/** Runtimes that could not be installed on this machine. */
const missing: string[] = [];
const rows: object[] = [];

/** Arguments of the command select runtimes by part of their name. */
const wanted = process.argv.slice(2);
const isWanted = (name: string): boolean => wanted.length === 0 || wanted.some((word) => name.includes(word));

const host = await startHost(certificate, project);
for (const runtime of processRuntimes.filter(({ spec }) => isWanted(spec))) {
  await add(runtime.spec, runInProcess(runtime, host, project, certificateFile));
}
if (isWanted("chromium")) await add("chromium", runInBrowser(host));
await host.close();
await rm(project, { recursive: true });

console.table(rows);
for (const failure of failures) console.error(failure);
if (missing.length > 0) console.error(`NOT RUN: ${missing.join("; ")}`);
const isFailed = failures.length > 0 || (process.env["CI"] === "true" && missing.length > 0);
process.exitCode = isFailed ? 1 : 0;

async function add(spec: string, running: Promise<RuntimeResult>): Promise<void> {
  try {
    const { runtime, version, report } = await running;
    const names = Object.keys(report);
    const failed = names.filter((name) => report[name] !== null);
    rows.push({ runtime, version, passed: names.length - failed.length, failed: failed.join(", ") });
    failures.push(...failed.map((name) => `${spec}: ${name}: ${report[name]}`));
  } catch (error) {
    if (error instanceof MissingRuntime) return void missing.push(`${spec} (${error.message})`);
    failures.push(`${spec}: ${String(error)}`);
  }
}
