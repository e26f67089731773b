import { execFile } from "node:child_process";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const tsc = join(import.meta.dirname, "../../node_modules/.bin/tsc");

/** The compiler options with which users' compilers find a package's types. */
const resolutions = [
  ["--module", "nodenext"],
  ["--module", "esnext", "--moduleResolution", "bundler"],
];

/**
 * Compiles a user's file in the project where the package is installed. Checks the declarations of all packages too.
 *
 * @throws Error with the compiler's output
 */
export async function checkTypes(project: string): Promise<void> {
  await copyFile(join(import.meta.dirname, "consumer.ts"), join(project, "consumer.ts"));
  for (const resolution of resolutions) {
    const flags = [
      "--strict",
      "--skipLibCheck",
      "false",
      "--exactOptionalPropertyTypes",
      "--target",
      "es2023",
    ];
    const args = [
      "--noEmit",
      ...flags,
      "--lib",
      "es2024,esnext.disposable,dom,dom.asynciterable",
      ...resolution,
    ];
    await run(tsc, [...args, "consumer.ts"], { cwd: project }).catch((error: unknown) => {
      const output = error instanceof Error && "stdout" in error ? String(error.stdout) : "";
      throw new Error(`types, ${resolution.join(" ")}: ${output}`, { cause: error });
    });
  }
}
