import { globSync, readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";

const src = (path: string): string => new URL(`./src/${path}`, import.meta.url).pathname;

const tests = "test/**/*.test.ts";

/** Tests that take long by what they show: `LONG=1` runs them too. */
const longTests = [
  "test/azure/lro/kill.test.ts",
  "test/bullmq/crash.test.ts",
  "test/bullmq/poll-rate.test.ts",
  "test/bullmq/rolling-deployment.test.ts",
  "test/growth/growth.test.ts",
];

/** Whether a file does more with `LONG=1`. `LONG=only` runs these files alone: all that `npm test` leaves out. */
function hasLongForm(file: string): boolean {
  return longTests.includes(file) || readFileSync(file, "utf8").includes("support/long.ts");
}

function leftOut(): readonly string[] {
  switch (process.env["LONG"]) {
    case undefined:
      console.log(`Left to npm run test:long: ${longTests.join(", ")}, and long forms of tests`);
      return longTests;
    case "only":
      console.log("Left to npm test: files without a long form");
      return globSync(tests).filter((file) => !hasLongForm(file));
    default:
      return [];
  }
}

const skipped = leftOut();

/** Tests that change nothing of their process share one: most of what a short file costs is to start a worker. */
const sharing = [
  "test/azure/lro/{core-lro-suite,differences,rejected-tokens,repetition,result,resume,scenarios}.test.ts",
  "test/cli/{input,output}/{duration,view,wait-board}.test.ts",
  "test/{durable,group,operation,state}/*.test.ts",
  "test/poller/{operation-age,options,poller,reentry}.test.ts",
  "test/testing/{,styles/}*.test.ts",
];

export default defineConfig({
  resolve: {
    alias: [
      { find: "lro-poller/opentelemetry", replacement: src("opentelemetry.ts") },
      { find: "lro-poller/arm", replacement: src("arm/index.ts") },
      { find: "lro-poller/bullmq", replacement: src("bullmq/index.ts") },
      { find: "lro-poller/durable/outcome", replacement: src("durable/outcome.ts") },
      { find: "lro-poller/durable", replacement: src("durable/index.ts") },
      { find: "lro-poller/testing", replacement: src("testing/index.ts") },
      { find: /^lro-poller$/, replacement: src("index.ts") },
    ],
  },
  test: {
    projects: [
      {
        extends: true,
        test: { name: "sharing", include: sharing, exclude: [...skipped], isolate: false },
      },
      { extends: true, test: { name: "isolated", include: [tests], exclude: [...sharing, ...skipped] } },
    ],
    // One for each core: many tests wait for other processes.
    maxWorkers: "100%",
    globalSetup: "test/support/build-library.ts",
    restoreMocks: true,
    unstubEnvs: true,
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
