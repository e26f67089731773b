/**
 * A rule of textlint that keeps the pages readable: `npm run prose`. It sees paragraphs, list items, table cells
 * and headings; code, HTML blocks and the text of images are not prose.
 *
 * A comment with a reason, inside a paragraph or a table cell, permits what the rule finds there:
 * `The disk does 500 reads a second. <!-- prose: reads of a disk -->`
 */
import type { TextlintRuleModule } from "@textlint/types";

/** The start of a longer sentence is forgotten at its end, most of all in a second language. */
const maxWords = 25;

/** A sentence that starts with one of these makes the reader wait for its noun. */
const lateSubject = /^(?:who|what|which|whatever)$/i;

/**
 * Words that only this project used, each with the one that readers know from HTTP and from Azure's SDKs.
 * A pattern must be wrong everywhere: a program may read a file, and a service answers `202 Accepted`.
 * A space in it matches a line break too.
 */
const replacements: [pattern: RegExp, replacement: string][] = [
  // A request for a status.
  [
    /\b(?:an?|another|any|each|every|one|no|per|first|next|extra|\w+ed) read\b(?!-| (?:access|permission))/,
    "poll",
  ],
  [
    /\b(?:\d+|two|three|four|five|ten|few|fewer|many|more|no|of|\w+ed|its|the|their|while|between) reads\b|\breads (?:are|as|at once|fail|failed|in a row|or more|over|than|that|under way|wait|were)\b/,
    "polls",
  ],
  [/\b(?:is|are|be|was|were) read again\b|\breads? (?:it|them) again\b/, "poll again"],
  [/\breadings\b|\b(?:an?|another|each|every|one|no|first|last|next) reading\b/, "poll, or operation status"],
  [/\bask(?:s|ed|ing)? (?:for )?again\b|\basks? (?:too |more |less )?often\b/, "poll"],
  // What a service sends back.
  [
    /\b(?:an?|another|any|the|each|every|one|no|first|last|next|initial|broken|which|of|whose|its|their) answers?\b|\banswers (?:are|is|that|to)\b/,
    "response",
  ],
  // The limit of requests.
  [/\bbudgets?\b/, "rate limiter"],
  [/\b(?:held|hold|holds|holding) back\b/, "throttle"],
  [/\bsilence\b/, "`Retry-After`"],
  // The life of an operation and of a wait.
  [/\bbeg[aiu]n(?:s|ning|nings)?\b/, "start"],
  [/\b(?:goes|go|going|gone|went) on\b(?! (?:an?|the|its|each|every|line)\b)/, "continue"],
  [/\b(?:is|are|be|been) borne\b/, "retry, or tolerate"],
  [/\blet(?:s|ting)?(?: \w+){1,3} go\b|\b(?:is|are|be|been) let go\b/, "stop polling, or abort the wait"],
  [/\bways? out\b/, "a function that unsubscribes"],
  [/\bendings\b|\b(?:an|the|its|each|every|no) ending\b|\bverdicts?\b/, "terminal state"],
  // A percentage is no bar until a terminal or a page draws one.
  [/\b(?:noisy|lying) bar\b|\bbars? (?:lies|lie|may|in steps|that (?:is|ends|lies))\b/, "percentage"],
  // A person in place of a part of the program.
  [/\bnobody\b/, "no caller, or no process"],
  [/\bwhoever\b/, "the caller, the process or the person"],
];

/** The end of a sentence: not the stop of an abbreviation, but also the dot between two links of a menu. */
const sentenceEnd = /(?<!\b(?:e\.g|i\.e|etc|vs|approx))[.!?]["'”’)]*\s+| · /g;

const permission = /^<!-- prose: \S.* -->$/;

const language: TextlintRuleModule = ({ RuleError, Syntax, getSource, locator, report }) => {
  type Node = Parameters<typeof report>[0];

  /** The text of the block under way. Code and markup are masked, so that each character keeps its place. */
  let text = "";
  let blockStart = 0;
  let isPermitted = false;

  function openBlock({ range: [from, to] }: Node): void {
    text = " ".repeat(to - from);
    blockStart = from;
    isPermitted = false;
  }

  function add(node: Node, shown: string): void {
    const at = node.range[0] - blockStart;
    text = text.slice(0, at) + shown.replaceAll(/\s/g, " ") + text.slice(at + shown.length);
  }

  function closeBlock(block: Node, findings: Finding[]): void {
    if (isPermitted && findings.length > 0) return;
    if (isPermitted) findings.push({ at: 0, length: 1, message: "This comment permits nothing: remove it" });
    for (const { at, length, message } of findings) {
      report(block, new RuleError(message, { padding: locator.range([at, at + length]) }));
    }
  }

  return {
    [Syntax.Header]: openBlock,
    [Syntax.Paragraph]: openBlock,
    [Syntax.TableCell]: openBlock,
    [Syntax.Str]: (node) => add(node, getSource(node)),
    // One word, which can start a sentence.
    [Syntax.Code]: (node) => add(node, "X".repeat(node.range[1] - node.range[0])),
    [Syntax.Html]: (node) => {
      isPermitted ||= permission.test(getSource(node));
    },
    [Syntax.HeaderExit]: (node) => closeBlock(node, wordsIn(text)),
    [Syntax.ParagraphExit]: (node) => closeBlock(node, [...wordsIn(text), ...sentencesIn(text)]),
    [Syntax.TableCellExit]: (node) => {
      const row = node.parent;
      const isLabel = row === row?.parent?.children[0];
      closeBlock(node, isLabel ? wordsIn(text) : [...wordsIn(text), ...sentencesIn(text)]);
    },
  };
};
export default language;

interface Finding {
  readonly at: number;
  readonly length: number;
  readonly message: string;
}

function wordsIn(text: string): Finding[] {
  return replacements.flatMap(([{ source }, replacement]) =>
    Array.from(text.matchAll(new RegExp(source.replaceAll(" ", "\\s+"), "gi")), ({ 0: found, index }) => ({
      at: index,
      length: found.length,
      message: `"${found.replaceAll(/\s+/g, " ")}": write ${replacement}`,
    })),
  );
}

function sentencesIn(text: string): Finding[] {
  const findings: Finding[] = [];
  let from = 0;
  for (const { 0: stop, index: to } of [...text.matchAll(sentenceEnd), { 0: "", index: text.length }]) {
    const sentence = text.slice(from, to);
    const at = from + Math.max(sentence.search(/\w/), 0);
    const found = sentence.split(/\s+/).filter((word) => /\w/.test(word));
    const [first = ""] = sentence.match(/\w+/) ?? [];
    if (found.length > maxWords) {
      findings.push({
        at,
        length: to - at,
        message: `${found.length} words: write at most ${maxWords} a sentence`,
      });
    }
    if (lateSubject.test(first)) {
      findings.push({
        at,
        length: first.length,
        message: `"${first}" starts a sentence: start with the noun`,
      });
    }
    from = to + stop.length;
  }
  return findings;
}
