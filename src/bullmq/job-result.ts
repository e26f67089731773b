import { initialState } from "../state/state-machine.ts";
import type { WaitEnding, WaitState } from "../state/state-machine.ts";
import type { OperationStatus } from "../operation/operation.ts";
import { outcomeOf } from "../state/outcome.ts";
import type { Outcome } from "../state/outcome.ts";
import { parseObject, parseState, parseStatusFields, parseString } from "../operation/parse-status.ts";
import {
  parseCount,
  parseFields,
  parseNumber,
  parseOptionalNumber,
  refusal,
} from "../operation/json-fields.ts";
import { failureRecordOf, parseFailure, parseObserved } from "./job-data.ts";

/** How a wait ended, as JSON: what a job returns. The same code as in one process makes the result or the error of it. */
export interface EndingRecord {
  readonly version: 1;
  readonly ending: WaitEnding;
  readonly operationId: string;
  readonly elapsedInMs: number;
  readonly token: string;
  readonly state: object;
}

/** Where and when a wait in a queue ended. */
export interface QueuedEnd {
  readonly ending: WaitEnding;
  readonly operationId: string;
  readonly elapsedInMs: number;
  /** To go on with, after a wait that was given up. */
  readonly token: string;
  readonly state: WaitState;
}

/** The end of a wait as a job returns it. */
export function endingRecordOf({ state, ...end }: QueuedEnd): EndingRecord {
  const { latest, status, percentComplete, isResultPending, requestId } = state;
  const { pollCount, failedReads, observed, consecutiveFailures, outageSinceInMs, failure } = state;
  const counts = { pollCount, failedReads, observed, consecutiveFailures, outageSinceInMs };
  const known = { latest, status, percentComplete, isResultPending, requestId };
  return {
    version: 1,
    ...end,
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
  const names = ["version", "ending", "operationId", "elapsedInMs", "token", "state"];
  const fields = parseFields(value, path, names);
  if (fields["version"] !== 1) throw refusal(`${path}.version`, "1", fields["version"]);
  const token = parseString(fields["token"], `${path}.token`);
  return outcomeOf<P>({
    ending: parseEnding(fields["ending"], `${path}.ending`),
    operationId: parseString(fields["operationId"], `${path}.operationId`),
    elapsedInMs: parseNumber(fields["elapsedInMs"], `${path}.elapsedInMs`),
    state: parseEndState<P>(fields["state"], `${path}.state`),
    resumeToken: () => token,
  });
}

function parseEnding(value: unknown, path: string): WaitEnding {
  if (value === "settled" || value === "timedOut" || value === "notFound" || value === "unreadable")
    return value;
  throw refusal(path, "settled, timedOut, notFound or unreadable", value);
}

function parseEndState<P>(value: unknown, path: string): WaitState<P> {
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
    failedReads: parseCount(fields["failedReads"], `${path}.failedReads`),
    observed: parseObserved(fields["observed"], `${path}.observed`),
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
