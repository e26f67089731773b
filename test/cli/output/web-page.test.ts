import type { Page } from "playwright-core";
import { expect, onTestFinished, test } from "vitest";
import { lacksChromium, launchChromium } from "../../support/chromium.ts";
import { CapturedOutput, pageOf, runCli, startServer } from "../run-cli.ts";

// A browser starts slowly on a busy machine.

const hostile = `<img src=x onerror="document.title='owned'"><script>document.title = 'owned'</script>`;

/** A page of a real browser that shows a wait, and its console messages and errors. */
async function openPage(url: string): Promise<{ readonly page: Page; readonly complaints: string[] }> {
  const browser = await launchChromium();
  onTestFinished(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 900, height: 600 } });
  const complaints: string[] = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(url);
  return { page, complaints };
}

test.skipIf(lacksChromium())(
  "a browser shows bars, states and errors live, and does not run service text",
  async () => {
    const server = await startServer();
    const [web, db] = ["web", "db"].map((name) => {
      const added = server.addOperation({ timeline: [{ status: "Running", percentComplete: 40 }] });
      return { ...added, argument: `${name}=${added.operationLocation}` };
    });
    const unnamed = server.addOperation({ timeline: [{ status: hostile }] });
    const stderr = new CapturedOutput();
    const argv = ["wait", "--web", web?.argument ?? "", db?.argument ?? "", unnamed.operationLocation];
    const waiting = runCli(argv, { stderr });
    const { page, complaints } = await openPage(await pageOf(stderr));

    const bar = page.getByRole("progressbar", { name: "web" });
    await expect.poll(() => bar.getAttribute("aria-valuenow")).toBe("40");
    expect(await bar.getAttribute("aria-valuetext")).toBe("Running, 40 %");
    const unknown = page.getByRole("progressbar", { name: unnamed.operationId });
    expect(await unknown.getAttribute("aria-valuenow")).toBeNull();
    expect(await unknown.getAttribute("aria-valuetext")).toBe(hostile);

    server.setStatus(web?.operationId ?? "", { status: "Running", percentComplete: 80 });
    await expect.poll(() => bar.getAttribute("aria-valuenow")).toBe("80");
    const widthOf = async (selector: string): Promise<number> =>
      (await page.locator(selector).first().boundingBox())?.width ?? 0;
    await expect.poll(async () => (await widthOf(".bar div")) / (await widthOf(".bar"))).toBeCloseTo(0.8, 2);

    server.setStatus(web?.operationId ?? "", "Succeeded");
    server.setStatus(db?.operationId ?? "", { status: "Failed", error: { code: "Quota", message: hostile } });
    server.setStatus(unnamed.operationId, "Canceled");
    expect((await waiting).exitCode).toBe(1);
    await page.getByText("The command has ended.").waitFor();
    await expect.poll(() => page.title()).toBe("3/3 lro wait");
    const text = await page.locator("main").innerText();
    expect(text).toContain("3 operations: 1 Succeeded, 1 Failed, 1 Canceled");
    expect(text).toContain(`failed. Quota: ${hostile}`);
    expect(text.replaceAll(/\d+:\d\d(?::\d\d)?/g, "m:ss")).toMatch(
      /web\nSucceeded\n100 % · m:ss\nRunning m:ss\nSucceeded m:ss\n/,
    );
    expect(await page.locator("img").count()).toBe(0);
    expect(complaints).toEqual([]);
  },
);

test.skipIf(lacksChromium())("the page is readable in light and dark, and fits a narrow window", async () => {
  const server = await startServer();
  const operation = server.addOperation({ timeline: [{ status: "Running" }] });
  const stderr = new CapturedOutput();
  const waiting = runCli(["wait", "--web", operation.operationLocation], { stderr });
  const { page } = await openPage(await pageOf(stderr));
  await page.getByRole("progressbar").waitFor();
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    for (const selector of ["h2", ".state", ".times", ".states", "#summary"]) {
      expect(await page.evaluate(contrastOf, selector), `${selector}, ${colorScheme}`).toBeGreaterThanOrEqual(
        4.5,
      );
    }
  }
  await page.setViewportSize({ width: 320, height: 480 });
  expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(320);
  server.setStatus(operation.operationId, "Succeeded");
  await waiting;
});

/** The contrast of a text with its background, by WCAG: 4.5 is readable, 21 is black on white. */
function contrastOf(selector: string): number {
  const luminanceOf = (color: string): number => {
    const [red = 0, green = 0, blue = 0] = Array.from(color.matchAll(/[\d.]+/g), ([part]) => {
      const share = Number(part) / 255;
      return share <= 0.040_45 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const backOf = (element: Element | null): string => {
    const color = element === null ? "rgb(255, 255, 255)" : getComputedStyle(element).backgroundColor;
    return color === "rgba(0, 0, 0, 0)" && element ? backOf(element.parentElement) : color;
  };
  const element = document.querySelector(selector);
  if (element === null) return 0;
  const lights = [getComputedStyle(element).color, backOf(element)].map(luminanceOf);
  return (Math.max(...lights) + 0.05) / (Math.min(...lights) + 0.05);
}
