import { existsSync } from "node:fs";
import { chromium } from "playwright-core";
import type { Browser } from "playwright-core";

const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

/** Whether to leave out what needs Chromium. Says so, and never in CI: there it has to be installed. */
export function lacksChromium(): boolean {
  if (existsSync(executablePath) || process.env["CI"] === "true") return false;
  console.warn(
    `Skipped: there is no ${executablePath} (Debian: apt-get install chromium); CHROMIUM names another one.`,
  );
  return true;
}

export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath, args: ["--no-sandbox"] });
}
