import { expect, test } from "vitest";
import { OperationFailedError, RequestError } from "lro-poller";
import type { Operation } from "lro-poller";
import { createVirtualClock, scriptedOperation } from "lro-poller/testing";
import type { ScriptedReply } from "lro-poller/testing";
import { parseJobData, storedOptions } from "../../src/bullmq/job-data.ts";
import type { QueuedWaitOptions } from "../../src/bullmq/job-data.ts";
import { parseOutcome } from "../../src/bullmq/job-output.ts";
import { tokenFor } from "../../src/bullmq/operation-identity.ts";
import { pollJob } from "../../src/bullmq/poll-job.ts";
import type { Outcome } from "../../src/state/outcome.ts";
import { parseToken } from "../../src/state/resume-token.ts";
import { down } from "../support/scripted-poller.ts";

const hour = 3_600_000;
const notFound = new RequestError("HTTP 404", { kind: "notFound", statusCode: 404 });
const noHost = new RequestError("getaddrinfo ENOTFOUND host", { kind: "transient", code: "ENOTFOUND" });
const succeeded = { status: "Succeeded", properties: 1 };

/** Polls a job until it is completed. Its workers are away for an hour before each of these polls. */
async function outcomeOf(
  operation: Operation,
  options: QueuedWaitOptions,
  awayBefore: readonly number[],
): Promise<Outcome<unknown>> {
  const clock = createVirtualClock();
  const context = { clock, stretchAt: () => 1, onPoll: () => Promise.resolve() };
  const token = tokenFor(operation)(clock.timestamp());
  let data: unknown = { version: 1, token, options: storedOptions(options), responseCounts: {} };
  for (let poll = 1; ; poll++) {
    if (awayBefore.includes(poll)) await clock.advance(hour);
    const parsed = parseJobData(JSON.parse(JSON.stringify(data)));
    const job = { ...parsed, token: parseToken({ ...parsed.token }) };
    const result = await pollJob(job, operation, context, new AbortController().signal);
    if (result.type === "completed") return parseOutcome(JSON.parse(JSON.stringify(result.result)));
    ({ data } = result);
    await clock.advance(result.delayInMs);
  }
}

test.each<[string, ScriptedReply[], readonly number[], QueuedWaitOptions]>([
  ["is no outage", ["Running", down(), noHost, succeeded], [2, 3], {}],
  ["is no grace of a new operation", [notFound, notFound, succeeded], [1, 2], {}],
  [
    "is no grace of an operation that was seen before",
    ["Running", notFound, notFound, succeeded],
    [2, 3],
    {},
  ],
  ["is no stall", ["Running", "Running", "Running", succeeded], [2, 3], { stallTimeoutInMs: 120_000 }],
])("the time in which a job waits for a worker %s", async (_, replies, awayBefore, options) => {
  const operation = scriptedOperation(replies);
  expect(await outcomeOf(operation, options, awayBefore)).toEqual({ type: "succeeded", result: 1 });
});

test("a Retry-After is no outage of a queued wait", async () => {
  const asked = Array.from({ length: 5 }, () => down({ retryAfterInMs: 310_000 }));
  const outcome = await outcomeOf(scriptedOperation([...asked, succeeded]), {}, []);
  expect(outcome).toEqual({ type: "succeeded", result: 1 });
});

test("a queued wait whose endpoint was never reached is told early", async () => {
  const outcome = await outcomeOf(scriptedOperation(Array.from({ length: 9 }, () => noHost)), {}, []);
  expect(outcome).toMatchObject({
    type: "pollingFailed",
    error: { code: "ENOTFOUND", message: expect.stringContaining("Check the endpoint."), pollCount: 4 },
  });
});

test("an error of an operation that ends the wait is no failed poll of a queued wait", async () => {
  const status = { id: "7", name: "7", status: "Failed" };
  const final = new OperationFailedError({ operation: status });
  const operation = scriptedOperation([
    () => {
      throw final;
    },
  ]);
  const outcome = await outcomeOf(operation, {}, []);
  expect(outcome).toMatchObject({ type: "pollingFailed", error: { pollCount: 1 } });
});
