// Makes the images of the README anew: real waits in a real terminal (tmux) and a real browser (Chromium).
import type { Browser } from "playwright-core";
import { startOperationServer } from "lro-poller/testing";
import { launchChromium } from "../../test/support/chromium.ts";
import { closeTerminal, openTerminal, screenOf } from "./terminal.ts";
import { manyPlans, namedPlans } from "./plans.ts";
import type { NamedPlan } from "./plans.ts";
import { pageOfScreen } from "./screen-page.ts";

const images = new URL("../images/", import.meta.url);

const server = await startOperationServer();
const browser = await launchChromium();
try {
  await photographTerminal(browser);
  await photographPage(browser);
} finally {
  closeTerminal();
  await browser.close();
  await server.close();
}

async function photographTerminal(on: Browser): Promise<void> {
  const screen = await screenWhen(["--from", "-"], manyPlans, /operations: .* (?:9|1\d) Succeeded, 2 Failed/);
  const page = await on.newPage({ deviceScaleFactor: 1.5 });
  await page.setContent(pageOfScreen(screen));
  await page.locator("pre").screenshot({ path: imagePath("terminal.png") });
}

async function photographPage(on: Browser): Promise<void> {
  const screen = await screenWhen(["--web", "--from", "-"], namedPlans, /^gateway .*Failed/m);
  const [url = ""] = /http:\S+/.exec(screen) ?? [];
  const page = await on.newPage({ viewport: { width: 860, height: 100 }, deviceScaleFactor: 1.25 });
  await page.goto(url);
  await page.getByText("DnsServerUnreachable").waitFor();
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: imagePath(`page-${colorScheme}.png`), fullPage: true });
  }
}

/** What `lro wait` shows in a terminal, as soon as it shows this. */
async function screenWhen(
  argv: readonly string[],
  plans: readonly NamedPlan[],
  wanted: RegExp,
): Promise<string> {
  const locations = plans.map(
    ({ name, ...plan }) => `${name}=${server.addOperation(plan).operationLocation}`,
  );
  closeTerminal();
  openTerminal(argv, locations);
  return screenOf(wanted);
}

function imagePath(name: string): string {
  return new URL(name, images).pathname;
}
