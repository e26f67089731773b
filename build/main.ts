import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { buildInto } from "./build.ts";

rmSync("dist", { recursive: true, force: true });
// The declarations, one for each module.
execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "."], { stdio: "inherit" });
await buildInto("dist");
