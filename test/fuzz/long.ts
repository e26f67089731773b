import { randomInt } from "node:crypto";
import { startVitest } from "vitest/node";
import type { Reporter, TestModule } from "vitest/node";

/** Runs rounds with new seeds for the given number of minutes: `npm run fuzz:long -- 60`. */
const minutes = Number(process.argv[2] ?? 10);
if (!(minutes > 0)) throw new RangeError(`minutes: expected a number above 0, got ${process.argv[2]}`);

function casesOf(modules: readonly TestModule[]): number {
  const tests = modules.flatMap((module) => [...module.children.allTests()]);
  return tests.reduce((sum, test) => sum + (test.meta().cases ?? 0), 0);
}

async function round(seed: number): Promise<{ readonly cases: number; readonly hasFailed: boolean }> {
  process.env["SEED"] = String(seed);
  process.env["FUZZ_RUNS"] ??= "10000";
  let cases = 0;
  const tally: Reporter = { onTestRunEnd: (modules) => void (cases = casesOf(modules)) };
  // Failures are shown as usual. For tests that pass, a line for each round is enough.
  const vitest = await startVitest(["test/fuzz"], {
    watch: false,
    reporters: [tally, ["default", { summary: false, silent: true }]],
  });
  await vitest.close();
  return { cases, hasFailed: process.exitCode === 1 };
}

const end = Date.now() + minutes * 60_000;
let [rounds, total] = [0, 0];
let hasFailed = false;
while (Date.now() < end && !hasFailed) {
  const seed = randomInt(2 ** 31);
  const { cases, hasFailed: failed } = await round(seed);
  hasFailed = failed;
  total += cases;
  rounds++;
  console.log(
    `round ${rounds}, SEED=${seed}: ${cases} cases, ${total} in all${failed ? ", one of them failed" : ""}`,
  );
}
