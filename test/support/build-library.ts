import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { buildInto } from "../../build/build.ts";

/**
 * Builds the library once for the processes that tests start, each of which would compile the sources again. Does
 * nothing if `LIBRARY` names a library that is built.
 */
export default async function setup(): Promise<(() => void) | undefined> {
  if (process.env["LIBRARY"] !== undefined) return undefined;
  // Below `node_modules`, so that imports find the packages.
  const parent = "node_modules/.built";
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, "lro-poller-"));
  const dist = join(folder, "dist");
  await buildInto(dist);
  cpSync("package.json", join(folder, "package.json"));
  process.env["LIBRARY"] = dist;
  return () => {
    delete process.env["LIBRARY"];
    rmSync(folder, { recursive: true });
  };
}
