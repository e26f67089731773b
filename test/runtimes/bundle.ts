import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { rolldown } from "rolldown";

const here = import.meta.dirname;

/** Bundles the scripts for the runtimes into the project, where they import the installed package. */
export async function bundleForRuntimes(project: string): Promise<void> {
  for (const name of ["process", "page"]) {
    const file = join(project, `${name}.mjs`);
    await bundle(join(here, `${name}.ts`), file, { external: /^lro-poller/, platform: "neutral" });
  }
  const snippet = await firstSnippet();
  await writeFile(join(project, "snippet.mjs"), snippet.code);
  await bundle(join(project, "page.mjs"), join(project, "page.js"), { platform: "browser" });
  await writeFile(join(project, "page.html"), await readFile(join(here, "page.html")));
}

async function bundle(
  input: string,
  file: string,
  options: { readonly platform: "browser" | "neutral"; readonly external?: RegExp },
): Promise<void> {
  const build = await rolldown({ input, ...options });
  await build.write({ file, format: "esm" });
  await build.close();
}

/** Returns the first snippet of README.md, and the output that the page shows for it. */
export async function firstSnippet(): Promise<{ readonly code: string; readonly prints: string }> {
  const readme = await readFile("README.md", "utf8");
  const [, code, prints] = /```ts\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```/.exec(readme) ?? [];
  if (code === undefined || prints === undefined)
    throw new Error("README.md: found no snippet with its output");
  return { code, prints };
}
