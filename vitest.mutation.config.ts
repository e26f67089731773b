import { defineConfig } from "vitest/config";
import base from "./vitest.config.ts";

const { projects: _projects, globalSetup: _globalSetup, ...settings } = base.test ?? {};

/** The fast tests of the files that are mutated: see `stryker.config.json`. */
export default defineConfig({
  ...base,
  test: {
    ...settings,
    include: ["test/{operation,schedule,state}/*.test.ts", "test/poller/options.test.ts"],
  },
});
