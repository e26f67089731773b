import { existsSync } from "node:fs";
import { chromium } from "playwright-core";
import type { Browser } from "playwright-core";

/** Where Chromium is: Debian's, or the one that `CHROMIUM` names. */
export const chromiumPath: string = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

/** Whether to leave out what needs Chromium. Says so, and never in CI: there it has to be installed. */
export function lacksChromium(): boolean {
  if (existsSync(chromiumPath) || process.env["CI"] === "true") return false;
  console.warn(
    `Skipped: there is no ${chromiumPath} (Debian: apt-get install chromium); CHROMIUM names another one.`,
  );
  return true;
}

export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox"] });
}
