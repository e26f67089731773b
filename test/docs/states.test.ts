import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createPoller, fixed, isTerminal } from "lro-poller";
import type { PollOptions, Poller } from "lro-poller";
import { createVirtualClock, scriptedOperation } from "lro-poller/testing";
import type { ScriptedReply } from "lro-poller/testing";
import { operationEnds } from "../../src/operation/state-words.ts";
import { resumePoller } from "../../src/poller/poller.ts";
import { initialState, transition } from "../../src/state/state-machine.ts";
import type { PollState } from "../../src/state/state-machine.ts";
import { down, forever } from "../support/scripted-poller.ts";

const page = readFileSync("docs/states.md", "utf8");

/** Returns the arrows of the diagram under a heading. */
function arrowsUnder(heading: string): string[] {
  const diagram = page.slice(page.indexOf(`## ${heading}`)).split("```")[1] ?? "";
  const arrows = [...diagram.matchAll(/^ {2}(\S+) --> (\S+)$/gm)];
  return arrows.map(([, from, to]) => `${from} --> ${to}`).toSorted();
}

test("an operation has the transitions on the page", () => {
  const words = ["NotStarted", "Running", "Succeeded", "Failed", "Canceled"];
  const after = (state: PollState, status: string): PollState => {
    const response = { status: { id: "7", name: "7", status } };
    return transition(state, { type: "response", response, atInMs: 0 });
  };
  const starts: [string, PollState][] = [
    ["[*]", initialState],
    ...words.map((word): [string, PollState] => [word, after(initialState, word)]),
  ];
  const arrows = starts.flatMap(([from, state]) =>
    words.filter((to) => after(state, to).status === to && from !== to).map((to) => `${from} --> ${to}`),
  );
  expect(arrows.toSorted()).toEqual(arrowsUnder("An operation"));
});

test("the words that end an operation are those on the page", () => {
  const rows = [...page.matchAll(/^\| `(\w+)` \| (`.*`) \|$/gm)];
  const words = rows.flatMap(([, state = "", list = ""]) =>
    Array.from(list.matchAll(/`(\w+)`/g), ([, word = ""]): [string, string] => [word.toLowerCase(), state]),
  );
  expect(new Map(words)).toEqual(operationEnds);
});

const throttled = { status: "Running", isThrottled: true, retryAfterInMs: 60_000 };

/** A wait, observed from outside: by its polls, progress, failed polls and end. */
interface Walk {
  readonly name: string;
  readonly replies: readonly ScriptedReply[];
  readonly options?: PollOptions;
  /** The time of the abort, in milliseconds since the start of the wait. */
  readonly abortAt?: number;
  readonly resumesAfter?: readonly ScriptedReply[];
  readonly waitsTwice?: boolean;
}

const walks: readonly Walk[] = [
  { name: "to its end", replies: ["NotStarted", "Running", "Succeeded"] },
  { name: "through a Retry-After", replies: [throttled, "Failed"] },
  { name: "through an outage", replies: [down(), down(), "Succeeded"] },
  {
    name: "with a permanent failure, then again",
    replies: [down({ kind: "permanent" }), "Succeeded"],
    waitsTwice: true,
  },
  { name: "timed out between polls", replies: ["Running"], options: { timeoutInMs: 500 } },
  { name: "timed out in a Retry-After", replies: [throttled], options: { timeoutInMs: 5000 } },
  { name: "timed out in an outage", replies: [down()], options: { timeoutInMs: 500 } },
  { name: "timed out in a poll", replies: [forever], options: { timeoutInMs: 500 } },
  { name: "stalled", replies: ["Running", "Running"], options: { stallTimeoutInMs: 500 } },
  { name: "aborted in a poll", replies: [forever], abortAt: 500 },
  { name: "aborted between polls", replies: ["Running"], abortAt: 500 },
  { name: "aborted in a Retry-After", replies: [throttled], abortAt: 500 },
  { name: "aborted in an outage", replies: [down()], abortAt: 500 },
  { name: "resumed", resumesAfter: ["Running"], replies: ["Succeeded"] },
  { name: "resumed in a Retry-After", resumesAfter: [throttled], replies: ["Succeeded"] },
];

/** Returns the states of a wait, in order. */
async function statesOf({ replies, options, abortAt, resumesAfter, waitsTwice }: Walk): Promise<string[]> {
  const clock = createVirtualClock();
  const settings = { clock, schedule: fixed(1000), random: () => 0, ...options };
  const states = [resumesAfter ? "resumed" : "initial"];
  const enter = (state: string): void => void (states.at(-1) !== state && states.push(state));
  const operation = scriptedOperation([
    ...(resumesAfter ?? []),
    ...replies.map((reply): ScriptedReply => (poll) => {
      enter("polling");
      return typeof reply === "function" ? reply(poll) : reply;
    }),
  ]);
  const make = async (): Promise<Poller> => {
    const poller = createPoller(operation, settings);
    if (resumesAfter === undefined) return poller;
    await clock.runUntilSettled(poller.poll());
    // A token that is taken up sooner leaves the next poll for when it is due.
    await clock.advance(1000);
    return resumePoller(operation, poller.toJSON(), settings);
  };
  const poller = await make();
  poller.onProgress(({ status, operation: { isThrottled } }) => {
    enter(isTerminal(status) ? "done" : isThrottled === true ? "throttled" : "waiting");
  });
  poller.onFailedPoll(({ error }) => error.kind === "transient" && enter("retrying"));
  const controller = new AbortController();
  if (abortAt !== undefined) clock.setTimer(() => controller.abort("aborted"), abortAt);
  const pollsBefore = operation.polls.length;
  for (let waits = waitsTwice ? 2 : 1; waits > 0; waits--) {
    const wait = poller.pollUntilDone({ abortSignal: controller.signal });
    const end = wait.catch((error: unknown) => enter(endOf(poller, error)));
    if (operation.polls.length === pollsBefore) enter("throttled");
    await clock.runUntilSettled(end);
  }
  return states;
}

function endOf(poller: Poller, error: unknown): string {
  if (poller.isDone) return "done";
  return error === "aborted" ? "initial" : "pollingFailed";
}

describe("a wait", () => {
  test("has the transitions on the page, and no other", async () => {
    const seen = new Set<string>();
    for (const walk of walks) {
      const states = ["[*]", ...(await statesOf(walk))];
      for (const [index, from] of states.slice(0, -1).entries()) seen.add(`${from} --> ${states[index + 1]}`);
    }
    expect([...seen].toSorted()).toEqual(arrowsUnder("A wait"));
  });

  test("has a row for each of its states", () => {
    const section = page.slice(page.indexOf("## A wait"));
    const rows = [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, state]) => state);
    const inDiagram = new Set(arrowsUnder("A wait").flatMap((arrow) => arrow.split(" --> ")));
    inDiagram.delete("[*]");
    expect(new Set(rows)).toEqual(inDiagram);
  });
});
