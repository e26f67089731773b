import { execFileSync } from "node:child_process";

/** Whether to leave out what needs a program that some machines do not have. Says so. */
export function lacksProgram(name: string, ...argv: readonly string[]): boolean {
  try {
    execFileSync(name, argv, { stdio: "ignore" });
    return false;
  } catch {
    console.warn(`Skipped: there is no ${name} (Debian: apt-get install ${name}).`);
    return true;
  }
}
