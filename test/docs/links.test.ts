import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

const pages = globSync("**/*.md", { exclude: ["**/node_modules", "dist", "coverage", "reports"] }).toSorted();

/** Returns a page's text without its code, which has neither links nor headings. */
function proseOf(page: string): string {
  return readFileSync(page, "utf8").replaceAll(/^```[\s\S]*?^```$/gm, "");
}

/** Returns the anchors that GitHub makes of headings. */
function anchorsOf(page: string): string[] {
  return Array.from(proseOf(page).matchAll(/^#+ (.+)$/gm), ([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
}

/** Returns the links to this repository, of Markdown and of HTML. */
function linksOf(page: string): string[] {
  const links = proseOf(page).matchAll(/\]\(([^)\s]+)\)|\b(?:href|src|srcset)="([^"]+)"/g);
  return Array.from(links, ([, link, attribute = ""]) => link ?? attribute).filter(
    (link) => !link.startsWith("https:"),
  );
}

function targetExists(page: string, link: string): boolean {
  const [file = "", anchor] = link.split("#");
  const target = file === "" ? page : join(dirname(page), file);
  return existsSync(target) && (anchor === undefined || anchorsOf(target).includes(anchor));
}

test.each(pages)("%s has no broken link", (page) => {
  expect(linksOf(page).filter((link) => !targetExists(page, link))).toEqual([]);
});

test("the front page links to every page of the docs", () => {
  const linked = linksOf("README.md").map((link) => link.replace(/#.*/, ""));
  expect(globSync("docs/*.md").filter((page) => !linked.includes(page))).toEqual([]);
});

const { scripts }: { scripts: object } = JSON.parse(readFileSync("package.json", "utf8"));

test("every script that a page names is in package.json", () => {
  const named = pages.flatMap((page) =>
    Array.from(readFileSync(page, "utf8").matchAll(/\bnpm run ([\w:]+)/g), ([, name = ""]) => name),
  );
  expect(named.length).toBeGreaterThan(15);
  expect(named.filter((name) => !Object.keys(scripts).includes(name))).toEqual([]);
});

test("the page for contributors has a row for each script, except those that npm runs by itself", () => {
  const rows = readFileSync("CONTRIBUTING.md", "utf8").matchAll(/^\| `([\w:]+)` \|/gm);
  const described = Array.from(rows, ([, name = ""]) => name);
  const missing = Object.keys(scripts).filter((name) => name !== "prepack" && !described.includes(name));
  expect(missing).toEqual([]);
});
