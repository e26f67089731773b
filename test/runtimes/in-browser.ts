import { access } from "node:fs/promises";
import type { Page } from "playwright-core";
import { chromiumPath, launchChromium } from "../support/chromium.ts";
import { MissingRuntime } from "./binaries.ts";
import type { RuntimeHost } from "./host.ts";
import type { RuntimeResult } from "./in-process.ts";
import { reportIn, reportMark } from "./report.ts";

/** Waits for an operation of another origin in a page of headless Chromium, and runs the scenarios there. */
export async function runInBrowser({ server, arm, control }: RuntimeHost): Promise<RuntimeResult> {
  await access(chromiumPath).catch((cause: unknown) => {
    throw new MissingRuntime(`no ${chromiumPath}; CHROMIUM may name another`, { cause });
  });
  const browser = await launchChromium();
  try {
    const page = await browser.newPage({ ignoreHTTPSErrors: true });
    const output = outputOf(page);
    const query = new URLSearchParams({ endpoint: server.endpoint, arm: arm.endpoint });
    await page.goto(`${control}/page.html?${query.toString()}`);
    const shown = await showsProgress(page).then(() => null, String);
    const report = reportIn(await output);
    return {
      runtime: "Chromium",
      version: browser.version(),
      report: { "progress in the page": shown, ...report },
    };
  } finally {
    await browser.close();
  }
}

/** @throws Error if the page does not show one of the states */
async function showsProgress(page: Page): Promise<void> {
  for (const [status, percent] of [
    ["NotStarted", 0],
    ["Running", 40],
    ["Succeeded", 100],
  ] as const) {
    await page.getByText(status, { exact: true }).waitFor();
    const value = await page.locator("progress").getAttribute("value");
    if (Number(value) !== percent) throw new Error(`${status}: expected ${percent} %, got ${value}`);
  }
}

/** Resolves with the page's output up to its report, or up to the error that ends it. */
function outputOf(page: Page): Promise<string> {
  return new Promise((resolve) => {
    const lines: string[] = [];
    page.on("console", (message) => {
      lines.push(message.text());
      if (message.text().startsWith(reportMark)) resolve(lines.join("\n"));
    });
    page.on("pageerror", (error) => resolve([...lines, String(error)].join("\n")));
  });
}
