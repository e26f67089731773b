import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createPoller, fixed, isTerminal } from "lro-poller";
import type { PollOptions, Poller } from "lro-poller";
import { createVirtualClock, scriptedOperation } from "lro-poller/testing";
import type { ScriptedReply } from "lro-poller/testing";
import { resumePoller } from "../../src/poller/poller.ts";
import { initialState, transition } from "../../src/state/state-machine.ts";
import type { PollState } from "../../src/state/state-machine.ts";
import { down, forever } from "../support/scripted-poller.ts";

const page = readFileSync("docs/states.md", "utf8");

/** The arrows of the picture under a heading. */
function arrowsUnder(heading: string): string[] {
  const picture = page.slice(page.indexOf(`## ${heading}`)).split("```")[1] ?? "";
  const arrows = [...picture.matchAll(/^ {2}(\S+) --> (\S+)$/gm)];
  return arrows.map(([, from, to]) => `${from} --> ${to}`).toSorted();
}

test("an operation moves as the page says", () => {
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

const held = { status: "Running", held: true, retryAfterInMs: 60_000 };

/** A wait that is told of by what everybody can see of it: reads, progress, failed reads, and how it ends. */
interface Walk {
  readonly name: string;
  readonly replies: readonly ScriptedReply[];
  readonly options?: PollOptions;
  /** When the caller leaves, in milliseconds since the wait began. */
  readonly abortAt?: number;
  readonly resumesAfter?: readonly ScriptedReply[];
  readonly waitsTwice?: boolean;
}

const walks: readonly Walk[] = [
  { name: "to its end", replies: ["NotStarted", "Running", "Succeeded"] },
  { name: "through a Retry-After", replies: [held, "Failed"] },
  { name: "through an outage", replies: [down(), down(), "Succeeded"] },
  { name: "refused, then again", replies: [down({ kind: "permanent" }), "Succeeded"], waitsTwice: true },
  { name: "out of time between reads", replies: ["Running"], options: { timeoutInMs: 500 } },
  { name: "out of time in a Retry-After", replies: [held], options: { timeoutInMs: 5000 } },
  { name: "out of time in an outage", replies: [down()], options: { timeoutInMs: 500 } },
  { name: "out of time in a read", replies: [forever], options: { timeoutInMs: 500 } },
  { name: "left in a read", replies: [forever], abortAt: 500 },
  { name: "left between reads", replies: ["Running"], abortAt: 500 },
  { name: "left in a Retry-After", replies: [held], abortAt: 500 },
  { name: "left in an outage", replies: [down()], abortAt: 500 },
  { name: "resumed", resumesAfter: ["Running"], replies: ["Succeeded"] },
  { name: "resumed in a Retry-After", resumesAfter: [held], replies: ["Succeeded"] },
];

/** The states of a wait, in order. */
async function statesOf({ replies, options, abortAt, resumesAfter, waitsTwice }: Walk): Promise<string[]> {
  const clock = createVirtualClock();
  const settings = { clock, schedule: fixed(1000), random: () => 0, ...options };
  const states = [resumesAfter ? "resumed" : "initial"];
  const go = (state: string): void => void (states.at(-1) !== state && states.push(state));
  const operation = scriptedOperation([
    ...(resumesAfter ?? []),
    ...replies.map((reply): ScriptedReply => (read) => {
      go("reading");
      return typeof reply === "function" ? reply(read) : reply;
    }),
  ]);
  const make = async (): Promise<Poller> => {
    const poller = createPoller(operation, settings);
    if (resumesAfter === undefined) return poller;
    await clock.runUntilSettled(poller.poll());
    return resumePoller(operation, poller.toJSON(), settings);
  };
  const poller = await make();
  poller.onProgress(({ status, operation: { held: isHeld } }) => {
    go(isTerminal(status) ? "done" : isHeld === true ? "heldBack" : "waiting");
  });
  poller.onFailedPoll(({ error }) => error.kind === "transient" && go("retrying"));
  const controller = new AbortController();
  if (abortAt !== undefined) clock.setTimer(() => controller.abort("left"), abortAt);
  const readsBefore = operation.polls.length;
  for (let waits = waitsTwice ? 2 : 1; waits > 0; waits--) {
    const wait = poller.pollUntilDone({ abortSignal: controller.signal });
    const end = wait.catch((error: unknown) => go(endOf(poller, error)));
    if (operation.polls.length === readsBefore) go("heldBack");
    await clock.runUntilSettled(end);
  }
  return states;
}

function endOf(poller: Poller, error: unknown): string {
  if (poller.isDone) return "done";
  return error === "left" ? "initial" : "pollingFailed";
}

describe("a wait", () => {
  test("moves as the page says, and in no other way", async () => {
    const seen = new Set<string>();
    for (const walk of walks) {
      const states = ["[*]", ...(await statesOf(walk))];
      for (const [index, from] of states.slice(0, -1).entries()) seen.add(`${from} --> ${states[index + 1]}`);
    }
    expect([...seen].toSorted()).toEqual(arrowsUnder("A wait"));
  });

  test("has a row for each of its states", () => {
    const rows = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, state]) => state);
    const inPicture = new Set(arrowsUnder("A wait").flatMap((arrow) => arrow.split(" --> ")));
    inPicture.delete("[*]");
    expect(new Set(rows)).toEqual(inPicture);
  });
});
