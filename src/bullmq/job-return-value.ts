import type { Job } from "bullmq";
import { parseOutcome, parseProgress } from "../durable/step-outcome.ts";
import type { StepOutcome } from "../durable/step-outcome.ts";
import type { StepResult } from "../durable/step.ts";
import { isObject, parseObject } from "../operation/json-fields.ts";
import type { Outcome } from "../state/outcome.ts";
import type { Progress } from "../state/progress.ts";

/** The return value of a job: its outcome, and the last progress without the status, which is in the outcome. */
export interface JobReturnValue extends StepOutcome {
  readonly progress?: Omit<Progress, "operation">;
}

/**
 * Returns how a job ended; `undefined` if it has not. Not by `failedReason`: that of an earlier attempt stays when a later
 * one succeeds.
 */
export function endStateOf({ finishedOn, returnvalue }: Job): "completed" | "rejected" | undefined {
  if (finishedOn === undefined) return undefined;
  return returnvalue ? "completed" : "rejected";
}

/** Makes the return value of a job. A result may be large, so it is in it once. */
export function returnValueOf({
  outcome,
  progress,
}: StepResult & { readonly type: "ended" }): JobReturnValue {
  if (progress === undefined) return outcome;
  const { operation: _, ...rest } = progress;
  return { ...outcome, progress: rest };
}

/**
 * Parses the return value of a job.
 *
 * @throws {@link ContractError} that names the field
 */
export function parseReturnValue(value: unknown): {
  readonly outcome: Outcome<unknown>;
  readonly progress: Progress | undefined;
} {
  const fields = parseObject(value, "job.returnvalue");
  const { progress, state } = fields;
  const outcome = parseOutcome(fields);
  if (progress === undefined || !isObject(state)) return { outcome, progress: undefined };
  const { latest: operation } = state;
  return { outcome, progress: parseProgress({ ...parseObject(progress, "progress"), operation }) };
}
