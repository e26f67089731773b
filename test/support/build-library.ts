import { cpSync, globSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { rolldown } from "rolldown";

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
  const dir = join(folder, "dist");
  const build = await rolldown({
    input: globSync("src/**/*.ts"),
    platform: "node",
    external: /^[^./\0]/,
    treeshake: false,
  });
  await build.write({ dir, preserveModules: true, preserveModulesRoot: "src" });
  await build.close();
  cpSync("src/cli/output/page.html", join(dir, "cli/output/page.html"));
  cpSync("package.json", join(folder, "package.json"));
  process.env["LIBRARY"] = dir;
  return () => {
    delete process.env["LIBRARY"];
    rmSync(folder, { recursive: true });
  };
}
