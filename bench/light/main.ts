// Measures what the library and the command cost. `npm run bench:light -- <folder of a checkout>` measures a
// checkout of another version in the same run, which has to be built and to have its packages.
import { join, resolve } from "node:path";
import { bundle } from "../../test/package/page-bundle.ts";
import { importingFrom } from "../../test/support/library.ts";
import { outputOf, printInTurn } from "./checkouts.ts";
import type { Checkout, Figures } from "./checkouts.ts";
import { run } from "./run.ts";
import { measureStarts } from "./starts.ts";

const [, , older] = process.argv;
const before: Checkout[] = older === undefined ? [] : [{ name: "before", folder: resolve(older) }];
const now: Checkout = { name: "now", folder: resolve(import.meta.dirname, "../..") };
const checkouts = [...before, now];

await measureStarts(checkouts);
await printInTurn("CPU of a poll", checkouts, 3, pollOf);
await printInTurn("Heap of a wait", checkouts, 3, heapOf);
await printInTurn("100,000 waits", checkouts, 3, fleetOf);
await printInTurn("The command's display, % of a core", checkouts, 1, displayOf);
await printInTurn("Bundles, kB minified and gzipped", checkouts, 1, bundlesOf);
await printInTurn("npm test, s", checkouts, 1, testRunOf);

/** Runs a program of this checkout with the library of another. */
async function figuresOf({ folder }: Checkout, file: string, ...argv: readonly string[]): Promise<Figures> {
  const flags = ["--expose-gc", ...importingFrom(join(folder, "dist"), ["index"])];
  return JSON.parse(await outputOf(now, process.execPath, ...flags, `bench/${file}`, ...argv));
}

async function pollOf(checkout: Checkout): Promise<Figures> {
  const {
    "lro-poller": poll = NaN,
    "core-rest-pipeline": pipeline = NaN,
    "core-lro": coreLro = NaN,
  } = await figuresOf(checkout, "many/cpu.ts");
  return {
    "lro-poller, µs": poll,
    "core-rest-pipeline, µs": pipeline,
    "lro-poller / core-rest-pipeline": poll / pipeline,
    "core-lro / core-rest-pipeline": coreLro / pipeline,
  };
}

async function heapOf(checkout: Checkout): Promise<Figures> {
  const { bytes = NaN } = await figuresOf(checkout, "many/heap.ts", "lro-poller");
  return { bytes };
}

async function fleetOf(checkout: Checkout): Promise<Figures> {
  const {
    right = NaN,
    pollsPerSecond = NaN,
    maxBlockedMs = NaN,
    maxTurnCpuMs = NaN,
    blockedP99Ms = NaN,
  } = await figuresOf(checkout, "many/hundred-thousand.ts");
  return {
    "right results": right,
    "polls a second": pollsPerSecond,
    "event loop delay, 99th percentile, ms": blockedP99Ms,
    "event loop delay, maximum, ms": maxBlockedMs,
    "CPU time of a turn of the event loop, maximum, ms": maxTurnCpuMs,
  };
}

async function displayOf(checkout: Checkout): Promise<Figures> {
  // They measure the sources, so each checkout has programs of its own.
  const page: Figures = JSON.parse(await outputOf(checkout, process.execPath, "bench/parts/page.ts"));
  const terminal = await outputOf(checkout, process.execPath, "bench/parts/tree.ts");
  const [, share] = /([\d.]+) % of a core/.exec(terminal) ?? [];
  return {
    "page, 500 operations": page["500 operations"] ?? NaN,
    "page, 300 parts": page["300 parts"] ?? NaN,
    "terminal, 300 parts": Number(share),
  };
}

async function bundlesOf({ folder }: Checkout): Promise<Figures> {
  const sizeOf = async (names: string): Promise<number> =>
    (await bundle(names, join(folder, "src/index.ts"))).entry.size / 1000;
  return {
    "createPoller, pollUntilDone": await sizeOf("createPoller, pollUntilDone"),
    "OperationStatusesClient, pollUntilDone": await sizeOf("OperationStatusesClient, pollUntilDone"),
  };
}

async function testRunOf({ folder }: Checkout): Promise<Figures> {
  // An older test may fail today: its time counts all the same.
  const argv = ["node_modules/vitest/vitest.mjs", "run"];
  const { wallInMs, cpuInMs } = await run({ name: "npm test", argv, cwd: folder, mayFail: true });
  return { wall: wallInMs / 1000, CPU: cpuInMs / 1000 };
}
