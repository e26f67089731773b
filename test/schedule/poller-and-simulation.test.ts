import { describe, expect, it, onTestFinished } from "vitest";
import { records } from "../../bench/schedule/laws.ts";
import { longLaws } from "../../bench/schedule/corpora.ts";
import { seeded } from "../../bench/schedule/random.ts";
import { noPercentage, shapes } from "../../bench/schedule/shapes.ts";
import type { Shape } from "../../bench/schedule/shapes.ts";
import { waitAsPoller } from "../../bench/schedule/simulate.ts";
import type { WaitResult } from "../../bench/schedule/simulate.ts";
import { OperationStatusesClient, pollUntilDone, adaptive, systemClock } from "lro-poller";
import type { PollHistory, PollOptions, Progress } from "lro-poller";
import { createVirtualClock, scriptedOperation, startOperationServer } from "lro-poller/testing";
import type { OperationServer, OperationServerOptions, PercentRamp } from "lro-poller/testing";
import { observeProgress } from "../../src/schedule/progress-history.ts";
import { fastClock } from "../support/clock.ts";

/** Random numbers for the poller. It draws once more than the simulation: for a Retry-After that the first response lacks. */
function drawsOfPoller(seed: number): () => number {
  const random = seeded(seed);
  let draws = 0;
  return () => (draws++ === 1 ? 0 : random());
}

function simulated(
  shape: Shape,
  duration: number,
  seed: number,
  options: Parameters<typeof adaptive>[0],
): WaitResult {
  const percentageAt = shape.percentageOf(duration, seeded(seed + 1));
  return waitAsPoller(adaptive(options), { duration, percentageAt }, seeded(seed));
}

/** Waits with the poller on a virtual clock, from the initial response. */
async function waited(
  shape: Shape,
  duration: number,
  seed: number,
  options: Parameters<typeof adaptive>[0],
): Promise<WaitResult> {
  const clock = createVirtualClock();
  const percentageAt = shape.percentageOf(duration, seeded(seed + 1));
  const response = (): { status: string; percentComplete?: number } => {
    const elapsed = clock.now() / 1000;
    if (elapsed >= duration) return { status: "Succeeded" };
    const percentComplete = percentageAt(elapsed);
    return { status: "Running", ...(percentComplete !== undefined && { percentComplete }) };
  };
  const later = Array.from({ length: 2000 }, () => response);
  const operation = scriptedOperation(["NotStarted", ...later], { clock });
  await clock.runUntilSettled(
    pollUntilDone(operation, { ...options, clock, random: drawsOfPoller(seed), requestTimeoutInMs: 1e9 }),
  );
  const lastPollAt = operation.polls.at(-1)?.startedAt ?? 0;
  return { polls: operation.polls.length - 1, lateness: lastPollAt / 1000 - duration };
}

const open = { pollCostInMs: 4000, minDelayInMs: 500, maxDelayInMs: Infinity };

describe.each([
  ["with the defaults", {}],
  ["with the bounds open", open],
])("the poller waits as the simulation does, %s", (_, options) => {
  it.each(Object.values({ noPercentage, ...shapes }))("percentage: $name", async (shape) => {
    for (const [seed, duration] of [5, 75, 1234, 3600].entries()) {
      const result = await waited(shape, duration, seed, options);
      expect(result, `${duration} s`).toEqual(simulated(shape, duration, seed, options));
    }
  });

  it("past durations", async () => {
    for (const [seed, law] of longLaws.entries()) {
      const [duration = 0, ...past] = records(law, 21, seeded(seed));
      const informed = { ...options, pastDurationsInMs: past.map((seconds) => seconds * 1000) };
      const result = await waited(noPercentage, duration, seed, informed);
      expect(result, law.name).toEqual(simulated(noPercentage, duration, seed, informed));
    }
  });
});

async function startServer(
  durationInMs: number,
  percentComplete: PercentRamp | undefined,
  options: OperationServerOptions,
): Promise<OperationServer> {
  const running = { status: "Running", durationInMs, ...(percentComplete && { percentComplete }) };
  const onInitialRequest = (): object => ({ timeline: [running, { status: "Succeeded" }] });
  const server = await startOperationServer({ ...options, onInitialRequest });
  onTestFinished(() => server.close());
  return server;
}

function statusPolls(server: OperationServer): OperationServer["requests"] {
  return server.requests.filter(({ path }) => path.includes("/operationstatuses/"));
}

function start({ endpoint }: OperationServer, options: PollOptions): AsyncIterable<Progress> {
  const client = new OperationStatusesClient(endpoint);
  return client.createDevBox("myProject", "me", "my-dev-box", { poolName: "myPool" }, options);
}

describe("over HTTP, with speed-up", () => {
  // Time stands still while a request is under way, so that a slow machine changes nothing.
  it.each([
    ["no percentage", noPercentage, undefined],
    ["a percentage", shapes.truthful, { from: 0, to: 100, step: 1 }],
    ["steps of 10 %", shapes.coarse, { from: 0, to: 100, step: 10 }],
  ])("polls and lateness are those of the simulation: %s", async (_, shape, percentComplete) => {
    const [duration, speed, seed] = [600, 60, 3];
    const clock = createVirtualClock();
    const server = await startServer(duration * 1000, percentComplete, { clock, speed });
    const options = { clock: fastClock(clock, speed), random: drawsOfPoller(seed) };
    for await (const { nextPollInMs } of start(server, options)) {
      if (nextPollInMs !== undefined) await clock.advance(nextPollInMs / speed);
    }
    const requests = statusPolls(server);
    const { polls, lateness } = simulated(shape, duration, seed, {});
    expect(requests).toHaveLength(polls);
    expect(((requests.at(-1)?.receivedAt ?? 0) * speed) / 1000 - duration).toBeCloseTo(lateness, 6);
  });

  it.each([
    ["no percentage", undefined],
    ["a percentage", { from: 0, to: 100, step: 1 }],
  ])("each delay is that of the schedule, while time passes: %s", async (_, percentComplete) => {
    const clock = fastClock(systemClock, 1000);
    const server = await startServer(120_000, percentComplete, { clock });
    const random = (): number => 0.5;
    const schedule = adaptive();
    const options = { clock, random, requestTimeoutInMs: Infinity, outageToleranceInMs: Infinity };
    let [progress, notBefore]: [PollHistory["progress"], number] = [undefined, 0];
    for await (const { elapsedInMs, pollCount, operation, nextPollInMs = 0 } of start(server, options)) {
      expect(elapsedInMs).toBeGreaterThanOrEqual(notBefore);
      if (operation.status === "Succeeded") break;
      progress = observeProgress(progress, { elapsedInMs, percentComplete: operation.percentComplete });
      expect(nextPollInMs).toBe(Math.ceil(schedule({ elapsedInMs, pollCount, progress }, random)));
      notBefore = elapsedInMs + nextPollInMs;
    }
    // Without a percentage, a late poll makes the next ones later: a slow machine means fewer polls, never more.
    const limit = waitAsPoller(schedule, { duration: 120, percentageAt: () => undefined }, random).polls;
    if (percentComplete === undefined) expect(statusPolls(server).length).toBeLessThanOrEqual(limit);
    expect(statusPolls(server).length).toBeGreaterThan(0);
  });
});
