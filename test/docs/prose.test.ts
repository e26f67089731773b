import { createLinter, loadTextlintrc } from "textlint";
import { expect, test } from "vitest";
import language from "./prose/language.ts";

const withoutRules = await loadTextlintrc();
const linter = createLinter({
  descriptor: withoutRules.shallowMerge({ rules: [{ ruleId: "language", rule: language }] }),
});

/** Returns what `npm run prose` finds in each line of a page. */
async function findingsIn(...lines: string[]): Promise<string[][]> {
  const { messages } = await linter.lintText(lines.join("\n"), "page.md");
  return lines.map((_, index) =>
    messages.filter(({ line }) => line === index + 1).map(({ message }) => message),
  );
}

test("finds what made earlier pages hard to read", async () => {
  const [bar, , who, , long] = await findingsIn(
    "A bar may lose you about as many reads as it has saved so far, so one that lies costs little.",
    "",
    "Who is told of one operation: nobody waits any more.",
    "",
    "`npm run test:kill` kills 200 waits at random moments: each goes on in another process to the right result, and no read comes before a `Retry-After` that was heard.",
  );
  expect(bar).toEqual(['"bar may": write percentage', '"many reads": write polls']);
  expect(who).toEqual([
    '"Who" starts a sentence: start with the noun',
    '"nobody": write no caller, or no process',
  ]);
  expect(long).toEqual([
    "27 words: write at most 25 a sentence",
    '"goes on": write continue',
    '"no read": write poll',
  ]);
});

test("finds nothing in sentences that are as they should be", async () => {
  const findings = await findingsIn(
    "Wait for Azure long-running operations: dev boxes, deployments, and anything else that answers `202 Accepted`.",
    "",
    "- Polls when it matters: uses `Retry-After`, `percentComplete` and past durations, so you learn of the end early with few requests.",
    "",
    "| Situation | What happens |",
    "|---|---|",
    "| You abort | `pollUntilDone` rejects with `signal.reason`. No further request is sent. You can call it again later. |",
    "| The process dies | Another process continues from the token that you saved after the last poll. |",
    "| The status cannot be read | `RequestError`, and `begin` or `budget` in code |",
    "",
    "```ts",
    "// Whoever begins with a read has no budget.",
    "```",
  );
  expect(findings.flat()).toEqual([]);
});

test("sees paragraphs, items, cells and headings, and no sentence that a stop or a code span hides", async () => {
  const findings = await findingsIn(
    "## Beginning an operation",
    "",
    "The poller polls. lro-poller continues. `wait` ends. **What it costs.** It is small.",
    "",
    "1. It goes",
    "   on, e.g. now. Which one?",
    "",
    "| What it is | A value |",
    "|---|---|",
    "| who waits | [a *budget*](#a) |",
  );
  expect(findings).toEqual([
    ['"Beginning": write start'],
    [],
    ['"What" starts a sentence: start with the noun'],
    [],
    ['"goes on": write continue'],
    ['"Which" starts a sentence: start with the noun'],
    [],
    [],
    [],
    ['"who" starts a sentence: start with the noun', '"budget": write rate limiter'],
  ]);
});

test("a comment with a reason permits what its paragraph or cell has, and only where something is to permit", async () => {
  const findings = await findingsIn(
    "Redis has a budget of its own. <!-- prose: the name of a setting of the service -->",
    "",
    "Redis has a budget of its own. <!-- prose: -->",
    "",
    "Redis has a limit of its own. <!-- prose: the name of a setting of the service -->",
    "",
    "| a | b |",
    "|---|---|",
    "| a budget <!-- prose: as above --> | a budget |",
  );
  expect(findings.filter((_, index) => index % 2 === 0)).toEqual([
    [],
    ['"budget": write rate limiter'],
    ["This comment permits nothing: remove it"],
    [],
    ['"budget": write rate limiter'],
  ]);
});
