// Measures what many callers of one poller cost: to join it, and to leave it. All callers of a run share two signals.
import { createPoller } from "../../src/index.ts";
import type { Poller } from "../../src/index.ts";
import { createVirtualClock, scriptedOperation } from "../../src/testing/index.ts";

type Call = (poller: Poller, abortSignal: AbortSignal) => Promise<unknown>;
type End = "abort" | "disposal" | "success";

const calls: Readonly<Record<string, Call>> = {
  pollUntilDone: (poller, abortSignal) => poller.pollUntilDone({ abortSignal }),
  poll: (poller, abortSignal) => poller.poll({ abortSignal }),
  "for await": (poller) => poller[Symbol.asyncIterator]().next(),
};
const counts = [1000, 10_000, 100_000];

async function measure(call: Call, count: number, end: End): Promise<string> {
  const clock = createVirtualClock();
  const { promise: succeeded, resolve: succeed } = Promise.withResolvers<"Succeeded">();
  const [everybody, own] = [new AbortController(), new AbortController()];
  const poller = createPoller(scriptedOperation([() => succeeded]), { clock, abortSignal: everybody.signal });
  const startedAt = performance.now();
  const pending = Array.from({ length: count }, () => call(poller, own.signal).catch(() => {}));
  const joinedAt = performance.now();
  if (end === "success") succeed("Succeeded");
  if (end === "abort") everybody.abort();
  if (end === "disposal") void poller[Symbol.asyncDispose]();
  await Promise.all(pending);
  return `${Math.round(joinedAt - startedAt)} + ${Math.round(performance.now() - joinedAt)} ms`;
}

for (const [name, call] of Object.entries(calls)) {
  for (const end of ["success", "abort", "disposal"] as const) {
    const figures: string[] = [];
    for (const count of counts) figures.push(`${count}: ${await measure(call, count, end)}`);
    console.log(`${name}, ${end}:`.padEnd(26), figures.join(", "));
  }
}
