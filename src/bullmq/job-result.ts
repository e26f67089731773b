import { initialState } from "../state/state-machine.ts";
import type { PollState, StopReason } from "../state/state-machine.ts";
import type { OperationStatus } from "../operation/status.ts";
import { outcomeOf } from "../state/outcome.ts";
import type { Outcome, StoppedPolling } from "../state/outcome.ts";
import {
  invalidField,
  parseCount,
  parseFields,
  parseNumber,
  parseObject,
  parseOptionalNumber,
  parseString,
} from "../operation/json-fields.ts";
import { parseState, parseStatusFields } from "../operation/parse-status.ts";
import { failureRecordOf, parseFailure, parseResponseCounts } from "./job-data.ts";

/** How a wait ended, as JSON: what a job returns. The same code as in one process makes the result or the error of it. */
export interface JobResult {
  readonly version: 1;
  readonly reason: StopReason;
  readonly operationId: string;
  readonly elapsedInMs: number;
  readonly token: string;
  readonly state: object;
}

/** Describes how polling stopped, as a job returns it. */
export function jobResultOf({ state, resumeToken, reason, ...stopped }: StoppedPolling<unknown>): JobResult {
  const { latest, status, percentComplete, isResultPending, requestId } = state;
  const { pollCount, failedPollCount, responseCounts, consecutiveFailures, outageSinceInMs, failure } = state;
  const counts = { pollCount, failedPollCount, responseCounts, consecutiveFailures, outageSinceInMs };
  const known = { latest, status, percentComplete, isResultPending, requestId };
  return {
    version: 1,
    ...stopped,
    reason: parseReason(reason, "reason"),
    token: resumeToken(),
    state: { ...known, ...counts, failure: failure && failureRecordOf(failure) },
  };
}

/**
 * Parses what a job returned, and makes of it what its callers get.
 *
 * @throws {@link ContractError} that names the field
 */
export function parseOutcome<P>(value: unknown): Outcome<P> {
  const path = "job.returnvalue";
  const names = ["version", "reason", "operationId", "elapsedInMs", "token", "state"];
  const fields = parseFields(value, path, names);
  if (fields["version"] !== 1) throw invalidField(`${path}.version`, "1", fields["version"]);
  const token = parseString(fields["token"], `${path}.token`);
  return outcomeOf<P>({
    reason: parseReason(fields["reason"], `${path}.reason`),
    operationId: parseString(fields["operationId"], `${path}.operationId`),
    elapsedInMs: parseNumber(fields["elapsedInMs"], `${path}.elapsedInMs`),
    state: parseEndState<P>(fields["state"], `${path}.state`),
    resumeToken: () => token,
  });
}

function parseReason(value: unknown, path: string): StopReason {
  if (value === "terminal" || value === "timedOut" || value === "notFound" || value === "pollingFailed")
    return value;
  throw invalidField(path, "settled, timedOut, notFound or unreadable", value);
}

function parseEndState<P>(value: unknown, path: string): PollState<P> {
  const fields = parseObject(value, path);
  const { latest, status, requestId, failure } = fields;
  return {
    ...initialState,
    latest: latest === undefined ? undefined : parseStatus<P>(latest, `${path}.latest`),
    status: status === undefined ? undefined : parseState(status, `${path}.status`),
    percentComplete: parseOptionalNumber(fields["percentComplete"], `${path}.percentComplete`, 100),
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

/** A status that another process had parsed: its dates are texts again. */
export function parseStatus<P>(value: unknown, path: string): OperationStatus<P> {
  const fields = parseObject(value, path);
  const id = parseString(fields["id"], `${path}.id`);
  const name = parseString(fields["name"], `${path}.name`);
  return { ...parseStatusFields<P>(fields), id, name };
}
