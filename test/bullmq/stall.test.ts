import { expect, test } from "vitest";
import { PollingTimeoutError } from "lro-poller";
import type { Operation } from "lro-poller";
import { createVirtualClock, scriptedOperation } from "lro-poller/testing";
import type { ScriptedReply, VirtualClock } from "lro-poller/testing";
import { parseJobData, storedOptions } from "../../src/bullmq/job-data.ts";
import type { JobData, QueuedWaitOptions } from "../../src/bullmq/job-data.ts";
import { parseOutcome } from "../../src/bullmq/job-output.ts";
import { tokenFor } from "../../src/bullmq/operation-identity.ts";
import { pollJob } from "../../src/bullmq/poll-job.ts";
import type { Outcome } from "../../src/state/outcome.ts";
import { parseToken } from "../../src/state/resume-token.ts";
import { down } from "../support/scripted-poller.ts";

/** Passes a value through Redis, as any worker would read it. */
function throughRedis(data: unknown): unknown {
  return JSON.parse(JSON.stringify(data));
}

function newJob(operation: Operation, options: QueuedWaitOptions, clock: VirtualClock): JobData {
  const token = tokenFor(operation)(clock.timestamp());
  return { version: 1, token, options: storedOptions(options), responseCounts: {} };
}

/** Polls a job until it is completed, each time with nothing but what Redis keeps. */
async function outcomeOf(operation: Operation, job: JobData, clock: VirtualClock): Promise<Outcome<unknown>> {
  const context = { clock, stretchAt: () => 1, onPoll: () => Promise.resolve() };
  let data: unknown = throughRedis(job);
  for (;;) {
    const parsed = parseJobData(data);
    const token = parseToken({ ...parsed.token });
    const result = await pollJob({ ...parsed, token }, operation, context, new AbortController().signal);
    if (result.type === "completed") return parseOutcome(throughRedis(result.result));
    data = throughRedis(result.data);
    await clock.advance(result.delayInMs);
  }
}

const deleting = { status: "Deleting", percentComplete: 100 };
const everySecond = { minDelayInMs: 1000, maxDelayInMs: 1000 };

test("a stall ends a queued wait, whichever worker polls, as in a poller", async () => {
  const clock = createVirtualClock();
  const replies: ScriptedReply[] = [{ status: "Deleting", percentComplete: 90 }, deleting, down(), deleting];
  const operation = scriptedOperation([...replies, deleting, deleting]);
  const job = newJob(operation, { ...everySecond, stallTimeoutInMs: 3500 }, clock);
  const outcome = await outcomeOf(operation, job, clock);
  if (outcome.type !== "pollingFailed") throw new Error(`expected a stall, got ${outcome.type}`);
  expect(outcome.error).toBeInstanceOf(PollingTimeoutError);
  expect(outcome.error).toMatchObject({
    code: "Stalled",
    pollCount: 6,
    resumeToken: expect.stringContaining('"version":1'),
    message: expect.stringMatching(
      / is still Deleting at 100 % after 5(\.\d)? s, unchanged for 4(\.\d)? s\. /,
    ),
  });
});

test("a queued wait whose state changes does not stall", async () => {
  const clock = createVirtualClock();
  const operation = scriptedOperation(["A", "B", "C", "A", { status: "Succeeded", properties: 7 }]);
  const job = newJob(operation, { ...everySecond, stallTimeoutInMs: 1500 }, clock);
  expect(await outcomeOf(operation, job, clock)).toEqual({ type: "succeeded", result: 7 });
});

test("every poll of a queued wait receives its terminal states", async () => {
  const clock = createVirtualClock();
  const scripted = scriptedOperation(["Running", "Succeeded"]);
  const received: unknown[] = [];
  const operation: Operation = {
    ...scripted,
    getStatus(options) {
      received.push(options.terminalStates);
      return scripted.getStatus(options);
    },
  };
  const terminalStates = { succeeded: ["Dequeued"], failed: ["Dead"] };
  await outcomeOf(operation, newJob(operation, { ...everySecond, terminalStates }, clock), clock);
  expect(received).toEqual([terminalStates, terminalStates]);
});

test("a job whose terminal states are no lists of words is rejected", () => {
  const clock = createVirtualClock();
  const job = newJob(scriptedOperation([]), {}, clock);
  for (const [terminalStates, message] of [
    [{ succeeded: "Dequeued" }, "job.data.options.terminalStates.succeeded: expected an array"],
    [{ succeeded: [7] }, "job.data.options.terminalStates.succeeded[0]: expected a string"],
    [{ ended: [] }, "job.data.options.terminalStates.ended: expected no such field"],
    [{ succeeded: ["x"], failed: ["X"] }, 'terminalStates: expected "x" in one list'],
  ] as const) {
    expect(() => parseJobData({ ...job, options: { terminalStates } })).toThrow(message);
  }
});
