import { monitorEventLoopDelay } from "node:perf_hooks";
import { OperationStatusesClient, pollAll } from "lro-poller";
import { idOf } from "./operations.ts";
import { startServer } from "./start-server.ts";

/** Measures 100,000 waits at once in one process, over real loopback HTTP: memory, event loop delay and results. */
const count = Number(process.argv[2] ?? 100_000);
const polls = 3;
const { origin, stop } = await startServer(polls);
const client = new OperationStatusesClient(origin);

let peakBytes = 0;
const watch = setInterval(() => {
  peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
}, 100);
// Created before the measurement, which is about waiting.
const operations = Array.from({ length: count }, (_, index) => client.operation("myProject", idOf(index)));
// The CPU time of this thread in one turn of the event loop: what the delay would be if it always had a core.
let maxTurnCpuMs = 0;
let lastCpuMs = threadCpuMs();
const turns = setInterval(() => {
  const cpuMs = threadCpuMs();
  maxTurnCpuMs = Math.max(maxTurnCpuMs, cpuMs - lastCpuMs);
  lastCpuMs = cpuMs;
}, 1);
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
const startedAt = performance.now();
const results = await pollAll(operations, { minDelayInMs: 20_000, maxDelayInMs: 30_000 });
const elapsedInS = (performance.now() - startedAt) / 1000;
delay.disable();
clearInterval(watch);
clearInterval(turns);
stop();

const right = results.filter(({ status }) => status === "fulfilled").length;
console.log(
  JSON.stringify({
    right,
    polls: count * polls,
    pollsPerSecond: Math.round((count * polls) / elapsedInS),
    peakMegabytes: Math.round(peakBytes / 2 ** 20),
    maxTurnCpuMs: Math.round(maxTurnCpuMs),
    maxBlockedMs: Math.round(delay.max / 1e6),
    blockedP99Ms: Number((delay.percentile(99) / 1e6).toFixed(1)),
  }),
);
process.exit();

function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
