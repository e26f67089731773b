import { expect, onTestFinished, test } from "vitest";
import { combined } from "../../../src/cli/output/reporter.ts";
import { WaitBoard } from "../../../src/cli/output/wait-board.ts";
import { createWebReporter } from "../../../src/cli/output/web-reporter.ts";
import { lacksChromium, launchChromium } from "../../support/chromium.ts";
import { CapturedOutput, contextOf } from "../run-cli.ts";
import { deployments, failedParts, manyParts, partOf, progressWith } from "./some-parts.ts";

// A browser starts slowly on a busy machine.

const names = [{ id: "web", name: "web" }];
const hostile = `<img src=x onerror="document.title='owned'">`;

async function openPage() {
  const stderr = new CapturedOutput();
  const context = contextOf({ stderr });
  const board = new WaitBoard(names, context);
  const reporter = combined([board, await createWebReporter(names, board, context)]);
  const browser = await launchChromium();
  onTestFinished(async () => {
    reporter.close();
    await browser.close();
  });
  const page = await browser.newPage({ viewport: { width: 900, height: 600 } });
  const complaints: string[] = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(stderr.text.replace("Live page: ", "").trim());
  return { page, complaints, reporter };
}

test.skipIf(lacksChromium())(
  "a browser shows the tree of parts, the failed ones first, and folds what succeeded",
  async () => {
    const { page, complaints, reporter } = await openPage();
    const fields = {
      partsDone: 4,
      partsTotal: 20,
      percentComplete: 45,
      percentageKind: "timeWeighted",
    } as const;
    reporter.progress(0, progressWith(failedParts, fields));
    await page.getByText("vpn-gateway", { exact: true }).waitFor();
    const textOf = async (): Promise<string> =>
      (await page.locator("#waits").innerText())
        .replaceAll(/\d+:\d\d(?::\d\d)?/g, "m:ss")
        .replaceAll(/\s+/g, " ");
    const text = await textOf();
    expect(text).toContain("web Running ~45 % · m:ss");
    expect(text).toContain(
      "4 of at least 20 parts · 1 failed · 1 running · 1 skipped · oldest: network/vpn-gateway m:ss",
    );
    expect(text).toContain(
      "cluster Failed m:ss 2 of 2 parts aks Failed m:ss Microsoft.ContainerService/managedClusters QuotaExceeded flux skipped",
    );
    expect(text.indexOf("aks Failed")).toBeLessThan(text.indexOf("vpn-gateway Running"));
    expect(await page.getByRole("progressbar").getAttribute("aria-valuetext")).toBe("Running, ~45 %");

    const [logs, network, cluster] = failedParts;
    if (!logs || !network || !cluster) throw new Error("no parts");
    const isOpen = (name: string): Promise<boolean> =>
      page
        .locator("details", { has: page.locator("> summary", { hasText: name }) })
        .last()
        .evaluate((group) => group.hasAttribute("open"));
    expect(await isOpen("network")).toBe(true);
    const parts = network.parts.map((part) => ({ ...part, status: "Succeeded", durationInMs: 9000 }));
    const added = partOf(hostile, deployments, "Running", { parts: [partOf(hostile, hostile, hostile)] });
    reporter.progress(
      0,
      progressWith([logs, { ...network, parts, status: "Succeeded" }, cluster, added], fields),
    );
    await page.getByText(hostile).first().waitFor();
    expect(await isOpen("network")).toBe(false);
    await page.locator("summary", { hasText: "network" }).last().click();
    reporter.progress(0, progressWith([logs, { ...network, parts, status: "Succeeded" }, cluster], fields));
    await expect.poll(textOf).not.toContain(hostile);
    expect(await isOpen("network")).toBe(true);
    expect(await page.locator("img").count()).toBe(0);
    expect(complaints).toEqual([]);
  },
);

test.skipIf(lacksChromium())(
  "ages go on between polls, bars move, and a tree of 300 parts fits a narrow window",
  async () => {
    const { page, complaints, reporter } = await openPage();
    reporter.progress(
      0,
      progressWith([...manyParts(300), partOf("first", "A.B/c", "Running", { start: 1 })]),
    );
    await page.getByText("resource-299", { exact: true }).waitFor({ state: "attached" });
    const age = page.locator(".part.running .time").first();
    const moving = page.locator(".bar.unknown div");
    const first = { age: await age.innerText(), place: await moving.getAttribute("style") };
    await expect.poll(() => age.innerText()).not.toBe(first.age);
    await expect.poll(() => moving.getAttribute("style")).not.toBe(first.place);
    await page.setViewportSize({ width: 320, height: 480 });
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(320);
    expect(complaints).toEqual([]);
  },
);
