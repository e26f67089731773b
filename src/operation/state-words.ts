import { keyOfWord } from "./status.ts";
import type { OperationState, TerminalState, TerminalStates } from "./status.ts";

/** The words that a resource ends by. Its other words describe the resource, not an operation. */
const resourceEnds: ReadonlyMap<string, TerminalState> = new Map([
  ["succeeded", "Succeeded"],
  ["failed", "Failed"],
  ["canceled", "Canceled"],
  ["cancelled", "Canceled"],
]);

// Bundlers keep a table of which they need nothing, if they cannot tell that its call changes nothing.

/**
 * The words that operations end by, from the services' published descriptions. The list is closed: a missing word delays
 * the end of a wait, and a wrong one reports a false outcome.
 */
export const operationEnds: ReadonlyMap<string, TerminalState> = /* @__PURE__ */ withResourceEnds([
  ["Succeeded", "completed complete success"],
  ["Succeeded", "partiallysucceeded partiallycompleted partialfailed"],
  ["Succeeded", "completedwithwarning completedwithwarnings"],
  ["Failed", "validationfailed rejected faulted expired timedout submissionfailed deletefailed"],
  ["Canceled", "forcecancelled forcecanceled aborted killed"],
]);

/** The words of operations that run. They matter only where a body may be that of a resource. */
const runningWords: ReadonlySet<string> = /* @__PURE__ */ wordsIn(
  "notstarted running inprogress in_progress accepted queued pending waiting scheduled processing provisioning",
  "creating updating deleting validating preparing finalizing starting",
  "canceling cancelling cancelpending cancelrequested cancelinprogress deletepending",
  "undefined dequeued requested started submitted",
  "skipped deduped duplicate deadlettered nodatafound dead error",
);

/** `Deploying` and `validating_files` run. */
const isActivity = /^(?!warning$|missing$|existing$|nothing$)[a-z]+ing(_[a-z]+)?$/;

/** The words that a resource is unlikely to use for anything but an operation on it. */
const resourceRunningWords: ReadonlySet<string> = /* @__PURE__ */ wordsIn(
  "notstarted inprogress in_progress accepted provisioning creating updating deleting",
);

function withResourceEnds(
  ends: readonly (readonly [state: TerminalState, words: string])[],
): ReadonlyMap<string, TerminalState> {
  const others = ends.flatMap(([state, words]) => words.split(" ").map((word) => [word, state] as const));
  return new Map([...resourceEnds, ...others]);
}

function wordsIn(...lines: readonly string[]): ReadonlySet<string> {
  return new Set(lines.flatMap((line) => line.split(" ")));
}

/**
 * Returns the state that an operation's word means. Words are compared without case and outer spaces, and only whole:
 * `NotSucceeded` is no success. A word that ends nothing is kept as it came.
 */
export function operationStateOf(word: string, terminalStates?: TerminalStates): OperationState {
  return stateOf(word, operationEnds, terminalStates);
}

/** The same for a `provisioningState`, which ends by the words of the guidelines alone. */
export function provisioningStateOf(word: string, terminalStates?: TerminalStates): OperationState {
  return stateOf(word, resourceEnds, terminalStates);
}

/** Returns whether a word is one of an operation, and none that only a resource has (`Online`). */
export function isOperationWord(word: string, terminalStates?: TerminalStates): boolean {
  const key = keyOfWord(word);
  return (
    runningWords.has(key) ||
    isActivity.test(key) ||
    operationEnds.has(key) ||
    ownEnd(key, terminalStates) !== undefined
  );
}

/** The same for a word at a resource, which may be its own: a web app is `Running` for years. */
export function isOperationWordOfResource(word: string, terminalStates?: TerminalStates): boolean {
  const key = keyOfWord(word);
  return resourceRunningWords.has(key) || resourceEnds.has(key) || ownEnd(key, terminalStates) !== undefined;
}

function stateOf(
  word: string,
  ends: ReadonlyMap<string, TerminalState>,
  terminalStates: TerminalStates | undefined,
): OperationState {
  const key = keyOfWord(word);
  const state = (terminalStates && ownEnd(key, terminalStates)) ?? ends.get(key);
  if (state !== undefined) return state;
  if (key === "notstarted") return "NotStarted";
  return key === "running" ? "Running" : word;
}

function ownEnd(
  key: string,
  { succeeded, failed, canceled }: TerminalStates = {},
): TerminalState | undefined {
  const isListed = (words: readonly string[] = []): boolean => words.some((word) => keyOfWord(word) === key);
  if (isListed(succeeded)) return "Succeeded";
  if (isListed(failed)) return "Failed";
  return isListed(canceled) ? "Canceled" : undefined;
}
