import { runCoreLro } from "./core-lro.ts";
import { runWaits } from "./waits.ts";

// `npm run test:faults`. `SEED` repeats a run, `WAITS` sets the number of waits.
const seed = wholeNumber("SEED", Math.floor(Math.random() * 2 ** 31));
const waits = wholeNumber("WAITS", 10_000);
const peerWaits = Math.min(waits, 400);

console.log(`SEED=${seed}`);
const startedAt = performance.now();
const report = await runWaits(seed, waits);
const seconds = Math.round((performance.now() - startedAt) / 1000);
const peer = await runCoreLro(seed, peerWaits);

console.log(
  `${waits} waits, ${report.requests} requests, ${report.restarts} restarts of the server, ` +
    `${report.sleeps} sleeps of the clients, ${seconds} s; ` +
    `core-lro: the first ${peerWaits} of them`,
);
const rows = Object.entries({ right: report.right, ...report.counts });
const { right, wrong, lost, hung } = peer.results;
const { unhandledRejections, uncaughtExceptions } = peer;
const peerCounts = new Map(
  Object.entries({ right, wrong, lost, hung, unhandledRejections, uncaughtExceptions }),
);
console.log(row("", "lro-poller", "core-lro"));
for (const [name, count] of rows) console.log(row(wordsOf(name), count, peerCounts.get(name) ?? ""));

const isFaultless = Object.values(report.counts).every((count) => count === 0);
if (!isFaultless || report.right !== waits) {
  console.error(`Expected ${waits} right and nothing else. To repeat it: SEED=${seed} npm run test:faults`);
  process.exitCode = 1;
}

function row(name: string, ours: number | string, theirs: number | string): string {
  return `${name.padEnd(24)}${String(ours).padStart(12)}${String(theirs).padStart(12)}`;
}

/** Returns "early polls" for `earlyPolls`. */
function wordsOf(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function wholeNumber(name: string, otherwise: number): number {
  const text = process.env[name];
  if (text === undefined) return otherwise;
  if (/^\d{1,9}\d?$/.test(text)) return Number(text);
  throw new RangeError(`${name}: expected a whole number, got ${JSON.stringify(text)}`);
}
