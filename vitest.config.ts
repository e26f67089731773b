import { globSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { relative } from "node:path";
import { defineConfig } from "vitest/config";
import { BaseSequencer } from "vitest/node";
import type { TestSpecification } from "vitest/node";
import { isLong } from "./test/support/long.ts";

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

/**
 * Tests that need a process of their own: most of what a short file costs is to start one. They replace modules, timers
 * or dates of their process, set up OpenTelemetry, count its timers or its memory, or leave connections to a Redis that is gone. Hot
 * code is several times as slow where other tests have run, so simulations are among them.
 */
const isolated = [
  "test/arm/requests.test.ts",
  "test/azure/http/{bearer-tokens,body-limit,tls,token-cache}.test.ts",
  "test/azure/matrix/matrix.test.ts",
  "test/bullmq/*.test.ts",
  "test/cli/commands/{queue,queue-jobs}.test.ts",
  "test/clock.test.ts",
  "test/docs/snippets.test.ts",
  "test/durable/{pace-page,sql-pace}.test.ts",
  "test/faults/mixes.test.ts",
  "test/history/{cost,file,hanging,slow}.test.ts",
  "test/limiter/{learned-rate,starvation}.test.ts",
  "test/opentelemetry/*.test.ts",
  "test/schedule/{picture,poller-and-simulation,simulation}.test.ts",
  "test/sdk/outcomes.test.ts",
  ...longTests,
];

/** Files that take long. They start first, so that at the end of a run no worker is alone with one of them. */
const longest = [
  "test/{arm/requests,schedule/simulation}.test.ts",
  "test/bullmq/{worker,start,add-again,readme,waits}.test.ts",
  "test/sdk/outcomes.test.ts",
  "test/cli/commands/queue.test.ts",
  "test/docs/snippets.test.ts",
  "test/cli/{output/{web-parts,tmux,ci},process}.test.ts",
  "test/package/{build,bundle}.test.ts",
  "test/services/services.test.ts",
  "test/azure/lro/{scenarios,cancel-races}.test.ts",
  "test/poller/{callers,process-lifetime}.test.ts",
  "test/faults/table.test.ts",
  ...longTests,
].flatMap((pattern) => globSync(pattern));

/** Runs the longest files of each project first: in a new clone, only sizes of files are known. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- a method of the sequencer
    const sorted = await super.sort(files);
    return sorted.toSorted(
      (a, b) => a.project.name.localeCompare(b.project.name) || rankOf(a.moduleId) - rankOf(b.moduleId),
    );
  }
}

function rankOf(file: string): number {
  const rank = longest.indexOf(relative(import.meta.dirname, file));
  return rank < 0 ? longest.length : rank;
}

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
        test: { name: "sharing", include: [tests], exclude: [...isolated, ...skipped], isolate: false },
      },
      { extends: true, test: { name: "isolated", include: isolated, exclude: [...skipped] } },
    ],
    // Two for each core: many tests wait for other processes. Long forms compute.
    maxWorkers: (isLong ? 1 : 2) * availableParallelism(),
    sequence: { sequencer: LongestFirst },
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
