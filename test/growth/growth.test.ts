import { execFile } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { ChannelListener } from "node:diagnostics_channel";
import { Socket } from "node:net";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "lro-poller";
import type { Clock } from "lro-poller";
import { startOperationServer } from "lro-poller/testing";
import { burstSize, idOf, operationCount, planOf } from "./plan.ts";
import type { Snapshot } from "./plan.ts";

/** Counts of what the server has received. */
interface Arrivals {
  requests: number;
  connections: number;
  connectionsAtOnce: number;
}

function countArrivals(): Arrivals {
  const arrivals = { requests: 0, connections: 0, connectionsAtOnce: 0 };
  let open = 0;
  during("http.server.request.start", () => arrivals.requests++);
  during("net.server.socket", (message) => {
    const socket = typeof message === "object" && message && "socket" in message ? message.socket : undefined;
    if (!(socket instanceof Socket)) throw new TypeError("expected a message with a socket");
    arrivals.connections++;
    arrivals.connectionsAtOnce = Math.max(arrivals.connectionsAtOnce, ++open);
    socket.once("close", () => open--);
  });
  return arrivals;
}

function during(channel: string, listener: ChannelListener): void {
  subscribe(channel, listener);
  onTestFinished(() => void unsubscribe(channel, listener));
}

/** A clock that advances by a second with every request, so that the rate limit is never reached. */
function clockOf(arrivals: Arrivals): Clock {
  return {
    now: () => arrivals.requests * 1000,
    timestamp: () => Date.UTC(2025, 0, 1) + arrivals.requests * 1000,
    setTimer: (callback, delayInMs) => systemClock.setTimer(callback, delayInMs),
  };
}

async function run(endpoint: string): Promise<Snapshot[]> {
  const script = new URL("waits.ts", import.meta.url).pathname;
  const args = ["--no-warnings", "--expose-gc", script, endpoint];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return stdout
    .trim()
    .split("\n")
    .map((line): Snapshot => JSON.parse(line));
}

// In a process of its own, whose heap has no test runner and no server.
test("two hours of waits that start and end leave nothing behind", async () => {
  const arrivals = countArrivals();
  const server = await startOperationServer({
    clock: clockOf(arrivals),
    onInitialRequest: () => ({ timeline: [{ status: "Running", polls: 2 }, { status: "Succeeded" }] }),
  });
  onTestFinished(() => server.close());
  for (let index = 0; index < operationCount + burstSize; index++) {
    server.addOperation({ operationId: idOf(index), ...planOf(index) });
  }
  const [early, between, late, end, ...more] = await run(server.endpoint);
  if (!early || !between || !late || !end) throw new Error("expected four snapshots");
  expect(more).toEqual([]);

  for (const { waits, timers, listeners } of [early, late]) {
    expect(waits).toBeGreaterThan(20);
    // A group of two has the most: one for each wait, and one for its progress. One more is the rate limiter's.
    expect(timers).toBeLessThanOrEqual(3 * waits + 1);
    // A poller that starts its operation has the most: its caller's, its request's and its retries'.
    expect(listeners).toBeLessThanOrEqual(3 * waits);
  }
  const nothing = { waits: 0, timers: 0, listeners: 0, pollers: 0 };
  for (const over of [between, end]) expect(over).toMatchObject(nothing);

  const operations = end.started - between.started;
  expect(operations).toBeGreaterThan(3000);
  // One object left by each operation of one of the ten scenarios would be more. Idle sockets, whose number varies,
  // have some tens of objects each.
  expect(end.objects - between.objects).toBeLessThan(operations / 12);
  // For buffers and texts, which are no objects. V8's own code was seen to vary by a third of it.
  expect(end.heapBytes - between.heapBytes).toBeLessThan(1_000_000);

  expect(end.sockets).toBeLessThanOrEqual(64);
  expect(arrivals.connectionsAtOnce).toBeLessThanOrEqual(64);
  expect(arrivals.connections).toBeLessThanOrEqual(64 + end.brokenRequests);
  expect(arrivals.connections).toBeLessThan(arrivals.requests / 10);
});
