import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Text of each entry point's API report, by the path of its committed file, such as `api/lro-poller.api.md`. */
export type ApiReports = ReadonlyMap<string, string>;

/** Writes the reports, and deletes those of entry points that are gone. */
export function writeReports(root: string, reports: ApiReports): void {
  mkdirSync(join(root, "api"), { recursive: true });
  for (const [file, text] of reports) writeFileSync(join(root, file), text);
  for (const file of staleFiles(root, reports)) rmSync(join(root, file));
}

/** Returns one complaint for each committed report that is missing, out of date, or without an entry point. */
export function compareReports(root: string, reports: ApiReports): string[] {
  const differences = Array.from(reports, ([file, text]) => differenceFrom(join(root, file), file, text));
  const stale = staleFiles(root, reports).map((file) => `${file}: package.json has no such entry point.`);
  const complaints = [...differences.flat(), ...stale];
  const advice = "If the change of the public API is intended, run npm run api:update and commit the files.";
  return complaints.length === 0 ? [] : [...complaints, advice];
}

function differenceFrom(path: string, file: string, text: string): string[] {
  if (!existsSync(path)) return [`${file}: there is no such file.`];
  // Git may have given it the line endings of Windows.
  const committed = readFileSync(path, "utf8").replaceAll("\r\n", "\n");
  if (committed === text) return [];
  const [before, now] = [committed.split("\n"), text.split("\n")];
  const index = before.findIndex((line, at) => line !== now[at]);
  const line = index === -1 ? before.length : index;
  return [
    `${file}:${line + 1} differs.\n  committed: ${before[line] ?? ""}\n  now:       ${now[line] ?? ""}`,
  ];
}

function staleFiles(root: string, reports: ApiReports): string[] {
  return globSync("api/*.api.md", { cwd: root })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => !reports.has(file));
}
