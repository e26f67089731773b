/**
 * Fails when an export of the package, or a public member of one, has no docs, or when a link in its docs is broken.
 * Also fails when an entry point differs from its report in `api`, so that a change of the public API is a diff.
 * With `--update` it writes these reports.
 *
 * Reads the declarations in `dist`: API Extractor has a compiler of its own, and TypeScript 7 has no API for it.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { Extractor, ExtractorConfig, ExtractorLogLevel } from "@microsoft/api-extractor";
import type { ExtractorMessage, IConfigFile } from "@microsoft/api-extractor";
import { compareReports, writeReports } from "./api-reports.ts";

const {
  values: { update },
} = parseArgs({ options: { update: { type: "boolean", default: false } } });

const projectFolder = resolve(import.meta.dirname, "../..");
const packageJson = readFileSync(join(projectFolder, "package.json"), "utf8");
/** Declarations of each entry point, by the path of its report. */
const entryPoints = new Map(
  Array.from(
    packageJson.matchAll(/"\.(?:\/([\w/]+))?": "\.\/(dist\/\S+)\.js"/g),
    ([, name, path]): [string, string] => [
      `api/lro-poller${name === undefined ? "" : `-${name.replace("/", "-")}`}.api.md`,
      `${path}.d.ts`,
    ],
  ),
);
const temporaryFolder = mkdtempSync(join(tmpdir(), "lro-poller-docs-"));
const reportFileName = "report.api.md";

try {
  const complaints: string[] = [];
  const reports = new Map<string, string>();
  for (const [file, entryPoint] of entryPoints) {
    complaints.push(...complaintsAbout(entryPoint));
    reports.set(file, readFileSync(join(temporaryFolder, reportFileName), "utf8"));
  }
  console.log(`${complaints.length} complaints about the docs of ${[...entryPoints.values()].join(", ")}`);
  if (update) writeReports(projectFolder, reports);
  else complaints.push(...compareReports(projectFolder, reports));
  for (const complaint of complaints) console.error(complaint);
  if (complaints.length > 0) process.exitCode = 1;
} finally {
  rmSync(temporaryFolder, { recursive: true });
}

function complaintsAbout(entryPoint: string): string[] {
  const complaints: string[] = [];
  const config = ExtractorConfig.prepare({
    configObject: configOf(entryPoint),
    configObjectFullPath: undefined,
    packageJsonFullPath: join(projectFolder, "package.json"),
  });
  const { errorCount } = Extractor.invoke(config, {
    localBuild: true,
    messageCallback: (message) => {
      message.handled = true;
      if (message.logLevel === ExtractorLogLevel.Error) complaints.push(lineOf(message));
    },
  });
  // An error without a message must not count as none.
  return complaints.length === 0 && errorCount > 0 ? [`${entryPoint}: ${errorCount} errors`] : complaints;
}

function lineOf({ sourceFilePath = "", sourceFileLine = 0, messageId, text }: ExtractorMessage): string {
  return `${sourceFilePath}:${sourceFileLine} ${messageId}: ${text}`;
}

/** Without the compiler's own errors: `npm run types` reports them, with a newer compiler. */
function configOf(entryPoint: string): IConfigFile {
  return {
    projectFolder,
    newlineKind: "lf",
    mainEntryPointFilePath: join(projectFolder, entryPoint),
    compiler: { tsconfigFilePath: join(projectFolder, "tsconfig.json"), skipLibCheck: true },
    // Undocumented names are only found while a report of the API is written.
    apiReport: {
      enabled: true,
      reportFolder: temporaryFolder,
      reportTempFolder: temporaryFolder,
      reportFileName,
      // A base class that is not exported has public members. The test kit would repeat those of the library.
      includeForgottenExports: entryPoint === "dist/index.d.ts",
    },
    docModel: { enabled: false },
    messages: {
      compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      extractorMessageReporting: {
        default: { logLevel: ExtractorLogLevel.None },
        "ae-undocumented": { logLevel: ExtractorLogLevel.Error },
        "ae-unresolved-link": { logLevel: ExtractorLogLevel.Error },
      },
      tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
    },
  };
}
