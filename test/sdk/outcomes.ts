import type { SdkClient } from "./client.ts";
import { scenarios } from "./scenarios.ts";
import type { Outcome, ScenarioName } from "./scenarios.ts";

/** An outcome, and its reason where it is not ok. */
export interface Finding {
  readonly outcome: Outcome;
  readonly reason?: string;
}

/** What comes of each wait of a client: by the SDK's own `pollUntilDone`, and by `fromPollerLike(poller)`. */
export type Findings = Partial<Record<ScenarioName, readonly [own: Finding, poller: Finding]>>;

export const ok: Finding = { outcome: "ok" };

// The SDK's own wait.
const failedPollEnds = fails("A failed poll ends the wait.");
const no429 = fails("The retry policy of the client does not retry a 429.");
const failedPollResolves = falseSuccess("The result is the response of the failed poll.");
const noTimeout = hangs("A poll has no timeout.");
const abortIsForever = fails("A poller that was aborted cannot be used again.");
const abortIsLost = hangs("The abort does not reach the request.");
const fixedInterval = early("The poller has a fixed interval.");
const failureResolves = falseSuccess("The result is the status of the failed operation.");

// Both ways.
const pageIsSuccess = falseSuccess("A response without a status counts as success.");
const pageEnds = fails("The client cannot parse the page, and ends the wait.");
const outerErrorOnly = noCode("The error has the text of the outer error only.");
const bodyIsDropped = noCode("The error does not have the body of the response.");
const errorsAreIgnored = noCode("The client does not read the `errors` of the status.");
const outerCodesOnly = noCode("The error has the outer codes only.");

// This library without the pipeline.
const samePoll = hangs("The SDK's poller sends no poll while one has no response.");
const retryAfterIsLost = early("The SDK's poller does not tell the `Retry-After`.");
const unmarked = hangs("The SDK's poller does not mark a failed operation.");

const modular: Findings = {
  unavailable: [failedPollEnds, ok],
  result: [failedPollEnds, ok],
  reset: [failedPollEnds, ok],
  hang: [noTimeout, ok],
  abort: [abortIsForever, ok],
  retryAfter: [ok, retryAfterIsLost],
  html: [pageIsSuccess, pageIsSuccess],
  fails: [outerErrorOnly, outerErrorOnly],
};

const generated: Findings = {
  unavailable: [failedPollEnds, ok],
  result: [failedPollEnds, ok],
  reset: [failedPollEnds, ok],
  hang: [noTimeout, ok],
  abort: [abortIsLost, ok],
  retryAfter: [ok, retryAfterIsLost],
  html: [pageIsSuccess, pageIsSuccess],
};

const handWritten: Findings = {
  unavailable: [failedPollEnds, ok],
  result: [failedPollEnds, ok],
  reset: [failedPollEnds, ok],
  hang: [noTimeout, ok],
  abort: [abortIsForever, ok],
  retryAfter: [fixedInterval, retryAfterIsLost],
};

/** The findings by client. A scenario that is missing is ok. With the pipeline, all are ok. */
export const findings: Readonly<Record<string, Findings>> = {
  "@azure/arm-compute": modular,
  "@azure/arm-resourcesdeployments": modular,
  "@azure/arm-resources": { ...modular, fails: [bodyIsDropped, bodyIsDropped] },
  "@azure/arm-keyvault": { ...modular, html: [pageEnds, ok] },
  "@azure-rest/ai-document-intelligence": {
    ...modular,
    html: [pageIsSuccess, ok],
    fails: [ok, ok],
  },
  "@azure-rest/ai-translation-document": {
    unavailable: [failedPollResolves, ok],
    reset: [failedPollEnds, ok],
    hang: [noTimeout, ok],
    abort: [abortIsForever, ok],
    retryAfter: [ok, retryAfterIsLost],
    html: [pageIsSuccess, ok],
    fails: [failureResolves, ok],
  },
  "@azure/arm-containerinstance": { ...generated, fails: [outerErrorOnly, outerErrorOnly] },
  "@azure/arm-resources 5": { ...generated, fails: [outerErrorOnly, outerErrorOnly] },
  "@azure/communication-email": generated,
  "@azure/communication-phone-numbers": {
    ...generated,
    hang: [noTimeout, samePoll],
    abort: [abortIsLost, samePoll],
  },
  "@azure/ai-language-text": {
    ...generated,
    html: [pageEnds, ok],
    fails: [errorsAreIgnored, errorsAreIgnored],
  },
  "@azure/ai-form-recognizer": {
    ...generated,
    html: [ok, ok],
  },
  "@azure/keyvault-certificates": {
    ...handWritten,
    html: [pageIsSuccess, pageIsSuccess],
    fails: [outerErrorOnly, outerErrorOnly],
  },
  "@azure/keyvault-secrets": {
    ...handWritten,
    html: [pageEnds, ok],
  },
  "@azure/storage-blob": {
    ...handWritten,
    throttled: [no429, ok],
  },
  "@azure/ai-text-analytics": {
    ...handWritten,
    html: [pageEnds, ok],
    fails: [outerCodesOnly, unmarked],
  },
};

/** Returns the finding of each way. Nothing is to be found where the scenario does not apply to the client. */
export function findingsOf(client: SdkClient, scenario: ScenarioName): readonly Finding[] {
  if (!scenarios[scenario].appliesTo(client)) return [];
  const [own, poller] = findings[client.name]?.[scenario] ?? [ok, ok];
  return [own, poller, ok];
}

function fails(reason: string): Finding {
  return { outcome: "fails", reason };
}

function hangs(reason: string): Finding {
  return { outcome: "hangs", reason };
}

function falseSuccess(reason: string): Finding {
  return { outcome: "false success", reason };
}

function early(reason: string): Finding {
  return { outcome: "early", reason };
}

function noCode(reason: string): Finding {
  return { outcome: "no code", reason };
}
