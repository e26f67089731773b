import { execFileSync } from "node:child_process";
import { copyFileSync, rmSync, writeFileSync } from "node:fs";
import { bundle } from "./bundle.ts";
import { textsOfCommand } from "./texts.ts";

rmSync("dist", { recursive: true, force: true });
execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "."], { stdio: "inherit" });
await bundle("dist");
// Beside the chunk of its server.
copyFileSync("src/cli/output/page.html", "dist/chunks/page.html");
writeFileSync("dist/cli/texts.json", JSON.stringify(await textsOfCommand()));
