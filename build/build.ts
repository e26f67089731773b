import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bundle } from "./bundle.ts";
import { textsOfCommand } from "./texts.ts";

/** Builds the JavaScript of the package from `src` into a folder. */
export async function buildInto(folder: string): Promise<void> {
  await bundle(folder);
  // Beside the chunk of its server.
  copyFileSync("src/cli/output/page.html", join(folder, "chunks/page.html"));
  writeFileSync(join(folder, "cli/texts.json"), JSON.stringify(await textsOfCommand()));
}
