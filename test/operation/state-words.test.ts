import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isTerminal } from "lro-poller";
import {
  isOperationWord,
  isOperationWordOfResource,
  operationStateOf,
  provisioningStateOf,
} from "../../src/operation/state-words.ts";

const ends = {
  Succeeded:
    "Succeeded Completed Complete Success PartiallySucceeded PartiallyCompleted PartialFailed CompletedWithWarning CompletedWithWarnings",
  Failed: "Failed ValidationFailed Rejected Faulted Expired TimedOut SubmissionFailed DeleteFailed",
  Canceled: "Canceled Cancelled ForceCancelled ForceCanceled Aborted Killed",
};
const terminalWords = Object.entries(ends).flatMap(([state, words]) =>
  words.split(" ").map((word): [string, string] => [word, state]),
);
const guidelines = new Set(["succeeded", "failed", "canceled", "cancelled"]);

/** Words that look terminal, and whose operations run (`services.md` names a service for each). */
const looksTerminal = [
  "Succeeded with errors",
  'InProgress:{"state":"failed"}',
  ...(
    "Canceling Cancelling CancelRequested CancelInProgress Finalizing Created Active Dequeued Deleted Invalid " +
    "Undefined NotSet Unknown NotResponding Paused AwaitingManualAction TransientFailure deletePending NotSucceeded " +
    "FailedOver Skipped VerificationFailed cancelPending dead"
  ).split(" "),
];

describe("an operation's word", () => {
  test.each(terminalWords)("%s ends it as %s", (word, state) => {
    for (const spelling of [word, word.toUpperCase(), word.toLowerCase(), ` ${word}\t`])
      expect(operationStateOf(spelling)).toBe(state);
  });

  test.each(looksTerminal)("%s does not end it, and is kept", (word) => {
    expect(operationStateOf(word)).toBe(word);
  });

  test.each([
    ["notstarted", "NotStarted"],
    ["RUNNING", "Running"],
    ["InProgress", "InProgress"],
  ])("%s is the state %s", (word, state) => {
    expect(operationStateOf(word)).toBe(state);
  });

  test("ends it only as a whole", () => {
    const known = new Set(terminalWords.map(([word]) => word.toLowerCase()));
    fc.assert(
      fc.property(fc.constantFrom(...known), fc.string(), fc.string(), (word, before, after) => {
        const longer = `${before}${word}${after}`;
        expect(isTerminal(operationStateOf(longer))).toBe(known.has(longer.trim().toLowerCase()));
      }),
    );
  });

  test("may be the caller's own, which counts before the known ones", () => {
    const terminalStates = {
      succeeded: ["Ready", "failed"],
      failed: [" PartiallySucceeded "],
      canceled: ["dead"],
    };
    expect(
      ["READY", "Failed", "partiallysucceeded", "Dead"].map((word) => operationStateOf(word, terminalStates)),
    ).toEqual(["Succeeded", "Succeeded", "Failed", "Canceled"]);
    expect(provisioningStateOf("ready", terminalStates)).toBe("Succeeded");
    expect(isOperationWord("ready", terminalStates)).toBe(true);
    expect(isOperationWordOfResource("ready", terminalStates)).toBe(true);
  });
});

test.each(terminalWords)(
  "a provisioningState %s ends an operation only if it is one of the guidelines'",
  (word, state) => {
    expect(provisioningStateOf(word)).toBe(guidelines.has(word.toLowerCase()) ? state : word);
  },
);

test.each([
  ["Succeeded", true, true],
  ["InProgress", true, true],
  ["Running", true, false],
  ["Completed", true, false],
  ["Online", false, false],
  ["Stopped", false, false],
  ["Active", false, false],
])("the word %s is an operation's: %s; at a resource: %s", (word, anywhere, atResource) => {
  expect([isOperationWord(word), isOperationWordOfResource(word)]).toEqual([anywhere, atResource]);
});
