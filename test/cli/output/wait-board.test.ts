import {
  OperationFailedError,
  PollingError,
  PollingTimeoutError,
  RequestError,
  parseOperationStatus,
} from "lro-poller";
import { createVirtualClock } from "lro-poller/testing";
import { expect, test } from "vitest";
import type { WaitOutcome } from "../../../src/cli/output/wait-outcome.ts";
import { WaitBoard } from "../../../src/cli/output/wait-board.ts";
import type { WaitView } from "../../../src/cli/output/wait-view.ts";
import { contextOf } from "../run-cli.ts";

const id = "fa067167-e49d-41bd-8dd8-de719b9de3b3";
const failed = parseOperationStatus({
  id: `/projects/myProject/operationstatuses/${id}`,
  name: id,
  status: "Failed",
  error: { code: "Quota\u001b[31mExceeded", message: "8 cores needed, 2 left." },
});

const clock = createVirtualClock();

function after(change: (board: WaitBoard) => void): WaitView | undefined {
  const board = new WaitBoard([{ id }], contextOf({ pollOptions: { clock } }));
  change(board);
  return board.waits[0];
}

test.each([
  [new RequestError("HTTP 503: no status", { kind: "transient", statusCode: 503 }), "HTTP 503"],
  [new RequestError("read ECONNRESET", { kind: "transient", code: "ECONNRESET" }), "ECONNRESET"],
  [new RequestError("the socket\nwas closed", { kind: "transient" }), "the socket was closed"],
  [
    new RequestError("$.status: expected a string", {
      kind: "transient",
      statusCode: 200,
      code: "ContractError",
    }),
    "unusable response",
  ],
])("a failed poll has a short reason: %s", (error, word) => {
  const failedPoll = {
    error,
    elapsedInMs: 5000,
    nextPollInMs: 1000,
    pollCount: 1,
    failedPollCount: 1,
    status: undefined,
  };
  expect(after((board) => board.failedPoll(0, failedPoll))).toMatchObject({
    failure: word,
    elapsedInMs: 5000,
  });
});

const outcomes: readonly (readonly [WaitOutcome, string | undefined])[] = [
  [{ type: "succeeded", result: {} }, undefined],
  [{ type: "interrupted", reason: new Error("Ctrl-C"), resumeToken: "{}" }, "stopped waiting"],
  [{ type: "error", error: new OperationFailedError({ operation: failed }) }, "QuotaExceeded"],
  [{ type: "error", error: new PollingTimeoutError("late", "Timeout") }, "timed out"],
  [{ type: "error", error: new PollingTimeoutError("hangs", "Stalled") }, "stalled"],
  [{ type: "error", error: new PollingError("away", "HTTP 503") }, "polling failed"],
];

test.each(outcomes)("an outcome has a note if its status does not show it: %o", (outcome, note) => {
  expect(after((board) => board.ended(0, outcome))?.end).toEqual({ note });
});

test("the time of an interrupted wait ends with the interruption", async () => {
  const board = new WaitBoard([{ id }], contextOf({ pollOptions: { clock } }));
  await clock.advance(2000);
  board.ended(0, { type: "interrupted", reason: new Error("Ctrl-C"), resumeToken: "{}" });
  expect(board.waits[0]).toMatchObject({ elapsedInMs: 2000 });
});
