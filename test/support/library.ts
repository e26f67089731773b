import { fileURLToPath, pathToFileURL } from "node:url";

/** The folder of a library that is built: that of `build-library.ts`, or `dist`. */
const built = process.env["LIBRARY"];
const root = new URL("../../", import.meta.url);

/** Returns the URL of the module `src/<name>.ts` for another process: as a library was built, or as it is. */
export function moduleUrl(name: string, library = built): string {
  const url =
    library === undefined ? new URL(`src/${name}.ts`, root) : pathToFileURL(`${library}/${name}.js`);
  return url.href;
}

/** The path of the command. */
export const commandPath: string = fileURLToPath(moduleUrl("cli/main"));

/** Arguments of Node that make a process import these entries of the library by their names. */
export function importing(...entries: readonly ("index" | "bullmq/index" | "testing/index")[]): string[] {
  return importingFrom(built, entries);
}

/** The same for the entries of another library that is built. */
export function importingFrom(library: string | undefined, entries: readonly string[]): string[] {
  return ["--import", `data:text/javascript,${encodeURIComponent(hooksFor(entries, library))}`];
}

/** Returns the program that does so. */
export function hooksFor(entries: readonly string[], library = built): string {
  const nameOf = (entry: string): string => `lro-poller/${entry}`.replace(/\/index$/, "");
  const urls = Object.fromEntries(entries.map((entry) => [nameOf(entry), moduleUrl(entry, library)]));
  return `
    import { registerHooks } from "node:module";
    const modules = ${JSON.stringify(urls)};
    registerHooks({ resolve: (name, context, next) => next(modules[name] ?? name, context) });
  `;
}
