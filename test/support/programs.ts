import { execFileSync } from "node:child_process";

/** Returns whether to skip tests that need a program that some machines do not have, and logs it. */
export function lacksProgram(name: string, ...argv: readonly string[]): boolean {
  try {
    execFileSync(name, argv, { stdio: "ignore" });
    return false;
  } catch {
    console.warn(`Skipped: ${name} is missing. Install it (Debian: apt-get install ${name}).`);
    return true;
  }
}
