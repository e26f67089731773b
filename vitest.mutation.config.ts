import { defineConfig } from "vitest/config";
import base from "./vitest.config.ts";

/** The fast tests of what mutants are made of: see `stryker.config.json`. */
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ["test/{arguments,machine,operation,schedule,retry-after}.test.ts", "test/schedule/*.test.ts"],
  },
});
