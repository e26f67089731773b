import { defineConfig } from "vitest/config";

const src = (path: string): string => new URL(`./src/${path}`, import.meta.url).pathname;

export default defineConfig({
  resolve: {
    alias: [
      { find: "lro-poller/opentelemetry", replacement: src("opentelemetry.ts") },
      { find: "lro-poller/bullmq", replacement: src("bullmq/index.ts") },
      { find: "lro-poller/testing", replacement: src("testing/index.ts") },
      { find: /^lro-poller$/, replacement: src("index.ts") },
    ],
  },
  test: {
    include: ["test/**/*.test.ts"],
    unstubGlobals: true,
    // A slow machine makes a test slow, never red: these only end a test that hangs.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 100_000 } },
    coverage: {
      include: ["src/**/*.ts"],
      reporter: ["text", "json-summary", "json"],
      thresholds: { statements: 97, branches: 95 },
    },
  },
});
