import { expect, test } from "vitest";
import { createVirtualClock } from "lro-poller/testing";
import { ProcessPace } from "../../src/durable/pace.ts";

const origin = "https://management.azure.com";
const accepted = { isThrottled: false, durationInMs: 1 };

test("a process spreads the few requests that remain over the rest of their window, and not beyond it", () => {
  const pace = new ProcessPace(createVirtualClock());
  pace.learn(origin, { ...accepted, rateLimit: { remaining: 15, resetInMs: 300_000 } });
  pace.learn(origin, { ...accepted, rateLimit: { remaining: 5, resetInMs: 240_000 } });
  const waits = Array.from({ length: 8 }, () => pace.turn({ origin, isReserved: false }) / 1000);
  // The next window has 15 requests in 300 s.
  expect(waits).toEqual([0, 48, 96, 144, 192, 240, 260, 280]);
});
