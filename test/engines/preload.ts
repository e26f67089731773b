import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { workerOptions } from "./worker-options.ts";

// Loaded before the worker: it runs the release that the kit wants, with steps that the kit can disturb.
const { release, previousFolder } = workerOptions;
const fromPrevious = pathToFileURL(`${previousFolder}/dist/index.js`).href;
const disturbed = new URL("disturbed-stepper.ts", import.meta.url).href;

registerHooks({
  resolve: (name, context, next) =>
    release === "previous" && /^lro-poller($|\/)/.test(name)
      ? next(name, { ...context, parentURL: fromPrevious })
      : next(name, context),
  load: (url, context, next) => {
    const loaded = next(url, context);
    if (!url.endsWith("/dist/chunks/stepper.js")) return loaded;
    const source = readFileSync(fileURLToPath(url), "utf8");
    const declaration = "\nfunction createStepper(";
    if (!source.includes(declaration)) throw new Error(`${url}: expected ${declaration}`);
    const own = `
      import { disturb } from ${JSON.stringify(disturbed)};
      function createStepper(options) { return disturb(createUndisturbed(options)); }`;
    return { ...loaded, source: source.replace(declaration, "\nfunction createUndisturbed(") + own };
  },
});
