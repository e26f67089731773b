import { defineConfig } from "vitest/config";
import base from "./vitest.config.ts";

/** The fast tests of what mutants are made of: see `stryker.config.json`. */
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ["test/{operation,schedule,state}/*.test.ts", "test/poller/options.test.ts"],
  },
});
