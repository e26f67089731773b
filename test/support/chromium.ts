import { existsSync } from "node:fs";
import { chromium } from "playwright-core";
import type { Browser } from "playwright-core";

/** The path of Chromium: that of Debian, or the variable `CHROMIUM`. */
export const chromiumPath: string = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

/** Returns whether to skip tests that need Chromium, and logs it. Always false in CI, where Chromium is required. */
export function lacksChromium(): boolean {
  if (existsSync(chromiumPath) || process.env["CI"] === "true") return false;
  console.warn(
    `Skipped: ${chromiumPath} is missing. Install it (Debian: apt-get install chromium) or set CHROMIUM.`,
  );
  return true;
}

export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox"] });
}
