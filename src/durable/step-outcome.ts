import { initialState } from "../state/state-machine.ts";
import type { PollState, StopReason } from "../state/state-machine.ts";
import type { OperationStatus } from "../operation/status.ts";
import { outcomeOf } from "../state/outcome.ts";
import type { Outcome, StoppedPolling } from "../state/outcome.ts";
import type { Progress } from "../state/progress.ts";
import {
  invalidField,
  parseCount,
  parseNumber,
  parseObject,
  parseOptionalNumber,
  parseString,
} from "../operation/json-fields.ts";
import { parseWord, statusFieldsOf } from "../operation/parse-status.ts";
import { failureRecordOf, parseFailure, parseResponseCounts } from "./failure-record.ts";

/** How polling stopped, as JSON. `resultOf` makes the same result or error of it as a poller. */
export interface StepOutcome {
  /** The version of the outcome's form. */
  readonly version: 1;
  /** Why polling stopped. `terminal`: the operation has succeeded, has failed or was canceled. */
  readonly reason: "terminal" | "timedOut" | "stalled" | "notFound" | "pollingFailed";
  /** The id of the operation. */
  readonly operationId: string;
  /** How long the wait took, in milliseconds. */
  readonly elapsedInMs: number;
  /** The text of a resume token. Empty if there is none. */
  readonly token: string;
  /** The last status, the counts and the last failure. `resultOf` reads it. */
  readonly state: object;
}

/** Describes how polling stopped, as JSON. */
export function stepOutcomeOf({
  state,
  resumeToken,
  reason,
  ...stopped
}: StoppedPolling<unknown>): StepOutcome {
  const { latest, status, percentComplete, changedAtInMs, isResultPending, requestId } = state;
  const { pollCount, failedPollCount, responseCounts, consecutiveFailures, outageSinceInMs, failure } = state;
  const counts = { pollCount, failedPollCount, responseCounts, consecutiveFailures, outageSinceInMs };
  const known = { latest, status, percentComplete, changedAtInMs, isResultPending, requestId };
  return {
    version: 1,
    ...stopped,
    reason: parseReason(reason, "reason"),
    token: resumeToken() ?? "",
    state: asJson({ ...known, ...counts, failure: failure && failureRecordOf(failure) }),
  };
}

/** @throws TypeError if the result of the operation is no JSON */
function asJson(state: object): object {
  return parseObject(JSON.parse(JSON.stringify(state)), "state");
}

/**
 * Parses how polling stopped, and makes of it what callers get.
 *
 * @throws `ContractError` that names the field
 */
export function parseOutcome(value: unknown): Outcome<unknown> {
  const path = "outcome";
  const fields = parseObject(value, path);
  if (fields["version"] !== 1) throw invalidField(`${path}.version`, "1", fields["version"]);
  const token = parseString(fields["token"], `${path}.token`);
  return outcomeOf({
    reason: parseReason(fields["reason"], `${path}.reason`),
    operationId: parseString(fields["operationId"], `${path}.operationId`),
    elapsedInMs: parseNumber(fields["elapsedInMs"], `${path}.elapsedInMs`),
    state: parsePollState(fields["state"], `${path}.state`),
    resumeToken: () => token,
  });
}

const stopReasons: readonly StopReason[] = ["terminal", "timedOut", "stalled", "notFound", "pollingFailed"];

function parseReason(value: unknown, path: string): StopReason {
  const reason = stopReasons.find((known) => known === value);
  if (reason !== undefined) return reason;
  throw invalidField(path, `one of ${stopReasons.join(", ")}`, value);
}

/** @throws `ContractError` that names the field */
export function parsePollState(value: unknown, path: string): PollState {
  const fields = parseObject(value, path);
  const { latest, status, requestId, failure } = fields;
  return {
    ...initialState,
    latest: latest === undefined ? undefined : parseStatus(latest, `${path}.latest`),
    status: status === undefined ? undefined : parseWord(status, `${path}.status`),
    percentComplete: parseOptionalNumber(fields["percentComplete"], `${path}.percentComplete`, 100),
    changedAtInMs: parseOptionalNumber(fields["changedAtInMs"], `${path}.changedAtInMs`),
    isResultPending: fields["isResultPending"] === true,
    requestId: requestId === undefined ? undefined : parseString(requestId, `${path}.requestId`),
    pollCount: parseCount(fields["pollCount"], `${path}.pollCount`),
    failedPollCount: parseCount(fields["failedPollCount"], `${path}.failedPollCount`),
    responseCounts: parseResponseCounts(fields["responseCounts"], `${path}.responseCounts`),
    consecutiveFailures: parseCount(fields["consecutiveFailures"], `${path}.consecutiveFailures`),
    outageSinceInMs: parseOptionalNumber(fields["outageSinceInMs"], `${path}.outageSinceInMs`),
    failure: failure === undefined ? undefined : parseFailure(failure, `${path}.failure`),
  };
}

/**
 * Parses the progress of a step that went through JSON.
 *
 * @throws `ContractError` that names the field
 */
export function parseProgress(value: unknown): Progress {
  const path = "progress";
  const fields = parseObject(value, path);
  const { previousStatus } = fields;
  const numberAt = (name: string): number | undefined => parseOptionalNumber(fields[name], `${path}.${name}`);
  return {
    status: parseWord(fields["status"], `${path}.status`),
    previousStatus:
      previousStatus === undefined ? undefined : parseWord(previousStatus, `${path}.previousStatus`),
    changed: fields["changed"] === true,
    percentComplete: numberAt("percentComplete"),
    operation: parseStatus(fields["operation"], `${path}.operation`),
    elapsedInMs: parseNumber(fields["elapsedInMs"], `${path}.elapsedInMs`),
    estimatedRemainingInMs: numberAt("estimatedRemainingInMs"),
    estimatedRemainingRangeInMs: parseRange(fields["estimatedRemainingRangeInMs"], `${path}.range`),
    isOverdue: fields["isOverdue"] === true,
    nextPollInMs: numberAt("nextPollInMs"),
    pollCount: parseCount(fields["pollCount"], `${path}.pollCount`),
    failedPollCount: parseCount(fields["failedPollCount"], `${path}.failedPollCount`),
  };
}

function parseRange(value: unknown, path: string): readonly [number, number] | undefined {
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || value.length !== 2) throw invalidField(path, "two numbers", value);
  const [min, max]: unknown[] = value;
  return [parseNumber(min, path), parseNumber(max, path)];
}

/** Parses a status that went through JSON: its dates are strings again. */
function parseStatus(value: unknown, path: string): OperationStatus {
  const fields = parseObject(value, path);
  const id = parseString(fields["id"], `${path}.id`);
  const name = parseString(fields["name"], `${path}.name`);
  const status = parseWord(fields["status"], `${path}.status`);
  return { ...statusFieldsOf(fields, status, status, "percent"), id, name };
}
