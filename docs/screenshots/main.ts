// Makes the images of the docs anew: real waits in a real terminal (tmux) and a real browser (Chromium).
import type { Browser, Page } from "playwright-core";
import { startOperationServer } from "lro-poller/testing";
import { launchChromium } from "../../test/support/chromium.ts";
import { closeTerminal, openTerminal, screenOf } from "./terminal.ts";
import { deploymentPlan, manyPlans, namedPlans } from "./plans.ts";
import type { NamedPlan } from "./plans.ts";
import { pageOfScreen } from "./screen-page.ts";

const images = new URL("../images/", import.meta.url);

const server = await startOperationServer();
const arm = await startOperationServer({ style: "arm", deployments: { parentLagInMs: 2000 } });
const browser = await launchChromium();
/** All images, or those of the arguments: `terminal`, `page`, `deployment`. */
const wantedImages = new Set(process.argv.slice(2));
try {
  if (isWanted("terminal")) await photographTerminal(browser);
  if (isWanted("page")) await photographPage(browser);
  if (isWanted("deployment")) await photographDeployment(browser);
} finally {
  closeTerminal();
  await browser.close();
  await server.close();
  await arm.close();
}

function isWanted(name: string): boolean {
  return wantedImages.size === 0 || wantedImages.has(name);
}

async function photographTerminal(on: Browser): Promise<void> {
  const screen = await screenWhen(["--from", "-"], manyPlans, /operations: .* (?:9|1\d) Succeeded, 2 Failed/);
  await saveScreen(on, screen, "terminal.png");
}

async function saveScreen(on: Browser, screen: string, name: string): Promise<void> {
  const page = await on.newPage({ deviceScaleFactor: 1.5 });
  await page.setContent(pageOfScreen(screen));
  await page.locator("pre").screenshot({ path: imagePath(name) });
}

/** The recording of one deployment: parts that run, one that has failed, and the end; and the live page of it. */
async function photographDeployment(on: Browser): Promise<void> {
  const { id } = arm.addDeployment({ name: "shop-prod", ...deploymentPlan, startsAtFirstPoll: true });
  closeTerminal();
  openTerminal(["--web", "--endpoint", arm.endpoint, "--from", "-"], [id], 26);
  const running = await screenOf(/aks +Running[^]*plan +Succeeded/);
  await saveScreen(on, running, "deployment-running.png");
  const [url = ""] = /http:\S+/.exec(running) ?? [];
  await saveScreen(on, await screenOf(/aks +Failed/), "deployment-part-failed.png");
  const page = await on.newPage({ viewport: { width: 860, height: 1000 }, deviceScaleFactor: 1.25 });
  await page.goto(url);
  await page.getByText("aks", { exact: true }).waitFor();
  await savePage(page, "deployment-page");
  await saveScreen(on, await screenOf(/shop-prod +Failed/), "deployment-failed.png");
}

async function photographPage(on: Browser): Promise<void> {
  const screen = await screenWhen(["--web", "--from", "-"], namedPlans, /^gateway .*Failed/m);
  const [url = ""] = /http:\S+/.exec(screen) ?? [];
  const page = await on.newPage({ viewport: { width: 860, height: 1000 }, deviceScaleFactor: 1.25 });
  await page.goto(url);
  await page.getByText("DnsServerUnreachable").waitFor();
  await savePage(page, "page");
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

async function savePage(page: Page, name: string): Promise<void> {
  // What is off the screen is not drawn.
  const height = Number(await page.evaluate("document.querySelector('main').offsetHeight"));
  await page.setViewportSize({ width: 860, height });
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: imagePath(`${name}-${colorScheme}.png`) });
  }
}

function imagePath(name: string): string {
  return new URL(name, images).pathname;
}
