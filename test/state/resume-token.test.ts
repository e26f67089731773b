import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OperationStatusesClient, createPoller } from "lro-poller";
import type { Poller, ResumeToken } from "lro-poller";
import { settled } from "../support/rejections.ts";
import { simulate } from "../azure/lro/support.ts";
import type { Simulated } from "../azure/lro/support.ts";
import { operationId, setUp, status } from "../azure/lro/resume-support.ts";

/** With as many letters as DNS allows in a label, on either side of the dot in the contract. */
const endpointOfMaxLength = `https://${"t".repeat(63)}.${"r".repeat(63)}.devcenter.azure.com`;
const projectOfMaxLength = "p".repeat(63);
const dayInMs = 86_400_000;

type Reply = readonly [
  waitInMs: number,
  state: string,
  percentComplete?: number | undefined,
  retryAfter?: string | undefined,
];

/** Returns the tokens of a wait: the first one, and one after each response. */
async function tokensOf(replies: readonly Reply[]): Promise<string[]> {
  const { httpClient, clock } = simulate(...replies.map(replyOf));
  const client = new OperationStatusesClient(endpointOfMaxLength, undefined, { httpClient });
  const over = new AbortController();
  const poller = createPoller(client.operation(projectOfMaxLength, operationId), {
    clock,
    abortSignal: over.signal,
    timeoutInMs: 1e12,
    schedule: ({ pollCount }) => replies[pollCount - 1]?.[0] ?? 0,
  });
  const tokens = [JSON.stringify(poller)];
  poller.onProgress(() => {
    tokens.push(JSON.stringify(poller));
    if (tokens.length > replies.length) over.abort();
  });
  await clock.runUntilSettled(settled(poller.pollUntilDone()));
  expect(tokens).toHaveLength(replies.length + 1);
  return tokens;
}

/** Makes the reply for an operation that started forty years ago. */
function replyOf([, state, percentComplete, retryAfter]: Reply): Simulated {
  const headers = { date: "Tue, 01 Jan 2030 00:00:00 GMT", ...(retryAfter && { "retry-after": retryAfter }) };
  return status(state, { percentComplete, startTime: "1990-01-01T00:00:00Z" }, headers);
}

describe("a token", () => {
  test("has what another process needs, and nothing else", async () => {
    const { poller, clock } = setUp(
      [status("Running", { percentComplete: 40, properties: "a secret", error: { message: "a secret" } })],
      { timeoutInMs: 60_000 },
    );
    const abandoned = new AbortController();
    void settled(poller.pollUntilDone({ abortSignal: abandoned.signal }));
    await clock.advance(500);
    const startedAt = Date.UTC(2025, 0, 1);
    const expected: ResumeToken = {
      version: 1,
      operation: {
        endpoint: "https://dev.devcenter.azure.com/",
        projectName: "myProject",
        operationId,
        apiVersion: "2025-02-01",
      },
      startedAt,
      savedAt: startedAt + 500,
      status: "Running",
      percentComplete: 40,
      pollCount: 1,
      failedPollCount: 0,
      ageAtStart: 0,
      deadline: startedAt + 60_000,
      progress: { latest: 0, quantum: 40, roughness: [0, 0], points: [0, 0, 40, 1] },
    };
    expect(JSON.parse(JSON.stringify(poller))).toEqual(expected);
    abandoned.abort();
  });

  test("is below 1 kB with names and a progress history of maximum length, and every optional field", async () => {
    const replies = Array.from({ length: 60 }, (_, index): Reply => [
      60_000_000 + 1234.5 * index,
      "a word of the service's own that no contract bounds",
      ((index * 61.803_398_87) % 100) / 1.000_01,
      index < 59 ? undefined : "999999999999",
    ]);
    const tokens = await tokensOf(replies);
    const last: ResumeToken = JSON.parse(tokens.at(-1) ?? "");
    expect(last.progress?.points).toHaveLength(32);
    expect(Object.keys(last)).toHaveLength(12);
    expect(Math.max(...tokens.map(bytes))).toBeLessThan(1000);
  });

  test("is below 1 kB whatever the service sends, and can be resumed", async () => {
    const reply = fc.tuple(
      fc.double({ min: 1, max: dayInMs, noNaN: true }),
      fc.oneof(
        fc.constantFrom("NotStarted", "Running"),
        fc.string({ minLength: 1, maxLength: 80, unit: "binary" }),
      ),
      fc.option(fc.double({ min: 0, max: 100, noNaN: true }), { nil: undefined }),
      fc.option(fc.constantFrom("5", "86400"), { nil: undefined }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(reply, { minLength: 1, maxLength: 40 }), async (replies) => {
        const client = new OperationStatusesClient(endpointOfMaxLength);
        for (const token of await tokensOf(replies)) {
          expect(bytes(token)).toBeLessThan(1000);
          const again: Poller = client.resume(token);
          expect(again.toJSON().progress).toEqual(JSON.parse(token).progress);
        }
      }),
      { numRuns: 60, seed: 11 },
    );
  });

  test("changes only its time when it is resumed", async () => {
    const { poller, clock, client } = setUp([status("Running", { percentComplete: 33.333_333 })], {
      timeoutInMs: 60_000,
    });
    void settled(poller.pollUntilDone({ abortSignal: AbortSignal.timeout(1) }));
    await clock.advance(0);
    const token = poller.toJSON();
    expect(client.resume(token, { clock }).toJSON()).toEqual(token);
  });
});

function bytes(text: string): number {
  return Buffer.byteLength(text);
}
